/*
 * Decision inputs to text and back. Writing runs in the broker; reading in the
 * operator's command, on a text that opened with his key, and still believes
 * nothing of its shape: the broker that wrote it may have been taken over.
 */
#include "executor/inputs.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/facts.h"
#include "executor/quota.h"

#define INPUTS_VERSION 1
#define VALUE_MEMBERS 5
#define USED_MEMBERS 5
#define ORIGIN_ALL ((1 << ORIGIN_COUNT) - 1)

static const struct json_limits text_limits = {
    .bytes = 2 * (size_t)FRAME_MAX_BYTES,
    .depth = JSON_MAX_DEPTH + 2,
    .nodes = JSON_MAX_NODES + 32 + (USED_MEMBERS + 1) * POLICY_MAX_LIMITS +
	     (VALUE_MEMBERS + 1) * DECIDE_VALUES_MAX};

void
inputs_put_values(
    struct json_writer *w, const struct decide_value *values, size_t count)
{
	json_open(w, '[');
	for (size_t i = 0; i < count; i++) {
		const struct decide_value *v = &values[i];

		json_open(w, '[');
		json_integer(w, v->node);
		json_integer(w, v->link);
		json_text(w, value_type_name(v->type));
		json_string(w, v->what);
		json_integer(w, v->origins);
		json_close(w, ']');
	}
	json_close(w, ']');
}

/*
 * Counters. A number of JSON ends before one of ours; the largest stands for
 * all that are larger.
 */
static void
put_amount(struct json_writer *w, uint64_t amount)
{
	json_integer(w, amount > INT64_MAX ? INT64_MAX : (int64_t)amount);
}

static uint64_t
amount_of(const struct json_node *node)
{
	return node->value.integer == INT64_MAX ? AMOUNT_UNKNOWN
						: (uint64_t)node->value.integer;
}

void
inputs_note_used(struct inputs *inputs, const struct policy *policy)
{
	const struct decide_used *used = inputs->request.used;

	inputs->used_count = 0;
	inputs->used_leak[0] = inputs->used_leak[1] = 0;
	if (used == NULL)
		return;
	inputs->used_leak[0] = used->leak_session;
	inputs->used_leak[1] = used->leak_destination;
	for (size_t i = 0; i < policy_limit_count(policy); i++) {
		const struct limit *limit = policy_limit(policy, i);

		inputs->used_limits[inputs->used_count++] =
		    (struct inputs_used){.id = span_of(limit->id),
			.of = limit->of,
			.per = limit->per,
			.window_ms = limit->window_ms,
			.amount = used->limits[i]};
	}
}

static const struct inputs_used *
find_used(const struct inputs *inputs, const struct limit *limit)
{
	for (size_t i = 0; i < inputs->used_count; i++) {
		const struct inputs_used *used = &inputs->used_limits[i];

		if (span_is(used->id, limit->id) && used->of == limit->of &&
		    used->per == limit->per &&
		    used->window_ms == limit->window_ms)
			return used;
	}
	return NULL;
}

void
inputs_use(struct inputs *inputs, const struct policy *policy)
{
	for (size_t i = 0; i < policy_limit_count(policy); i++) {
		const struct inputs_used *used =
		    find_used(inputs, policy_limit(policy, i));

		inputs->limits[i] = used == NULL ? 0 : used->amount;
		inputs->missing[i] = used == NULL;
	}
	inputs->used = (struct decide_used){.limits = inputs->limits,
	    .missing = inputs->missing,
	    .leak_session = inputs->used_leak[0],
	    .leak_destination = inputs->used_leak[1]};
	inputs->request.used = &inputs->used;
}

static void
put_used(struct json_writer *w, const struct inputs *inputs)
{
	json_key(w, "limits");
	json_open(w, '[');
	for (size_t i = 0; i < inputs->used_count; i++) {
		const struct inputs_used *used = &inputs->used_limits[i];

		json_open(w, '[');
		json_string(w, used->id);
		json_text(w, limit_of_name(used->of));
		json_text(w, limit_per_name(used->per));
		json_integer(w, used->window_ms);
		put_amount(w, used->amount);
		json_close(w, ']');
	}
	json_close(w, ']');
	json_key(w, "leak");
	json_open(w, '[');
	put_amount(w, inputs->used_leak[0]);
	put_amount(w, inputs->used_leak[1]);
	json_close(w, ']');
}

