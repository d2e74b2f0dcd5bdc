/*
 * Extracts. Reading runs wherever a policy is read; writing in the broker on a
 * checked clean object, of which it believes nothing.
 */
#include "executor/extract.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/name.h"

#define AFTER_BYTES 100
#define NUMBER_MOST INT64_C(1000000000000)
#define DAY_BYTES 10 /* 2026-01-31 */
#define DAY_BITS 22  /* of all days of years with four digits */
#define TEXT_BYTES (512u * 1024)

enum type { DATE, CHOICE, NUMBER, LIST_COUNT, VERIFIED, TYPES };

static const char *const type_names[TYPES] = {
    "date", "choice", "number", "count", "verified"};

struct field {
	char *name;
	enum type type;
	char *in;     /* JSON pointer */
	char **words; /* canonical: of a choice; [0]: what a number is behind */
	char **shown; /* as they were written */
	size_t count;
	int64_t least, most;
};

struct extract {
	char *name, *why;
	struct field fields[EXTRACT_FIELDS_MAX];
	size_t count;
	unsigned bits;
};

struct field_text {
	const struct json_node *name, *type, *values;
	struct span in, after;
	int64_t least, most;
};

static const struct json_field field_fields[] = {
    {"name", JSON_WANT_ANY, true, offsetof(struct field_text, name), 0, 0},
    {"type", JSON_WANT_ANY, true, offsetof(struct field_text, type), 0, 0},
    {"in", JSON_WANT_STRING, false, offsetof(struct field_text, in), 2, 100},
    {"values", JSON_WANT_ARRAY, false, offsetof(struct field_text, values), 1,
	EXTRACT_VALUES_MAX},
    {"after", JSON_WANT_STRING, false, offsetof(struct field_text, after), 1,
	AFTER_BYTES},
    {"least", JSON_WANT_INTEGER, false, offsetof(struct field_text, least), 0,
	NUMBER_MOST},
    {"most", JSON_WANT_INTEGER, false, offsetof(struct field_text, most), 0,
	NUMBER_MOST},
};

/* Bits that tell `count` things apart. */
static unsigned
bits_of(uint64_t count)
{
	unsigned bits = 0;

	while (bits < 63 && (UINT64_C(1) << bits) < count)
		bits++;
	return bits;
}

static unsigned
field_bits(const struct field *f)
{
	switch (f->type) {
	case DATE:
		return DAY_BITS;
	case CHOICE:
		return bits_of(f->count + 1);
	case NUMBER:
		return bits_of((uint64_t)(f->most - f->least) + 2);
	case LIST_COUNT:
		return bits_of((uint64_t)f->most + 1);
	default:
		return 1;
	}
}

/* What each type needs of the other keys, and no more. */
static int
check_keys(const struct json_doc *doc, const struct json_node *node,
    const struct field_text *t, enum type type, struct json_error *where)
{
	bool in = t->in.n != 0, after = t->after.n != 0;
	bool least = json_get(doc, node, "least") != NULL;
	bool most = json_get(doc, node, "most") != NULL;
	static const struct {
		bool in, values, after, least, most;
	} wants[TYPES] = {
	    [CHOICE] = {.in = true, .values = true},
	    [NUMBER] = {.in = true, .after = true, .least = true, .most = true},
	    [LIST_COUNT] = {.in = true, .most = true},
	};

	if (in == wants[type].in && (t->values != NULL) == wants[type].values &&
	    after == wants[type].after && least == wants[type].least &&
	    most == wants[type].most && (type != NUMBER || t->least <= t->most))
		return 0;
	return json_complain(doc, node, where, ERR_RANGE,
	    "date and verified have no other key; choice has \"in\" and "
	    "\"values\", number \"in\", \"after\", \"least\" and \"most\", "
	    "count \"in\" and \"most\"");
}

static char *
canonical(struct span text)
{
	char form[VALUE_BYTES];
	size_t n = value_canonical(VALUE_NAME, text, form);

	return n == 0 ? NULL : alloc_text(form, n);
}

static int
add_word(struct field *f, const struct json_doc *doc,
    const struct json_node *node, struct span text, struct json_error *where)
{
	char *word = text.n > AFTER_BYTES ? NULL : canonical(text);

	if (word == NULL)
		return json_complain(doc, node, where, ERR_RANGE,
		    "words have 1 to %d bytes", AFTER_BYTES);
	f->words[f->count] = word;
	f->shown[f->count] = alloc_text(text.p, text.n);
	f->count++;
	return 0;
}

