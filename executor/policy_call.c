/*
 * A call out of an operator's file or options. Runs in his commands; what it
 * says of a session is what he wants to know about, and proves nothing.
 */
#include "executor/policy_call.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/facts.h"

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

struct call_text {
	struct span capability, zone, words, time;
	const struct json_node *arguments, *legs, *known, *objects, *origins;
	int64_t used_hour, week_minute;
};

static const struct json_field call_fields[] = {
    MEMBER(capability, JSON_WANT_STRING, true, call_text),
    MEMBER(arguments, JSON_WANT_ANY, true, call_text),
    MEMBER(zone, JSON_WANT_STRING, false, call_text),
    MEMBER(legs, JSON_WANT_ARRAY, false, call_text),
    MEMBER(words, JSON_WANT_STRING, false, call_text),
    MEMBER(known, JSON_WANT_ARRAY, false, call_text),
    MEMBER(objects, JSON_WANT_ARRAY, false, call_text),
    MEMBER(origins, JSON_WANT_OBJECT, false, call_text),
    MEMBER(time, JSON_WANT_STRING, false, call_text),
    {"used_hour", JSON_WANT_INTEGER, false,
	offsetof(struct call_text, used_hour), 0, UINT32_MAX},
    {"week_minute", JSON_WANT_INTEGER, false,
	offsetof(struct call_text, week_minute), 0, WEEK_MINUTES - 1},
};

struct known_text {
	struct span value, type;
	const struct json_node *origins;
};

static const struct json_field known_fields[] = {
    MEMBER(value, JSON_WANT_STRING, true, known_text),
    MEMBER(type, JSON_WANT_STRING, false, known_text),
    MEMBER(origins, JSON_WANT_ARRAY, true, known_text),
};

struct object_text {
	struct span what, id, title;
	bool mine;
};

static const struct json_field object_fields[] = {
    MEMBER(what, JSON_WANT_STRING, true, object_text),
    MEMBER(id, JSON_WANT_STRING, true, object_text),
    MEMBER(title, JSON_WANT_STRING, false, object_text),
    MEMBER(mine, JSON_WANT_BOOL, false, object_text),
};

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

static int
read_known(struct facts *facts, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct known_text text = {0};
	enum value_type type = VALUE_TYPE_COUNT;
	unsigned origins = 0;
	int rc = json_read(doc, node, ROWS(known_fields), &text, where);

	if (rc == 0)
		rc = policy_bits_read(
		    doc, text.origins, POLICY_ORIGINS, &origins, where);
	if (rc != 0)
		return rc;
	if (text.type.p != NULL) {
		type = value_type_find(text.type);
		if (type == VALUE_TYPE_COUNT)
			return json_complain(doc, node, where, ERR_RANGE,
			    "a type is text, name, id, address, url or "
			    "number");
	}
	for (int t = 0; t < VALUE_TYPE_COUNT; t++) {
		char form[VALUE_BYTES];

		if ((type == VALUE_TYPE_COUNT || (int)type == t) &&
		    value_canonical((enum value_type)t, text.value, form) != 0)
			facts_add(
			    facts, (enum value_type)t, text.value, origins);
	}
	return 0;
}

static int
read_object(struct facts *facts, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct object_text text = {.title = SPAN("")};
	int rc = json_read(doc, node, ROWS(object_fields), &text, where);

	if (rc == 0)
		facts_add_object(
		    facts, text.what, text.id, text.title, text.mine);
	return rc;
}

static int
read_each(struct facts *facts, const struct json_doc *doc,
    const struct json_node *list,
    int (*read)(struct facts *facts, const struct json_doc *doc,
	const struct json_node *node, struct json_error *where),
    struct json_error *where)
{
	const struct json_node *at =
	    list == NULL ? NULL : json_first(doc, list);
	int rc = 0;

	for (; at != NULL && rc == 0; at = json_next(doc, list, at))
		rc = read(facts, doc, at, where);
	return rc;
}

static int
read_facts(struct policy_call *call, const struct json_doc *doc,
    const struct json_node *node, const struct call_text *text,
    struct json_error *where)
{
	int rc = 0;

	call->facts = facts_new();
	if (text->words.p != NULL &&
	    facts_add_words(call->facts, text->words) != 0)
		return json_complain(doc, json_get(doc, node, "words"), where,
		    ERR_TOO_LARGE, "at most %u bytes", FACTS_WORDS_BYTES);
	rc = read_each(call->facts, doc, text->known, read_known, where);
	if (rc == 0)
		rc = read_each(
		    call->facts, doc, text->objects, read_object, where);
	if (rc == 0 && facts_full(call->facts))
		rc = json_complain(doc, node, where, ERR_TOO_LARGE,
		    "a session does not keep as much as is known here");
	return rc;
}

static int
read_time(const struct json_doc *doc, const struct json_node *node,
    const struct call_text *text, uint32_t *minute_out,
    struct json_error *where)
{
	*minute_out = (uint32_t)text->week_minute;
	if (text->time.p == NULL)
		return 0;
	*minute_out = week_minute_read(text->time);
	if (*minute_out < WEEK_MINUTES &&
	    json_get(doc, node, "week_minute") == NULL)
		return 0;
	return json_complain(doc, json_get(doc, node, "time"), where, ERR_RANGE,
	    "a time is written \"mon 08:30\", and in the place of "
	    "\"week_minute\"");
}

int
policy_call_read(const struct json_doc *doc, const struct json_node *node,
    struct policy_call *call, struct json_error *where)
{
	struct call_text text = {.zone = SPAN("planner")};
	int rc;

	*call = (struct policy_call){0};
	rc = json_read(doc, node, ROWS(call_fields), &text, where);
	if (rc == 0 && text.legs != NULL)
		rc = policy_bits_read(
		    doc, text.legs, POLICY_LEGS, &call->request.legs, where);
	if (rc == 0 && text.origins != NULL)
		rc = policy_from_read(doc, text.origins, call->supposed, where);
	if (rc == 0)
		rc = read_time(
		    doc, node, &text, &call->request.week_minute, where);
	if (rc == 0)
		rc = read_facts(call, doc, node, &text, where);
	if (rc != 0)
		return rc;
	call->request.capability = text.capability;
	call->request.doc = doc;
	call->request.arguments = text.arguments;
	call->request.zone = text.zone;
	call->request.facts = call->facts;
	call->request.used_hour = (uint32_t)text.used_hour;
	call->request.supposed = call->supposed;
	return 0;
}

void
policy_call_done(struct policy_call *call)
{
	facts_free(call->facts);
	*call = (struct policy_call){0};
}

uint32_t
week_minute_read(struct span text)
{
	uint32_t minute;

	if (text.n != 9 || text.p[3] != ' ' ||
	    !clock_read((struct span){text.p + 4, 5}, &minute) ||
	    minute == DAY_MINUTES)
		return WEEK_MINUTES;
	for (unsigned day = 0; day < 7; day++)
		if (memcmp(text.p, day_name(day), 3) == 0)
			return day * DAY_MINUTES + minute;
	return WEEK_MINUTES;
}

void
week_minute_format(uint32_t minute, char out[16])
{
	unsigned in_day = minute % DAY_MINUTES;

	snprintf(out, 16, "%s %02u:%02u", day_name(minute / DAY_MINUTES % 7),
	    in_day / 60, in_day % 60);
}