int
inputs_write(const struct inputs *inputs, struct buf *out)
{
	const struct decide_request *r = &inputs->request;
	char hex[2 * SHA256_BYTES + 1];
	struct json_writer w;

	hex_encode(inputs->policy, SHA256_BYTES, hex);
	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_integer(&w, "v", INPUTS_VERSION);
	json_put_integer(&w, "time_ms", inputs->time_ms);
	json_put_integer(&w, "week_minute", r->week_minute);
	json_put_integer(&w, "session", inputs->session);
	json_put_string(&w, "zone", r->zone);
	json_put_string(&w, "capability", r->capability);
	json_put_integer(&w, "legs", r->legs);
	json_put_integer(&w, "place_legs", r->place_legs);
	json_put_integer(&w, "used_hour", r->used_hour);
	json_put_text(&w, "policy", hex);
	json_put_text(&w, "verdict", verdict_name(inputs->verdict));
	json_put_string(&w, "rule", inputs->rule);
	json_put_integer(&w, "error", inputs->error);
	put_used(&w, inputs);
	json_key(&w, "values");
	inputs_put_values(&w, inputs->values, r->value_count);
	json_put_raw(&w, "arguments", json_raw(r->doc, r->arguments));
	json_close(&w, '}');
	return out->overflow ? -ERR_TOO_LARGE : 0;
}

/*
 * Reading.
 */
struct inputs_text {
	int64_t v, time_ms, week_minute, session, legs, place_legs, used_hour;
	int64_t error;
	struct span zone, capability, policy, verdict, rule;
	const struct json_node *values, *arguments, *limits, *leak;
};

#define MEMBER(key, want, least, most)                                         \
	{                                                                      \
#key, want, true, offsetof(struct inputs_text, key), least,    \
		    most                                                       \
	}
#define NUMBER(key, most) MEMBER(key, JSON_WANT_INTEGER, 0, most)
#define STRING(key, most) MEMBER(key, JSON_WANT_STRING, 0, most)

static const struct json_field text_fields[] = {
    MEMBER(v, JSON_WANT_INTEGER, INPUTS_VERSION, INPUTS_VERSION),
    NUMBER(time_ms, INT64_MAX),
    NUMBER(week_minute, UINT32_MAX),
    NUMBER(session, INT64_MAX),
    NUMBER(legs, LEG_A | LEG_B | LEG_C),
    NUMBER(place_legs, LEG_A | LEG_B | LEG_C),
    NUMBER(used_hour, UINT32_MAX),
    NUMBER(error, UINT32_MAX),
    STRING(zone, NAME_MAX_BYTES),
    STRING(capability, FRAME_MAX_BYTES),
    STRING(policy, 2 * SHA256_BYTES),
    STRING(verdict, NAME_MAX_BYTES),
    STRING(rule, NAME_MAX_BYTES),
    MEMBER(limits, JSON_WANT_ARRAY, 0, POLICY_MAX_LIMITS),
    MEMBER(leak, JSON_WANT_ARRAY, 2, 2),
    MEMBER(values, JSON_WANT_ARRAY, 0, DECIDE_VALUES_MAX),
    MEMBER(arguments, JSON_WANT_OBJECT, 0, 0),
};

static int
read_value(const struct json_doc *doc, const struct json_node *node,
    struct decide_value *out)
{
	const struct json_node *at[VALUE_MEMBERS];
	const struct json_node *next = json_first(doc, node);

	if (node->type != JSON_ARRAY || node->count != VALUE_MEMBERS)
		return -ERR_TYPE;
	for (int i = 0; i < VALUE_MEMBERS; i++) {
		bool is_text = i == 2 || i == 3;

		at[i] = next;
		next = json_next(doc, node, next);
		if (at[i]->type != (is_text ? JSON_STRING : JSON_INTEGER))
			return -ERR_TYPE;
		if (!is_text && (at[i]->value.integer < 0 ||
				    at[i]->value.integer > UINT32_MAX))
			return -ERR_RANGE;
	}
	*out = (struct decide_value){
	    .node = (uint32_t)at[0]->value.integer,
	    .link = (uint32_t)at[1]->value.integer,
	    .type = value_type_find(at[2]->value.string),
	    .what = at[3]->value.string,
	    .origins = (unsigned)at[4]->value.integer,
	};
	return out->type == VALUE_TYPE_COUNT || out->origins == 0 ||
		       out->origins > ORIGIN_ALL
		   ? -ERR_RANGE
		   : 0;
}