static int
read_words(const struct json_doc *doc, const struct json_node *node,
    const struct field_text *t, struct field *f, struct json_error *where)
{
	const struct json_node *at;
	size_t room = t->values == NULL ? 1 : t->values->count;
	int rc = 0;

	f->words = alloc_array(room, sizeof *f->words);
	f->shown = alloc_array(room, sizeof *f->shown);
	if (f->type == NUMBER)
		return add_word(f, doc, node, t->after, where);
	for (at = t->values == NULL ? NULL : json_first(doc, t->values);
	     at != NULL && rc == 0; at = json_next(doc, t->values, at))
		rc = add_word(f, doc, at, json_span(at), where);
	return rc;
}

static int
read_field(const struct json_doc *doc, const struct json_node *node,
    struct field *f, struct json_error *where)
{
	struct field_text t = {0};
	int type = 0;
	int rc = json_read(doc, node, field_fields,
	    sizeof field_fields / sizeof field_fields[0], &t, where);

	if (rc == 0)
		rc = name_require(doc, t.name, "the name of a field", where);
	if (rc != 0)
		return rc;
	while (type < TYPES && !json_is_string(t.type, type_names[type]))
		type++;
	if (type == TYPES)
		return json_complain(doc, t.type, where, ERR_RANGE,
		    "a type is date, choice, number, count or verified");
	rc = check_keys(doc, node, &t, (enum type)type, where);
	if (rc != 0)
		return rc;
	f->type = (enum type)type;
	f->name = alloc_text(t.name->value.string.p, t.name->value.string.n);
	f->in = alloc_text(t.in.p == NULL ? "" : t.in.p, t.in.n);
	f->least = t.least;
	f->most = t.most;
	return read_words(doc, node, &t, f, where);
}

struct extract_text {
	const struct json_node *name, *why, *fields;
};

static const struct json_field extract_fields[] = {
    {"name", JSON_WANT_ANY, true, offsetof(struct extract_text, name), 0, 0},
    {"why", JSON_WANT_ANY, true, offsetof(struct extract_text, why), 0, 0},
    {"fields", JSON_WANT_ARRAY, true, offsetof(struct extract_text, fields), 1,
	EXTRACT_FIELDS_MAX},
};

static int
read_fields(const struct json_doc *doc, const struct json_node *list,
    struct extract *e, struct json_error *where)
{
	const struct json_node *at;
	int rc = 0;

	for (at = json_first(doc, list); at != NULL && rc == 0;
	     at = json_next(doc, list, at)) {
		struct field *f = &e->fields[e->count++];

		rc = read_field(doc, at, f, where);
		for (size_t i = 0; i + 1 < e->count && rc == 0; i++)
			if (strcmp(e->fields[i].name, f->name) == 0)
				rc = json_complain(doc, at, where, ERR_RANGE,
				    "field \"%s\" twice", f->name);
		if (rc == 0)
			e->bits += field_bits(f);
	}
	if (rc == 0 && e->bits > EXTRACT_BITS_MAX)
		rc = json_complain(doc, list, where, ERR_RANGE,
		    "a stranger can say %u bits in these fields; %d are the "
		    "most",
		    e->bits, EXTRACT_BITS_MAX);
	return rc;
}

int
extract_read(const struct json_doc *doc, const struct json_node *node,
    struct extract **extract_out, struct json_error *where)
{
	struct extract_text t = {0};
	struct extract *e;
	int rc = json_read(doc, node, extract_fields,
	    sizeof extract_fields / sizeof extract_fields[0], &t, where);

	if (rc == 0)
		rc = name_require(doc, t.name, "the name of an extract", where);
	if (rc == 0)
		rc = line_require(doc, t.why, "\"why\"", where);
	if (rc != 0)
		return rc;
	e = alloc_bytes(sizeof *e);
	e->name = alloc_text(t.name->value.string.p, t.name->value.string.n);
	e->why = alloc_text(t.why->value.string.p, t.why->value.string.n);
	rc = read_fields(doc, t.fields, e, where);
	if (rc == 0)
		*extract_out = e;
	else
		extract_free(e);
	return rc;
}

void
extract_free(struct extract *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->count; i++) {
		struct field *f = &e->fields[i];

		for (size_t k = 0; k < f->count; k++) {
			free(f->words[k]);
			free(f->shown[k]);
		}
		free(f->words);
		free(f->shown);
		free(f->name);
		free(f->in);
	}
	free(e->name);
	free(e->why);
	free(e);
}

const char *
extract_name(const struct extract *extract)
{
	return extract->name;
}

const char *
extract_why(const struct extract *extract)
{
	return extract->why;
}

