/*
 * Cards. Runs in the broker, on arguments a planner wrote: each of its
 * characters is shown as itself, as a picture or as a replacement, on lines
 * that are ours. Opens and allocates nothing but the text.
 */
#include "executor/ticket_card.h"

#include <string.h>
#include <time.h>

#include "common/err.h"
#include "executor/confusable.h"
#include "executor/facts.h"
#include "executor/inert.h"
#include "executor/inputs.h"
#include "proto/message.h"

static const char *const effect_words[] = {
    [0] = "its arguments influence bytes that leave",
    [1] = "it brings back private data",
    [2] = "it brings back other people's words",
    [3] = "something is different afterwards",
    [4] = "what was there before is gone",
    [5] = "somebody gets at a thing that exists",
    [6] = "people see it whom no argument names",
    [7] = "it moves money, or binds as that does",
};

_Static_assert(
    sizeof effect_words / sizeof effect_words[0] == EFFECT_COUNT, "effects");

/* One line's worth of text that is not ours. */
static void
add_inert(struct buf *out, struct span text, size_t chars)
{
	size_t shown = utf8_prefix(text.p, text.n, chars), replaced = 0;

	inert_add(out, (struct span){text.p, shown}, false, &replaced);
	if (shown < text.n)
		buf_add_format(out, " [cut: %zu of %zu bytes are not shown]",
		    text.n - shown, text.n);
	if (replaced > 0)
		buf_add_format(out,
		    " [%zu characters without a shape are shown as others]",
		    replaced);
}

void
card_line(struct buf *out, const char *label, const char *text)
{
	buf_add_format(out, "%-13s", label);
	add_inert(out, span_of(text), SIZE_MAX);
	buf_add_byte(out, '\n');
}

void
card_time(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	buf_add_format(out, "%s UTC\n", text);
}

static void
add_legs(struct buf *out, unsigned legs)
{
	static const char *const words[] = {"A (has seen untrusted words)",
	    "B (has seen private data)", "C (has caused an effect outside)"};
	bool any = false;

	for (unsigned i = 0; i < 3; i++)
		if ((legs >> i & 1) != 0) {
			buf_add_format(out, "%s%s", any ? ", " : "", words[i]);
			any = true;
		}
	buf_add_text(out, any ? "\n" : "none\n");
}

static void
add_origins(struct buf *out, unsigned origins)
{
	bool any = false;

	for (unsigned i = 0; i < ORIGIN_COUNT; i++)
		if ((origins >> i & 1) != 0) {
			buf_add_format(out, "%s%s", any ? ", " : "",
			    origin_name((enum origin)(1u << i)));
			any = true;
		}
}

/* What an eye can miss. */
static void
add_marks(struct buf *out, const struct label *label)
{
	struct span word;

	if (confusable_find(label->value, &word)) {
		buf_add_text(out, "    ! letters that look like others: ");
		add_inert(out, word, 80);
		buf_add_byte(out, '\n');
	}
	if (strcmp(label->role, "destination") == 0 &&
	    !text_is_ascii(label->value))
		buf_add_text(out,
		    "    ! a destination with letters that are no ASCII\n");
}

static void
add_value(struct buf *out, const struct label *label)
{
	buf_add_text(out, "  ");
	add_inert(out, label->argument, NAME_MAX_BYTES);
	buf_add_format(out, " (%s, from ", label->role);
	add_origins(out, label->origins);
	buf_add_text(out, "): ");
	add_inert(out, label->value, CARD_VALUE_CHARS);
	buf_add_byte(out, '\n');
	add_marks(out, label);
}

static void
add_values(struct buf *out, const struct capability *c,
    const struct decide_request *request)
{
	struct label labels[LABELS_MAX];
	size_t count = decide_labels(c, request, labels);

	buf_add_text(out, "values       as they were understood:\n");
	for (size_t i = 0; i < count && i < CARD_VALUES; i++)
		add_value(out, &labels[i]);
	if (count > CARD_VALUES)
		buf_add_format(out,
		    "  [cut: %zu of %zu values are only below]\n",
		    count - CARD_VALUES, count);
}

static void
add_effects(struct buf *out, unsigned effects)
{
	const char *lead = "effects";

	for (unsigned i = 0; i < EFFECT_COUNT; i++)
		if ((effects >> i & 1) != 0) {
			card_line(out, lead, effect_words[i]);
			lead = "";
		}
	if (lead[0] != '\0')
		card_line(out, lead, "it only brings something back");
}

/* The bytes that are executed; as they are, but for what has no shape. */
static void
add_bytes(struct buf *out, const struct ticket *t)
{
	size_t shown = t->arguments.len, replaced = 0;
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256_of(t->arguments.data, t->arguments.len, hash);
	hex_encode(hash, sizeof hash, hex);
	if (shown > CARD_ARGUMENT_BYTES)
		shown = CARD_ARGUMENT_BYTES;
	while (shown > 0 && !utf8_check(t->arguments.data, shown))
		shown--;
	buf_add_format(
	    out, "bytes        %zu, SHA-256 %s:\n  ", t->arguments.len, hex);
	inert_add(
	    out, (struct span){t->arguments.data, shown}, false, &replaced);
	buf_add_byte(out, '\n');
	if (shown < t->arguments.len)
		buf_add_format(out, "  [cut: %zu of %zu bytes are not shown]\n",
		    t->arguments.len - shown, t->arguments.len);
	if (replaced > 0)
		buf_add_format(out,
		    "  [%zu characters without a shape are shown as others]\n",
		    replaced);
}

