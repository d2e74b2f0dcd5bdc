/*
 * The method table, the shapes, and the check every frame goes through:
 * syntax, envelope, method, sender, size, shape; in that order. Both ends
 * share this file, so they cannot drift apart.
 */
#include "proto/message.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/frame.h"

static const struct method_row rows[METHOD_COUNT] = {
#define METHOD(id, name, senders, receivers, type, bytes)                      \
	[METHOD_##id] = {name, senders, receivers, type, bytes},
#include "proto/method.def"
#undef METHOD
};

#define FIELD(kind, member, key, want, required, least, most)                  \
	{                                                                      \
		key, want, required, offsetof(struct kind##_params, member),   \
		    least, most                                                \
	}

static const struct json_field hello_shape[] = {
    FIELD(hello, protocol, "protocol", JSON_WANT_INTEGER, true, 1, 1000),
    FIELD(hello, zone, "zone", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
    FIELD(hello, program, "program", JSON_WANT_STRING, true, 1, 100),
    FIELD(hello, attestation, "attestation", JSON_WANT_OBJECT, true, 0, 64),
};

static const struct json_field cancel_shape[] = {
    FIELD(cancel, id, "id", JSON_WANT_INTEGER, true, 1, ID_MAX),
};

static const struct json_field call_shape[] = {
    FIELD(call, name, "name", JSON_WANT_STRING, true, 1, 256),
    FIELD(call, arguments, "arguments", JSON_WANT_OBJECT, true, 0,
	JSON_MAX_MEMBERS),
};

static const struct json_field next_shape[] = {
    FIELD(next, wait_ms, "wait_ms", JSON_WANT_INTEGER, true, 0, 60000),
};

static const struct json_field handle_shape[] = {
    FIELD(
	handle, handle, "handle", JSON_WANT_STRING, true, 1, HANDLE_MAX_BYTES),
};

static const struct json_field extract_shape[] = {
    FIELD(
	extract, handle, "handle", JSON_WANT_STRING, true, 1, HANDLE_MAX_BYTES),
    FIELD(extract, name, "name", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
};

static const struct json_field done_shape[] = {
    FIELD(done, handle, "handle", JSON_WANT_STRING, true, 1, HANDLE_MAX_BYTES),
    FIELD(done, outcome, "outcome", JSON_WANT_STRING, true, 1, 200),
};

static const struct json_field clean_shape[] = {
    FIELD(clean, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(clean, channel, "channel", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
    FIELD(clean, bytes, "bytes", JSON_WANT_INTEGER, true, 0, MAIL_MAX_BYTES),
};

static const struct json_field record_shape[] = {
    FIELD(record, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(record, record, "record", JSON_WANT_OBJECT, true, 0, 64),
};

static const struct json_field deliver_shape[] = {
    FIELD(deliver, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(
	deliver, channel, "channel", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
    FIELD(deliver, bytes, "bytes", JSON_WANT_INTEGER, true, 1, MAIL_MAX_BYTES),
};

static const struct json_field chunk_shape[] = {
    FIELD(chunk, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(chunk, data, "data", JSON_WANT_STRING, true, 4, CHUNK_BYTES / 3 * 4),
};

static const struct json_field end_shape[] = {
    FIELD(end, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(end, sha256, "sha256", JSON_WANT_STRING, true, 64, 64),
};

static const struct json_field credit_shape[] = {
    FIELD(credit, stream, "stream", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(credit, bytes, "bytes", JSON_WANT_INTEGER, true, 1, CREDIT_BYTES),
};

static const struct json_field list_shape[] = {
    FIELD(list, state, "state", JSON_WANT_STRING, false, 0, NAME_MAX_BYTES),
    FIELD(list, after, "after", JSON_WANT_INTEGER, false, 0, ID_MAX),
    FIELD(list, limit, "limit", JSON_WANT_INTEGER, true, 1, 1000),
};

static const struct json_field approve_shape[] = {
    FIELD(
	approve, handle, "handle", JSON_WANT_STRING, true, 1, HANDLE_MAX_BYTES),
    FIELD(approve, code, "code", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
    FIELD(approve, again_ms, "again_ms", JSON_WANT_INTEGER, false, 60000,
	AGAIN_MAX_MS),
    FIELD(approve, any_content, "any_content", JSON_WANT_BOOL, false, 0, 0),
};

static const struct json_field settle_shape[] = {
    FIELD(
	settle, handle, "handle", JSON_WANT_STRING, true, 1, HANDLE_MAX_BYTES),
    FIELD(
	settle, outcome, "outcome", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
};

static const struct json_field zone_shape[] = {
    FIELD(zone, zone, "zone", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
};

static const struct json_field attach_shape[] = {
    FIELD(attach, zone, "zone", JSON_WANT_STRING, true, 1, NAME_MAX_BYTES),
    FIELD(attach, machine, "machine", JSON_WANT_OBJECT, true, 1, 16),
};

static const struct json_field session_shape[] = {
    FIELD(session, session, "session", JSON_WANT_INTEGER, true, 1, ID_MAX),
};

static const struct json_field task_shape[] = {
    FIELD(task, session, "session", JSON_WANT_INTEGER, true, 1, ID_MAX),
    FIELD(task, words, "words", JSON_WANT_STRING, true, 1, TASK_MAX_BYTES),
};

static const struct json_field task_next_shape[] = {
    FIELD(task_next, after, "after", JSON_WANT_INTEGER, true, 0, ID_MAX),
};

#define SHAPE(id, table) [METHOD_##id] = {table, sizeof table / sizeof table[0]}

/* A method that is not named here has no params at all. */
static const struct {
	const struct json_field *fields;
	size_t count;
} shapes[METHOD_COUNT] = {
    SHAPE(HELLO, hello_shape),
    SHAPE(CANCEL, cancel_shape),
    SHAPE(CALL, call_shape),
    SHAPE(SESSION_NEW, zone_shape),
    SHAPE(ZONE_ATTACH, attach_shape),
    SHAPE(SESSION_END, session_shape),
    SHAPE(TASK, task_shape),
    SHAPE(TASK_NEXT, task_next_shape),
    SHAPE(INBOX_NEXT, next_shape),
    SHAPE(INBOX_READ, handle_shape),
    SHAPE(INBOX_EXTRACT, extract_shape),
    SHAPE(INBOX_DONE, done_shape),
    SHAPE(CLEAN, clean_shape),
    SHAPE(RECORD, record_shape),
    SHAPE(DELIVER, deliver_shape),
    SHAPE(CHUNK, chunk_shape),
    SHAPE(END, end_shape),
    SHAPE(CREDIT, credit_shape),
    SHAPE(ITEM_LIST, list_shape),
    SHAPE(ITEM_SHOW, handle_shape),
    SHAPE(ITEM_RELEASE, handle_shape),
    SHAPE(ITEM_DROP, handle_shape),
    SHAPE(REVIEW_LIST, list_shape),
    SHAPE(REVIEW_SHOW, handle_shape),
    SHAPE(REVIEW_APPROVE, approve_shape),
    SHAPE(REVIEW_DENY, handle_shape),
    SHAPE(REVIEW_REVOKE, handle_shape),
    SHAPE(REVIEW_UNKNOWN, list_shape),
    SHAPE(REVIEW_SETTLE, settle_shape),
    SHAPE(REVIEW_FEEDBACK, list_shape),
};

/* The envelope, before it is known what it carries. */
struct envelope {
	struct span jsonrpc;
	struct span method;
	const struct json_node *id;
	const struct json_node *params;
	const struct json_node *result;
	const struct json_node *error;
};

#define PART(member, want, required, most)                                     \
	{                                                                      \
#member, want, required, offsetof(struct envelope, member), 0, \
		    most                                                       \
	}

static const struct json_field envelope_shape[] = {
    PART(jsonrpc, JSON_WANT_STRING, true, 3),
    PART(method, JSON_WANT_STRING, false, NAME_MAX_BYTES),
    PART(id, JSON_WANT_ANY, false, 0),
    PART(params, JSON_WANT_OBJECT, false, 0),
    PART(result, JSON_WANT_ANY, false, 0),
    PART(error, JSON_WANT_OBJECT, false, 0),
};

struct error_part {
	int64_t code;
	struct span message;
	const struct json_node *data;
};

static const struct json_field error_shape[] = {
    {"code", JSON_WANT_INTEGER, true, offsetof(struct error_part, code), -32768,
	9999},
    {"message", JSON_WANT_STRING, true, offsetof(struct error_part, message), 0,
	1000},
    {"data", JSON_WANT_OBJECT, false, offsetof(struct error_part, data), 0, 64},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *
side_name(enum side side)
{
	switch (side) {
	case SIDE_EXECUTOR:
		return "executor";
	case SIDE_PLANNER:
		return "planner";
	case SIDE_READER:
		return "reader";
	case SIDE_DELIVER:
		return "deliver";
	case SIDE_OPERATOR:
		return "operator";
	default:
		return "any";
	}
}

const struct method_row *
method_row(enum method method)
{
	return &rows[method];
}

static enum method
find_method(struct span name)
{
	size_t i = 0;

	while (i < METHOD_COUNT && !span_is(name, rows[i].name))
		i++;
	return (enum method)i;
}

static int
read_id(const struct json_doc *doc, const struct envelope *e, int64_t *id_out,
    struct json_error *where)
{
	*id_out = 0;
	if (e->id == NULL || (e->id->type == JSON_NULL && e->error != NULL))
		return 0;
	if (e->id->type != JSON_INTEGER)
		return json_complain(
		    doc, e->id, where, ERR_TYPE, "an id has to be an integer");
	if (e->id->value.integer < 1 || e->id->value.integer > ID_MAX)
		return json_complain(doc, e->id, where, ERR_RANGE,
		    "an id is between 1 and 2^53");
	*id_out = e->id->value.integer;
	return 0;
}

static int
read_call(const struct json_doc *doc, const struct envelope *e, enum side from,
    enum side to, struct message *out, struct json_error *where)
{
	const struct json_node *root = json_root(doc);
	const struct method_row *row;

	out->type = MESSAGE_CALL;
	out->method = find_method(e->method);
	if (out->method == METHOD_COUNT)
		return json_complain(doc, root, where, ERR_NO_METHOD, "%s",
		    "see protocol.7 for the list");
	row = &rows[out->method];
	if ((row->senders & from) == 0 || (row->receivers & to) == 0)
		return json_complain(doc, root, where, ERR_SENDER,
		    "\"%s\" from %s to %s", row->name, side_name(from),
		    side_name(to));
	if (doc->text.n > row->bytes_max)
		return json_complain(doc, root, where, ERR_METHOD_SIZE,
		    "\"%s\" has %zu bytes, %u are allowed", row->name,
		    doc->text.n, row->bytes_max);
	if ((row->type == REQUEST) != (out->id != 0))
		return json_complain(doc, root, where, ERR_ID,
		    "\"%s\" %s an id", row->name,
		    row->type == REQUEST ? "needs" : "has no");
	if (e->params == NULL)
		return shapes[out->method].count == 0
			   ? 0
			   : json_complain(doc, root, where, ERR_MISSING_KEY,
				 "\"params\"");
	return json_read(doc, e->params, shapes[out->method].fields,
	    shapes[out->method].count, &out->params, where);
}

static int
read_answer(const struct json_doc *doc, const struct envelope *e,
    struct message *out, struct json_error *where)
{
	struct error_part part = {0};
	int rc;

	if (e->params != NULL || (e->result == NULL) == (e->error == NULL))
		return json_complain(doc, json_root(doc), where, ERR_TYPE,
		    "neither a call nor an answer");
	if (e->result != NULL) {
		if (out->id == 0)
			return json_complain(doc, json_root(doc), where, ERR_ID,
			    "a result needs an id");
		out->type = MESSAGE_RESULT;
		out->result = e->result;
		return 0;
	}
	rc = json_read(
	    doc, e->error, error_shape, COUNT(error_shape), &part, where);
	if (rc != 0)
		return rc;
	out->type = MESSAGE_ERROR;
	out->code = part.code;
	out->text = part.message;
	out->data = part.data;
	return 0;
}

int
message_parse(struct span frame, enum side from, enum side to,
    struct json_doc *doc, struct message *out, struct json_error *where)
{
	struct envelope e = {0};
	struct message message = {0};
	int rc;

	rc = json_parse(doc, frame, NULL, where);
	if (rc != 0)
		return rc;
	rc = json_read(doc, json_root(doc), envelope_shape,
	    COUNT(envelope_shape), &e, where);
	if (rc != 0)
		return rc;
	if (!span_is(e.jsonrpc, "2.0"))
		return json_complain(doc, json_root(doc), where, ERR_VERSION,
		    "\"jsonrpc\" has to be \"2.0\"");
	rc = read_id(doc, &e, &message.id, where);
	if (rc == 0 && e.method.p == NULL)
		rc = read_answer(doc, &e, &message, where);
	else if (rc == 0 && (e.result != NULL || e.error != NULL))
		rc = json_complain(doc, json_root(doc), where, ERR_TYPE,
		    "both a call and an answer");
	else if (rc == 0)
		rc = read_call(doc, &e, from, to, &message, where);
	if (rc == 0)
		*out = message;
	return rc;
}

static void
begin(struct message_writer *m, struct buf *out)
{
	m->head = frame_begin(out);
	json_write_init(&m->json, out);
	json_open(&m->json, '{');
	json_put_text(&m->json, "jsonrpc", "2.0");
}

void
message_begin(
    struct message_writer *m, struct buf *out, enum method method, int64_t id)
{
	begin(m, out);
	if (id != 0)
		json_put_integer(&m->json, "id", id);
	json_put_text(&m->json, "method", rows[method].name);
	json_key(&m->json, "params");
	json_open(&m->json, '{');
}

void
result_begin(struct message_writer *m, struct buf *out, int64_t id)
{
	begin(m, out);
	json_put_integer(&m->json, "id", id);
	json_key(&m->json, "result");
	json_open(&m->json, '{');
}

int
message_end(struct message_writer *m)
{
	json_close(&m->json, '}');
	json_close(&m->json, '}');
	return frame_end(m->json.out, m->head);
}

void
message_undo(struct message_writer *m)
{
	m->json.out->len = m->head;
	m->json.out->overflow = false;
}

int
message_error(
    struct buf *out, int64_t id, int error, struct span text, struct span data)
{
	struct message_writer m;

	begin(&m, out);
	json_key(&m.json, "id");
	if (id == 0)
		json_null(&m.json);
	else
		json_integer(&m.json, id);
	json_key(&m.json, "error");
	json_open(&m.json, '{');
	json_put_integer(&m.json, "code", error < 0 ? -error : error);
	json_put_string(&m.json, "message", text);
	if (data.n != 0)
		json_put_raw(&m.json, "data", data);
	return message_end(&m);
}

int
message_hello(struct buf *out, const char *zone, const char *program,
    struct span attestation)
{
	struct message_writer m;

	message_begin(&m, out, METHOD_HELLO, 0);
	json_put_integer(&m.json, "protocol", PROTOCOL_VERSION);
	json_put_text(&m.json, "zone", zone);
	json_put_text(&m.json, "program", program);
	json_put_raw(&m.json, "attestation", attestation);
	return message_end(&m);
}

int
message_cancel(struct buf *out, int64_t id)
{
	struct message_writer m;

	message_begin(&m, out, METHOD_CANCEL, 0);
	json_put_integer(&m.json, "id", id);
	return message_end(&m);
}

int
message_chunk(struct buf *out, int64_t stream, const void *bytes, size_t count)
{
	struct message_writer m;

	message_begin(&m, out, METHOD_CHUNK, 0);
	json_put_integer(&m.json, "stream", stream);
	json_key(&m.json, "data");
	buf_add_byte(out, '"');
	base64_add(out, bytes, count);
	buf_add_byte(out, '"');
	return message_end(&m);
}

int
message_end_stream(
    struct buf *out, int64_t stream, const unsigned char sha256[32])
{
	struct message_writer m;
	char hex[65];

	hex_encode(sha256, 32, hex);
	message_begin(&m, out, METHOD_END, 0);
	json_put_integer(&m.json, "stream", stream);
	json_put_text(&m.json, "sha256", hex);
	return message_end(&m);
}

int
message_credit(struct buf *out, int64_t stream, int64_t bytes)
{
	struct message_writer m;

	message_begin(&m, out, METHOD_CREDIT, 0);
	json_put_integer(&m.json, "stream", stream);
	json_put_integer(&m.json, "bytes", bytes);
	return message_end(&m);
}

/* "<kind>:<number>" as our own formats write it. */
static int
parse_numbered(struct span handle, const char *kind, int64_t *id_out)
{
	size_t at = strlen(kind);
	int64_t id = 0;

	if (!span_starts(handle, kind) || handle.n <= at ||
	    handle.n > at + 16 || handle.p[at] == '0')
		return -ERR_RANGE;
	for (; at < handle.n; at++) {
		if (handle.p[at] < '0' || handle.p[at] > '9')
			return -ERR_RANGE;
		id = id * 10 + (handle.p[at] - '0');
	}
	if (id > ID_MAX)
		return -ERR_RANGE;
	*id_out = id;
	return 0;
}

void
handle_format(int64_t id, char out[32])
{
	snprintf(out, 32, "msg:%" PRId64, id);
}

int
handle_parse(struct span handle, int64_t *id_out)
{
	return parse_numbered(handle, "msg:", id_out);
}

void
ticket_format(int64_t id, char out[32])
{
	snprintf(out, 32, "ticket:%" PRId64, id);
}

int
ticket_parse(struct span handle, int64_t *id_out)
{
	return parse_numbered(handle, "ticket:", id_out);
}

void
intent_format(int64_t id, char out[32])
{
	snprintf(out, 32, "intent:%" PRId64, id);
}

int
intent_parse(struct span handle, int64_t *id_out)
{
	return parse_numbered(handle, "intent:", id_out);
}

void
again_format(int64_t id, char out[32])
{
	snprintf(out, 32, "again:%" PRId64, id);
}

int
again_parse(struct span handle, int64_t *id_out)
{
	return parse_numbered(handle, "again:", id_out);
}