int
inputs_read_values(const struct json_doc *doc, const struct json_node *list,
    struct decide_value out[DECIDE_VALUES_MAX], size_t *count_out)
{
	const struct json_node *node;
	int rc = 0;

	*count_out = 0;
	if (list->type != JSON_ARRAY || list->count > DECIDE_VALUES_MAX)
		return -ERR_TYPE;
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node))
		rc = read_value(doc, node, &out[(*count_out)++]);
	return rc;
}

/* Nodes of a list of just as many. */
static int
take_list(const struct json_doc *doc, const struct json_node *list,
    const struct json_node **at, size_t count)
{
	const struct json_node *next = json_first(doc, list);

	if (list->type != JSON_ARRAY || list->count != count)
		return -ERR_TYPE;
	for (size_t i = 0; i < count; i++) {
		at[i] = next;
		next = json_next(doc, list, next);
	}
	return 0;
}

static bool
is_amount(const struct json_node *node)
{
	return node->type == JSON_INTEGER && node->value.integer >= 0;
}

static int
read_limit(const struct json_doc *doc, const struct json_node *node,
    struct inputs_used *out)
{
	const struct json_node *at[USED_MEMBERS];
	int of = 0, per = 0;

	if (take_list(doc, node, at, USED_MEMBERS) != 0 ||
	    at[0]->type != JSON_STRING || !is_amount(at[3]) ||
	    !is_amount(at[4]))
		return -ERR_TYPE;
	while (of < LIMIT_OF_COUNT &&
	       !json_is_string(at[1], limit_of_name((enum limit_of)of)))
		of++;
	while (per < LIMIT_PER_COUNT &&
	       !json_is_string(at[2], limit_per_name((enum limit_per)per)))
		per++;
	if (of == LIMIT_OF_COUNT || per == LIMIT_PER_COUNT)
		return -ERR_RANGE;
	*out = (struct inputs_used){.id = at[0]->value.string,
	    .of = (enum limit_of)of,
	    .per = (enum limit_per)per,
	    .window_ms = at[3]->value.integer,
	    .amount = amount_of(at[4])};
	return 0;
}

static int
read_used(const struct json_doc *doc, const struct json_node *limits,
    const struct json_node *leak, struct inputs *out)
{
	const struct json_node *node, *at[2];
	int rc = 0;

	out->used_count = 0;
	if (limits->count > POLICY_MAX_LIMITS ||
	    take_list(doc, leak, at, 2) != 0 || !is_amount(at[0]) ||
	    !is_amount(at[1]))
		return -ERR_TYPE;
	out->used_leak[0] = amount_of(at[0]);
	out->used_leak[1] = amount_of(at[1]);
	for (node = json_first(doc, limits); node != NULL && rc == 0;
	     node = json_next(doc, limits, node))
		rc =
		    read_limit(doc, node, &out->used_limits[out->used_count++]);
	return rc;
}

int
inputs_parse(struct json_doc *doc, struct span text, struct inputs *out)
{
	struct inputs_text t;
	unsigned verdict = 0;
	int rc = json_parse(doc, text, &text_limits, NULL);

	if (rc == 0)
		rc = json_read(doc, json_root(doc), text_fields,
		    sizeof text_fields / sizeof text_fields[0], &t, NULL);
	if (rc == 0)
		rc = hex_decode(t.policy, out->policy, SHA256_BYTES);
	if (rc != 0)
		return rc;
	while (verdict < VERDICT_COUNT &&
	       !span_is(t.verdict, verdict_name((enum verdict)verdict)))
		verdict++;
	if (verdict == VERDICT_COUNT)
		return -ERR_RANGE;
	out->request = (struct decide_request){.capability = t.capability,
	    .doc = doc,
	    .arguments = t.arguments,
	    .zone = t.zone,
	    .legs = (unsigned)t.legs,
	    .place_legs = (unsigned)t.place_legs,
	    .values = out->values,
	    .used_hour = (uint32_t)t.used_hour,
	    .week_minute = (uint32_t)t.week_minute};
	out->time_ms = t.time_ms;
	out->session = t.session;
	out->verdict = (enum verdict)verdict;
	out->rule = t.rule;
	out->error = (uint32_t)t.error;
	rc = read_used(doc, t.limits, t.leak, out);
	return rc != 0 ? rc
		       : inputs_read_values(doc, t.values, out->values,
			     &out->request.value_count);
}
