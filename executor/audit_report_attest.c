/*
 * Attestations compared. Believes nothing of them: a zone's are its own words.
 */
#include "executor/audit_report_attest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_show.h"

#define NAMES_MAX 256 /* roles and zones; later ones are not compared */

struct name {
	char text[2 * NAME_MAX_BYTES];
	char detail[RECORD_DETAIL_MAX + 1]; /* what it attested last */
};

struct attested {
	struct json_doc doc, before;
	bool begun; /* there was a record before the period */
	size_t count;
	struct name names[NAMES_MAX];
};

struct attested *
attested_new(void)
{
	struct attested *attested = alloc_bytes(sizeof *attested);

	json_init(&attested->doc);
	json_init(&attested->before);
	return attested;
}

void
attested_free(struct attested *attested)
{
	json_done(&attested->doc);
	json_done(&attested->before);
	free(attested);
}

bool
attested_is(struct span line)
{
	return record_is(line, RECORD_HELLO) ||
	       record_is(line, RECORD_ATTEST) || record_is(line, RECORD_START);
}

/* The zone that said hello, or the role. */
static struct span
find_name(struct attested *attested, const struct record *record)
{
	const struct json_node *role;

	if (record->kind == RECORD_HELLO)
		return record->zone;
	if (json_parse(&attested->doc, record->detail, NULL, NULL) != 0)
		return (struct span){NULL, 0};
	role = json_get(&attested->doc, json_root(&attested->doc), "role");
	if (role == NULL || role->type != JSON_STRING)
		return (struct span){NULL, 0};
	return role->value.string;
}

static struct name *
find(struct attested *attested, const char *text)
{
	for (size_t i = 0; i < attested->count; i++)
		if (strcmp(attested->names[i].text, text) == 0)
			return &attested->names[i];
	return NULL;
}

static void
tell(struct buf *text, const struct record *record, struct span name,
    const char *what)
{
	buf_add_text(text, record->kind == RECORD_HELLO ? "zone " : "process ");
	show_name(text, name);
	buf_add_text(text, what);
}

static bool
is_object(struct json_doc *doc, struct span text)
{
	return json_parse(doc, text, NULL, NULL) == 0 &&
	       json_root(doc)->type == JSON_OBJECT;
}

static struct span
value_of(const struct json_doc *doc, const struct json_node *node)
{
	if (node == NULL)
		return SPAN("nothing");
	return node->type == JSON_STRING ? node->value.string
					 : json_raw(doc, node);
}

static void
add_change(struct buf *text, struct span key, struct span was, struct span is)
{
	buf_add_byte(text, ' ');
	show_name(text, key);
	buf_add_text(text, " was ");
	show_name(text, was);
	buf_add_text(text, " and is ");
	show_name(text, is);
	buf_add_byte(text, ';');
}

/* Each member of `one` that is another or not there in `other`; with `gone`
 * only the latter. */
static void
add_changes(struct buf *text, const struct json_doc *one,
    const struct json_doc *other, bool gone)
{
	const struct json_node *root = json_root(one), *key, *value;
	char name[RECORD_DETAIL_MAX + 1];

	for (key = json_first(one, root); key != NULL;
	     key = json_next(one, root, key)) {
		struct span is = value_of(one, json_value(key));

		if (span_copy(key->value.string, name, sizeof name) != 0)
			continue;
		value = json_get(other, json_root(other), name);
		if (gone && value == NULL)
			add_change(
			    text, key->value.string, is, value_of(other, NULL));
		if (!gone && (value == NULL || !json_equal(one, json_value(key),
						   other, value)))
			add_change(text, key->value.string,
			    value_of(other, value), is);
	}
}

/* What is another than before, in words where both are objects. */
static void
tell_change(struct attested *attested, struct buf *text,
    const struct record *record, const char *before)
{
	if (!is_object(&attested->doc, record->detail) ||
	    !is_object(&attested->before, span_of(before))) {
		buf_add_byte(text, ' ');
		show_name(text, record->detail);
		return;
	}
	add_changes(text, &attested->doc, &attested->before, false);
	add_changes(text, &attested->before, &attested->doc, true);
	if (text->len != 0 && text->data[text->len - 1] == ';')
		text->len--;
}

static void
keep(struct name *name, struct span detail)
{
	if (span_copy(detail, name->detail, sizeof name->detail) != 0)
		name->detail[0] = '\0'; /* then each one is a change */
}

/* A name that was not known. Whether that is to be told. */
static bool
add(struct attested *attested, const char *key, struct span detail)
{
	struct name *name;

	if (attested->count == NAMES_MAX)
		return false;
	name = &attested->names[attested->count++];
	snprintf(name->text, sizeof name->text, "%s", key);
	keep(name, detail);
	return attested->begun;
}

int
attested_follow(struct attested *attested, const struct record *record,
    bool in_period, struct buf *text)
{
	struct span name = find_name(attested, record);
	char key[2 * NAME_MAX_BYTES], role[NAME_MAX_BYTES + 1];
	struct name *known;

	attested->begun = attested->begun || !in_period;
	key[0] = record->kind == RECORD_HELLO ? 'z' : 'p';
	if (name.n == 0 || span_copy(name, role, sizeof role) != 0)
		return 0;
	snprintf(key + 1, sizeof key - 1, "%s", role);
	name = span_of(role); /* what it was in is parsed anew */
	if (record->error != 0) {
		if (!in_period)
			return 0;
		tell(text, record, name, " was refused: ");
		show_name(text, record->detail);
		return 1;
	}
	known = find(attested, key);
	if (known == NULL) {
		if (!add(attested, key, record->detail) || !in_period)
			return 0;
		tell(text, record, name, " was not there before");
		return 1;
	}
	if (span_is(record->detail, known->detail))
		return 0;
	if (in_period) {
		tell(text, record, name, " is locked in another way:");
		tell_change(attested, text, record, known->detail);
	}
	keep(known, record->detail);
	return in_period ? 1 : 0;
}