static void
add_head(struct buf *out, const struct ticket *t, const struct capability *c,
    unsigned legs)
{
	char handle[32];

	ticket_format(t->id, handle);
	card_line(out, "ticket", handle);
	card_line(out, "asks for", t->capability);
	card_line(
	    out, "which is", c == NULL ? "no capability any more" : c->why);
	buf_add_format(out,
	    "session      %lld of zone %s; legs: ", (long long)t->session,
	    t->zone);
	add_legs(out, legs);
	if (t->message != 0) {
		handle_format(t->message, handle);
		card_line(out, "works on", handle);
	}
	card_line(out, "rule", t->rule);
	card_line(out, "why it asks", t->why);
	buf_add_text(out, "expires      ");
	card_time(out, t->expires_ms);
	if (t->state == TICKET_UNFINISHED)
		card_line(out, "attention", t->note);
}

static int
read_call(struct stored_call *call, const struct ticket *t)
{
	struct span text = {t->arguments.data, t->arguments.len};
	struct span origins = {t->origins.data, t->origins.len};

	if (json_parse(&call->doc, text, NULL, NULL) != 0 ||
	    json_root(&call->doc)->type != JSON_OBJECT ||
	    json_parse(&call->origins, origins, NULL, NULL) != 0 ||
	    inputs_read_values(&call->origins, json_root(&call->origins),
		call->values, &call->request.value_count) != 0)
		return -ERR_CORRUPT;
	return 0;
}

int
stored_call_open(
    struct stored_call *call, const struct ticket *t, unsigned legs)
{
	int rc;

	call->request = (struct decide_request){
	    .capability = span_of(t->capability),
	    .zone = span_of(t->zone),
	    .legs = legs,
	    .values = call->values,
	};
	json_init(&call->doc);
	json_init(&call->origins);
	rc = read_call(call, t);
	call->request.doc = &call->doc;
	if (rc == 0)
		call->request.arguments = json_root(&call->doc);
	return rc;
}

void
stored_call_close(struct stored_call *call)
{
	json_done(&call->doc);
	json_done(&call->origins);
}

int
card_write(struct buf *out, const struct ticket *t, const struct policy *policy,
    unsigned legs)
{
	const struct capability *c =
	    policy_find(policy, span_of(t->capability));
	struct stored_call call;
	int rc = stored_call_open(&call, t, legs);

	if (rc == 0) {
		add_head(out, t, c, legs);
		if (c != NULL) {
			add_effects(
			    out, call_effects(&call.request, c->effects));
			add_values(out, c, &call.request);
		}
		add_bytes(out, t);
	}
	stored_call_close(&call);
	return rc != 0 ? rc : out->overflow ? -ERR_TOO_LARGE : 0;
}

void
card_code(struct span card, char out[CARD_CODE_BYTES])
{
	unsigned char hash[SHA256_BYTES];

	sha256_of(card.p, card.n, hash);
	hex_encode(hash, (CARD_CODE_BYTES - 1) / 2, out);
}

/* The destinations, as they stand in the call. */
static void
put_destinations(
    struct json_writer *w, const struct ticket *t, const struct policy *policy)
{
	const struct capability *c =
	    policy_find(policy, span_of(t->capability));
	struct label labels[LABELS_MAX];
	struct stored_call call;
	size_t count = 0;

	json_open(w, '[');
	if (stored_call_open(&call, t, t->legs) == 0 && c != NULL)
		count = decide_labels(c, &call.request, labels);
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i].role, "destination") == 0)
			json_string(w, labels[i].value);
	json_close(w, ']');
	stored_call_close(&call);
}

void
card_capability(const struct policy *policy, struct span name,
    unsigned char hash_out[SHA256_BYTES])
{
	const struct capability *c = policy_find(policy, name);
	struct span source = span_of(c == NULL ? "" : c->source);

	sha256_of(source.p, source.n, hash_out);
}

static void
put_capability(
    struct json_writer *w, const struct ticket *t, const struct policy *policy)
{
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	card_capability(policy, span_of(t->capability), hash);
	hex_encode(hash, sizeof hash, hex);
	json_text(w, t->capability);
	json_text(w, hex);
}

static void
put_grant(
    struct json_writer *w, const struct ticket *t, const struct policy *policy)
{
	json_open(w, '[');
	json_text(w, "trizone grant 2");
	json_integer(w, t->id);
	json_integer(w, t->opened_ms);
	json_integer(w, t->approvals);
	json_integer(w, t->session);
	json_text(w, t->zone);
	put_capability(w, t, policy);
	put_destinations(w, t, policy);
	json_integer(w, t->legs);
	json_raw_value(w, (struct span){t->origins.data, t->origins.len});
	json_text(w, t->rule);
	json_raw_value(w, (struct span){t->arguments.data, t->arguments.len});
	json_close(w, ']');
}

void
grant_hash(const struct ticket *t, const struct policy *policy,
    unsigned char hash_out[SHA256_BYTES], uint64_t *number_out)
{
	uint64_t number = 0;
	struct json_writer w;
	struct buf text;

	buf_init(&text, 4u * FRAME_MAX_BYTES);
	json_write_init(&w, &text);
	put_grant(&w, t, policy);
	if (text.overflow)
		bug("a grant of too many bytes");
	sha256_of(text.data, text.len, hash_out);
	buf_free(&text);
	for (int i = 0; i < 7; i++)
		number = number << 8 | hash_out[i];
	number >>= 3; /* 53 bits */
	*number_out = number == 0 ? 1 : number;
}
