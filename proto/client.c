/*
 * Blocking client over the event loop. Runs in planners and in commands; the
 * executor is believed, its frames are checked all the same.
 */
#include "proto/client.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/lock.h"
#include "proto/endpoint.h"
#include "proto/stream.h"

struct client {
	struct client_options options;
	struct loop *loop;
	struct channel *channel; /* NULL once it is closed */
	int fd_in, fd_out;
	struct buf attestation;
	int error; /* why it closed */
	bool opened;

	struct message_writer writer;
	int64_t id;
	bool waiting;
	int wait_error;
	struct buf frame; /* the answer, kept beyond its callback */
	struct json_doc doc;
	struct message answer;
};

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	struct client *client = context;

	(void)channel;
	if (lock_foreign(doc, hello->attestation))
		return -ERR_ATTESTATION;
	client->opened = true;
	loop_stop(client->loop);
	return 0;
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct client *client = context;

	(void)doc;
	if (message->id != 0) {
		channel_error(channel, message->id, ERR_NO_METHOD,
		    err_text(ERR_NO_METHOD), (struct span){0});
		return 0;
	}
	if (client->options.notice == NULL)
		return 0;
	return client->options.notice(client, client->options.context, message);
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct client *client = context;

	(void)channel;
	client->channel = NULL;
	client->error = error == 0 ? -ERR_CLOSED : error;
	loop_stop(client->loop);
}

static const struct channel_owner owner = {
    .opened = on_opened,
    .received = on_received,
    .closed = on_closed,
};

int
client_connect(const struct client_options *options, struct client **client_out)
{
	struct client *client;
	int fd_in, fd_out, rc;

	rc = endpoint_open(options->spec, &fd_in, &fd_out);
	if (rc != 0)
		return rc;
	client = alloc_bytes(sizeof *client);
	client->options = *options;
	client->fd_in = fd_in;
	client->fd_out = fd_out;
	client->loop = loop_new();
	json_init(&client->doc);
	buf_init(&client->frame, FRAME_MAX_BYTES);
	buf_init(&client->attestation, LOCK_ATTESTATION_BYTES);
	*client_out = client;
	return 0;
}

int
client_hello(struct client *client, struct span attestation)
{
	struct channel_options channel = {.self = client->options.self,
	    .peer = SIDE_EXECUTOR,
	    .zone = client->options.zone,
	    .program = client->options.program,
	    .owner = &owner,
	    .context = client};

	buf_add(&client->attestation, attestation.p, attestation.n);
	channel.attestation =
	    (struct span){client->attestation.data, client->attestation.len};
	client->channel =
	    channel_new(client->loop, client->fd_in, client->fd_out, &channel);
	loop_run(client->loop);
	return client->opened ? 0 : client->error;
}

int
client_open(const struct client_options *options, struct client **client_out)
{
	struct client *client;
	struct lock_report report;
	struct buf text;
	int rc = client_connect(options, &client);

	if (rc != 0)
		return rc;
	buf_init(&text, LOCK_ATTESTATION_BYTES);
	lock_report_plain("command", &report);
	lock_report_write(&report, &text);
	rc = client_hello(client, (struct span){text.data, text.len});
	buf_free(&text);
	if (rc == 0)
		*client_out = client;
	else
		client_close(client);
	return rc;
}

static void
on_last_round(void *context)
{
	loop_stop(context);
}

void
client_close(struct client *client)
{
	struct watch *last;

	if (client == NULL)
		return;
	if (client->channel != NULL)
		channel_close(client->channel, 0);
	/* the channel frees itself in the next round of the loop */
	last = loop_timer(client->loop, on_last_round, client->loop);
	timer_set(last, 1);
	loop_run(client->loop);
	loop_unwatch(last);
	loop_free(client->loop);
	json_done(&client->doc);
	buf_free(&client->frame);
	buf_free(&client->attestation);
	free(client);
}

struct json_writer *
client_begin(struct client *client, enum method method)
{
	static struct buf nowhere; /* swallows requests after the end */

	if (client->channel == NULL) {
		buf_init(&nowhere, 0);
		message_begin(&client->writer, &nowhere, METHOD_STATUS, 1);
		return &client->writer.json;
	}
	client->id = channel_next_id(client->channel);
	message_begin(
	    &client->writer, channel_out(client->channel), method, client->id);
	return &client->writer.json;
}

/* Keep the answer: the channel's document ends with the callback. */
static void
keep_answer(struct client *client, const struct json_doc *doc)
{
	struct span text = json_raw(doc, json_root(doc));

	buf_clear(&client->frame);
	buf_add(&client->frame, text.p, text.n);
	client->wait_error = message_parse(
	    (struct span){client->frame.data, client->frame.len}, SIDE_EXECUTOR,
	    client->options.self, &client->doc, &client->answer, NULL);
}

static void
on_answer(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *answer, int error)
{
	struct client *client = context;

	(void)channel;
	client->waiting = false;
	if (answer == NULL)
		client->wait_error = error;
	else
		keep_answer(client, doc);
	loop_stop(client->loop);
}

static int
send_request(struct client *client, int64_t deadline_ms)
{
	int rc;

	if (client->channel == NULL)
		return client->error;
	/* sending may end the channel, and so answer, at once */
	client->waiting = true;
	rc = message_end(&client->writer);
	if (rc == 0)
		rc = channel_asked(client->channel, client->id, deadline_ms,
		    on_answer, client);
	return rc;
}

static int
await_answer(struct client *client, struct client_answer *answer_out)
{
	struct client_answer answer = {.doc = &client->doc};

	while (client->waiting)
		loop_run(client->loop);
	if (client->wait_error != 0)
		return client->wait_error;
	if (client->answer.type == MESSAGE_RESULT) {
		answer.result = client->answer.result;
	} else {
		answer.error = client->answer.code > 0
				   ? -(int)client->answer.code
				   : -ERR_FAILED;
		answer.text = client->answer.text;
		answer.data = client->answer.data;
	}
	*answer_out = answer;
	return 0;
}

int
client_ask(struct client *client, int64_t deadline_ms,
    struct client_answer *answer_out)
{
	int rc = send_request(client, deadline_ms);

	return rc != 0 ? rc : await_answer(client, answer_out);
}

int
client_ask_streaming(struct client *client, int64_t deadline_ms,
    struct stream_out *stream, struct client_answer *answer_out)
{
	int rc = send_request(client, deadline_ms);

	if (rc == 0 && client->channel != NULL)
		rc = stream_out_run(stream);
	return rc != 0 ? rc : await_answer(client, answer_out);
}

struct channel *
client_channel(struct client *client)
{
	return client->channel;
}
