/*
 * A simple client of the executor: connect, ask, wait for the answer. For
 * command lines and for a planner that does one thing at a time.
 */
#ifndef TRIZONE_PROTO_CLIENT_H
#define TRIZONE_PROTO_CLIENT_H

#include "proto/channel.h"

struct client;

struct client_options {
	const char *spec; /* see endpoint.h */
	enum side self;
	const char *zone; /* said in hello: a zone, "operator", "deliver" */
	const char *program;
	/* A notice of the executor; may be NULL: then it is ignored. Return 0
	 * or a negative error to close. */
	int (*notice)(struct client *client, void *context,
	    const struct message *message);
	void *context;
};

struct client_answer {
	const struct json_doc *doc;	/* until the next client_ask */
	const struct json_node *result; /* or NULL, and then: */
	int error;			/* negative */
	struct span text;
	const struct json_node *data; /* may be NULL */
};

/* Connect; a process that locks itself in does it in between. 0 or a negative
 * error (-ERR_UNAVAILABLE, -ERR_PEER, ...). Free with client_close. */
int client_connect(
    const struct client_options *options, struct client **client_out);

/* Exchange hellos; `attestation` is raw JSON of an object. 0 or a negative
 * error (-ERR_HELLO_TIMEOUT, -ERR_ATTESTATION, ...). */
int client_hello(struct client *client, struct span attestation);

/* Both, for a command that is not locked in. Frees by itself on failure. */
int client_open(
    const struct client_options *options, struct client **client_out);
void client_close(struct client *client); /* NULL is fine */

/* Begin a request; write members of its params, then client_ask. */
struct json_writer *client_begin(struct client *client, enum method method);

/* Send it and wait. 0 when an answer came (a result or an error answer), or a
 * negative error: -ERR_DEADLINE, -ERR_CLOSED, -ERR_FRAME_LONG. */
int client_ask(struct client *client, int64_t deadline_ms,
    struct client_answer *answer_out);

struct stream_out;

/* The same for a request that begins a stream: the bytes leave while the
 * answer is waited for. The owner hands credit notices to the stream. */
int client_ask_streaming(struct client *client, int64_t deadline_ms,
    struct stream_out *stream, struct client_answer *answer_out);

struct channel *client_channel(struct client *client);

#endif
