/*
 * Messages: JSON-RPC 2.0 objects, typed. One table (method.def) says who may
 * send what to whom and how large; one shape table per method says which
 * members its params have. message_parse goes through all of that before any
 * handler sees a byte.
 */
#ifndef TRIZONE_PROTO_MESSAGE_H
#define TRIZONE_PROTO_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

#define PROTOCOL_VERSION 1
#define AGAIN_MAX_MS ((int64_t)90 * 24 * 60 * 60 * 1000) /* a rule's life */
#define ID_MAX ((int64_t)1 << 53) /* largest integer every client can hold */

enum side {
	SIDE_EXECUTOR = 1,
	SIDE_PLANNER = 2,
	SIDE_READER = 4,
	SIDE_DELIVER = 8,
	SIDE_OPERATOR = 16,
	SIDE_ANY = 31
};

const char *side_name(enum side side);

enum method {
#define METHOD(id, name, senders, receivers, type, bytes) METHOD_##id,
#include "proto/method.def"
#undef METHOD
	METHOD_COUNT
};

enum method_type { REQUEST, NOTICE };

struct method_row {
	const char *name;
	unsigned senders, receivers; /* enum side bits */
	enum method_type type;
	uint32_t bytes_max;
};

const struct method_row *method_row(enum method method);

/* Params of each method, after checking. Spans and nodes live as long as the
 * document they were read from. */
struct hello_params {
	int64_t protocol;
	struct span zone;
	struct span program;
	const struct json_node *attestation;
};
struct cancel_params {
	int64_t id;
};
struct call_params {
	struct span name;
	const struct json_node *arguments;
};
struct next_params {
	int64_t wait_ms;
};
struct handle_params {
	struct span handle;
};
struct extract_params {
	struct span handle;
	struct span name;
};
struct done_params {
	struct span handle;
	struct span outcome;
};
struct clean_params {
	int64_t stream;
	struct span channel;
	int64_t bytes;
};
struct record_params {
	int64_t stream;
	const struct json_node *record;
};
struct deliver_params {
	int64_t stream;
	struct span channel;
	int64_t bytes;
};
struct chunk_params {
	int64_t stream;
	struct span data; /* base64 */
};
struct end_params {
	int64_t stream;
	struct span sha256; /* 64 hexadecimal digits, of the raw bytes */
};
struct credit_params {
	int64_t stream;
	int64_t bytes;
};
struct list_params {
	struct span state; /* empty: all */
	int64_t after;	   /* only items with a larger number */
	int64_t limit;
};

struct approve_params {
	struct span handle; /* a ticket's or an item's */
	struct span code;   /* of the card that was read */
	int64_t again_ms;   /* a rule for so long as well; 0: none */
	bool any_content;   /* of that rule */
};
struct settle_params {
	struct span handle;  /* of an intent */
	struct span outcome; /* "done" or "failed" */
};
struct zone_params {
	struct span zone;
};
struct attach_params {
	struct span zone;
	const struct json_node *machine;
};
struct session_params {
	int64_t session;
};
struct task_params {
	int64_t session;
	struct span words;
};
struct task_next_params {
	int64_t after; /* only tasks with a larger number */
};

union params {
	struct hello_params hello;
	struct cancel_params cancel;
	struct call_params call;
	struct next_params next;
	struct handle_params handle;
	struct extract_params extract;
	struct done_params done;
	struct clean_params clean;
	struct record_params record;
	struct deliver_params deliver;
	struct chunk_params chunk;
	struct end_params end;
	struct credit_params credit;
	struct list_params list;
	struct approve_params approve;
	struct settle_params settle;
	struct zone_params zone;
	struct attach_params attach;
	struct session_params session;
	struct task_params task;
	struct task_next_params task_next;
};

enum message_type { MESSAGE_CALL, MESSAGE_RESULT, MESSAGE_ERROR };

struct message {
	enum message_type type;
	enum method method; /* MESSAGE_CALL */
	int64_t id;	    /* 0: none (a notice, or an error without id) */
	union params params;
	const struct json_node *result; /* MESSAGE_RESULT */
	int64_t code;			/* MESSAGE_ERROR */
	struct span text;
	const struct json_node *data; /* MESSAGE_ERROR, may be NULL */
};

/* Check one frame from `from`, sent to `to`, and take it apart. `doc` is
 * parsed into and must outlive `out`. Returns 0 or a negative error; `where`
 * says what exactly. */
int message_parse(struct span frame, enum side from, enum side to,
    struct json_doc *doc, struct message *out, struct json_error *where);

/*
 * Writing whole frames into `out`: begin, put members of params (or result)
 * with the writer, end. The end functions return 0 or -ERR_FRAME_LONG, and
 * then nothing was added.
 */
struct message_writer {
	struct json_writer json;
	size_t head;
};

void message_begin(struct message_writer *m, struct buf *out,
    enum method method, int64_t id); /* id 0 for a notice */
void result_begin(struct message_writer *m, struct buf *out, int64_t id);
int message_end(struct message_writer *m); /* for both */
/* Instead of the end: take back what was begun. */
void message_undo(struct message_writer *m);

/* An error answer. `data` is raw JSON or has length 0; id 0 stands for null. */
int message_error(
    struct buf *out, int64_t id, int error, struct span text, struct span data);

/* A hello; `attestation` is raw JSON of an object. */
int message_hello(struct buf *out, const char *zone, const char *program,
    struct span attestation);

int message_cancel(struct buf *out, int64_t id);
int message_chunk(
    struct buf *out, int64_t stream, const void *bytes, size_t count);
int message_end_stream(
    struct buf *out, int64_t stream, const unsigned char sha256[32]);
int message_credit(struct buf *out, int64_t stream, int64_t bytes);

/* "msg:17" <-> 17. handle_parse gives -ERR_RANGE for anything that
 * handle_format would not write. */
void handle_format(int64_t id, char out[32]);
int handle_parse(struct span handle, int64_t *id_out);

/* The same of "ticket:5" and "again:7". */
void ticket_format(int64_t id, char out[32]);
int ticket_parse(struct span handle, int64_t *id_out);
void intent_format(int64_t id, char out[32]);
int intent_parse(struct span handle, int64_t *id_out);
void again_format(int64_t id, char out[32]);
int again_parse(struct span handle, int64_t *id_out);

#endif