unsigned
extract_bits(const struct extract *extract)
{
	return extract->bits;
}

/* The text at the field's place, in its canonical form, into `out`. */
static struct span
text_at(const struct field *f, const struct json_doc *doc,
    const struct json_node *item, struct buf *out)
{
	const struct json_node *node = json_pointer(doc, item, span_of(f->in));
	char *room;

	buf_clear(out);
	if (node == NULL || node->type != JSON_STRING ||
	    node->value.string.n == 0)
		return (struct span){0};
	room = buf_reserve(out, node->value.string.n);
	if (room == NULL)
		return (struct span){0};
	out->len = value_fold(node->value.string, room);
	return (struct span){out->data, out->len};
}

/* A stranger's, whatever argument it is written into. */
static void
add_fact(struct facts *facts, struct span value)
{
	facts_add(facts, VALUE_NUMBER, value, ORIGIN_PROSE);
	facts_add(facts, VALUE_ID, value, ORIGIN_PROSE);
	facts_add(facts, VALUE_TEXT, value, ORIGIN_PROSE);
}

static void
add_number(struct facts *facts, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, number);
	add_fact(facts, span_of(digits));
}

static void
write_choice(const struct field *f, struct span text, struct json_writer *w,
    struct facts *facts)
{
	for (size_t i = 0; i < f->count; i++)
		if (value_stands_in(span_of(f->words[i]), text)) {
			json_text(w, f->shown[i]);
			add_fact(facts, span_of(f->shown[i]));
			return;
		}
	json_null(w);
}

/* Digits without sign, point or letters beside, at most 13 of them. */
static bool
number_behind(const struct field *f, struct span text, int64_t *number_out)
{
	struct span words = span_of(f->words[0]), found;
	size_t at = 0;
	const char *p =
	    text.n < words.n ? NULL : memmem(text.p, text.n, words.p, words.n);

	if (p == NULL)
		return false;
	text.n -= (size_t)(p - text.p) + words.n;
	text.p = p + words.n;
	if (!value_next(VALUE_NUMBER, text, &at, &found) || found.n > 13)
		return false;
	for (const char *digit = text.p; digit < found.p; digit++)
		if (*digit >= '0' && *digit <= '9')
			return false; /* another one, in no plain form */
	*number_out = 0;
	for (size_t i = 0; i < found.n; i++) {
		if (found.p[i] == '.')
			return false;
		*number_out = *number_out * 10 + (found.p[i] - '0');
	}
	return *number_out >= f->least && *number_out <= f->most;
}

static void
write_number(const struct field *f, struct span text, struct json_writer *w,
    struct facts *facts)
{
	int64_t number;

	if (!number_behind(f, text, &number)) {
		json_null(w);
		return;
	}
	json_integer(w, number);
	add_number(facts, number);
}

static void
write_date(const struct json_doc *doc, const struct json_node *item,
    struct json_writer *w, struct facts *facts)
{
	const struct json_node *date = json_get(doc, item, "date");
	struct span day;

	if (date == NULL || date->type != JSON_STRING ||
	    date->value.string.n < DAY_BYTES) {
		json_null(w);
		return;
	}
	day = (struct span){date->value.string.p, DAY_BYTES};
	json_string(w, day);
	add_fact(facts, day);
}

static void
write_count(const struct field *f, const struct json_doc *doc,
    const struct json_node *item, struct json_writer *w, struct facts *facts)
{
	const struct json_node *list = json_pointer(doc, item, span_of(f->in));
	int64_t count;

	if (list == NULL || list->type != JSON_ARRAY) {
		json_null(w);
		return;
	}
	count = (int64_t)list->count < f->most ? (int64_t)list->count : f->most;
	json_integer(w, count);
	add_number(facts, count);
}

void
extract_write(const struct extract *extract, const struct json_doc *doc,
    const struct json_node *item, bool verified, struct json_writer *w,
    struct facts *facts)
{
	struct buf text;

	buf_init(&text, TEXT_BYTES);
	for (size_t i = 0; i < extract->count; i++) {
		const struct field *f = &extract->fields[i];

		json_key(w, f->name);
		switch (f->type) {
		case DATE:
			write_date(doc, item, w, facts);
			break;
		case CHOICE:
			write_choice(f, text_at(f, doc, item, &text), w, facts);
			break;
		case NUMBER:
			write_number(f, text_at(f, doc, item, &text), w, facts);
			break;
		case LIST_COUNT:
			write_count(f, doc, item, w, facts);
			break;
		default:
			json_boolean(w, verified);
			break;
		}
	}
	buf_free(&text);
}
