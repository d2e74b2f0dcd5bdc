/*
 * Reader zone: raw bytes in, a worker for each item, clean object and record
 * out. This process touches no hostile byte but to count, hash and hand it to
 * a worker; what a worker wrote was checked by worker_finish.
 */
#include "reader/zone.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/start.h"
#include "proto/channel.h"
#include "proto/endpoint.h"
#include "proto/stream.h"
#include "reader/filter.h"
#include "reader/profile.h"
#include "reader/worker.h"

struct zone {
	struct loop *loop;
	struct channel *channel;
	struct buf attestation;
	int status;

	int64_t id; /* of the clean request, 0: idle */
	int64_t stream;
	const char *kind;
	struct stream_in in;
	bool streaming;
	struct buf raw;

	bool working;
	struct worker worker;
	struct watch *readable, *deadline;
};

static int
take_bytes(void *context, struct span bytes)
{
	struct zone *z = context;

	return buf_add(&z->raw, bytes.p, bytes.n);
}

static void
end_item(struct zone *z)
{
	if (z->streaming)
		stream_in_done(&z->in);
	if (z->working) {
		loop_unwatch(z->readable);
		loop_unwatch(z->deadline);
		worker_finish(&z->worker);
		worker_done(&z->worker);
	}
	z->streaming = z->working = false;
	buf_free(&z->raw);
	z->id = 0;
}

static int
refuse(struct zone *z, int64_t id, int error)
{
	channel_error(z->channel, id, error, err_text(error), (struct span){0});
	return 0;
}

static void
send_record(struct zone *z, const struct buf *record)
{
	struct message_writer m;

	message_begin(&m, channel_out(z->channel), METHOD_RECORD, 0);
	json_put_integer(&m.json, "stream", z->stream);
	json_put_raw(
	    &m.json, "record", (struct span){record->data, record->len});
	message_end(&m);
}

/* The worker is through, one way or another. */
static void
finish(struct zone *z)
{
	struct message_writer m;

	loop_unwatch(z->readable);
	loop_unwatch(z->deadline);
	z->working = false;
	worker_finish(&z->worker);
	send_record(z, &z->worker.record);
	result_begin(&m, channel_out(z->channel), z->id);
	json_put_raw(&m.json, "message",
	    (struct span){z->worker.clean.data, z->worker.clean.len});
	if (message_end(&m) != 0)
		bug("clean object does not fit a frame");
	worker_done(&z->worker);
	buf_free(&z->raw);
	channel_answered(z->channel, z->id);
	z->id = 0;
}

static void
on_worker(void *context)
{
	struct zone *z = context;

	if (worker_read(&z->worker) != WORKER_MORE)
		finish(z);
}

static void
on_worker_late(void *context)
{
	struct zone *z = context;

	worker_kill(&z->worker);
	finish(z);
}

static int
start_worker(struct zone *z)
{
	struct span raw = {z->raw.data, z->raw.len};
	int rc = worker_start(raw, z->kind, &z->worker);

	if (rc != 0) {
		refuse(z, z->id, rc);
		end_item(z);
		return 0;
	}
	z->working = true;
	z->readable = loop_watch_read(z->loop, z->worker.fd, on_worker, z);
	watch_set(z->readable, true);
	z->deadline = loop_timer(z->loop, on_worker_late, z);
	/* a little later, so that the worker's own clock agrees */
	timer_set(z->deadline, worker_wait_ms(&z->worker) + 5);
	return 0;
}

static int
take_clean(struct zone *z, int64_t id, const struct clean_params *params)
{
	const char *kind = filter_kind(params->channel);

	if (z->id != 0)
		return refuse(z, id, ERR_BUSY);
	if (kind == NULL)
		return refuse(z, id, ERR_UNAVAILABLE);
	z->id = id;
	z->kind = kind;
	z->stream = params->stream;
	z->streaming = true;
	buf_init(&z->raw, MAIL_MAX_BYTES);
	stream_in_init(
	    &z->in, z->channel, params->stream, params->bytes, take_bytes, z);
	return 0;
}

static int
take_end(struct zone *z, const struct end_params *params)
{
	int rc = stream_in_end(&z->in, params, NULL);

	if (rc != 0)
		return rc;
	stream_in_done(&z->in);
	z->streaming = false;
	return start_worker(z);
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct zone *z = context;

	(void)channel;
	(void)doc;
	if (message->method == METHOD_CLEAN)
		return take_clean(z, message->id, &message->params.clean);
	if (!z->streaming) /* the rest of an item that was given up */
		return message->method == METHOD_CHUNK ||
			       message->method == METHOD_END
			   ? 0
			   : -ERR_NO_METHOD;
	if (message->method == METHOD_CHUNK)
		return stream_in_chunk(&z->in, &message->params.chunk);
	if (message->method == METHOD_END)
		return take_end(z, &message->params.end);
	return -ERR_NO_METHOD;
}

static void
on_cancelled(struct channel *channel, void *context, int64_t id)
{
	struct zone *z = context;

	if (id != z->id)
		return;
	if (z->working)
		worker_kill(&z->worker);
	end_item(z);
	channel_error(channel, id, ERR_CANCELLED, err_text(ERR_CANCELLED),
	    (struct span){0});
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	(void)channel;
	(void)context;
	return lock_foreign(doc, hello->attestation) ? -ERR_ATTESTATION : 0;
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct zone *z = context;

	(void)channel;
	if (z->working)
		worker_kill(&z->worker);
	end_item(z);
	if (error != 0) {
		log_event(LOG_ERROR, "closed", "code=%d reason=%s", -error,
		    err_text(error));
		z->status = EXIT_UNAVAILABLE;
	}
	loop_stop(z->loop);
}

static const struct channel_owner owner = {
    .opened = on_opened,
    .received = on_received,
    .cancelled = on_cancelled,
    .closed = on_closed,
};

struct opening {
	const char *channel;
	int in, out;
};

static int
open_now(void *context)
{
	struct opening *o = context;

	return endpoint_open(o->channel, &o->in, &o->out);
}

int
zone_run(const char *channel, const char *zone, const char *user)
{
	static struct zone z;
	static struct lock lock;
	struct opening opening = {.channel = channel};
	struct channel_options options = {.self = SIDE_READER,
	    .peer = SIDE_EXECUTOR,
	    .zone = zone,
	    .program = "trizone-reader " TRIZONE_VERSION,
	    .owner = &owner,
	    .context = &z};
	int rc;

	lock_init(&lock, &reader_profile);
	lock_account(user, &lock.account);
	rc = account_as(&lock.account, open_now, &opening);
	if (rc != 0)
		die(EXIT_UNAVAILABLE, "cannot reach the executor at %s: %s",
		    channel, err_text(rc));
	if (strcmp(channel, "stdio") != 0 && start_without_standard() != 0)
		die_errno("/dev/null");
	worker_prepare();
	z.loop = loop_new();
	lock_enter(&lock);
	lock_seal(&lock);
	buf_init(&z.attestation, LOCK_ATTESTATION_BYTES);
	lock_report_write(&lock.report, &z.attestation);
	options.attestation =
	    (struct span){z.attestation.data, z.attestation.len};
	z.channel = channel_new(z.loop, opening.in, opening.out, &options);
	loop_run(z.loop);
	return z.status;
}
