/*
 * A session's facts: two sorted tables over one block of strings, and the
 * operator's words. Runs in the broker; the values are the zones' and hostile,
 * their origins are what the broker itself knows.
 */
#include "executor/facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

#define PHRASE_BYTES 1024u /* longest that is looked for in words */

/* What stands in an address or a URL is none of the words around it: whoever
 * says bob@corp.example names neither "bob" nor "@corp". */
enum mark { MARK_NONE, MARK_FIRST, MARK_WITHIN };

struct text {
	uint32_t at; /* offset in the strings */
	uint32_t length;
};

struct value {
	enum value_type type;
	struct text form; /* canonical */
	unsigned origins;
};

struct object {
	struct text id, what, title; /* the title canonical */
	bool mine;
};

struct facts {
	struct value *values; /* by type and form */
	size_t value_count, value_room;
	struct object *objects; /* by id */
	size_t object_count, object_room;
	struct buf strings;
	struct buf words; /* canonical, each task between two newlines */
	struct buf marks; /* enum mark of each byte of the words */
	bool full;
};

static const char *const origin_names[ORIGIN_COUNT] = {"operator", "self",
    "book", "verified", "unverified", "party", "cited", "prose", "mine",
    "model"};

const char *
origin_name(enum origin origin)
{
	unsigned i = 0;

	while (i < ORIGIN_COUNT - 1 && (unsigned)origin != 1u << i)
		i++;
	return origin_names[i];
}

unsigned
origin_find(struct span name)
{
	for (unsigned i = 0; i < ORIGIN_COUNT; i++)
		if (span_is(name, origin_names[i]))
			return 1u << i;
	return 0;
}

struct facts *
facts_new(void)
{
	struct facts *facts = alloc_bytes(sizeof *facts);

	buf_init(&facts->strings, FACTS_BYTES);
	buf_init(&facts->words, FACTS_WORDS_BYTES);
	buf_init(&facts->marks, FACTS_WORDS_BYTES);
	return facts;
}

void
facts_free(struct facts *facts)
{
	if (facts == NULL)
		return;
	free(facts->values);
	free(facts->objects);
	buf_free(&facts->strings);
	buf_free(&facts->words);
	buf_free(&facts->marks);
	free(facts);
}

bool
facts_full(const struct facts *facts)
{
	return facts->full;
}

static struct span
span_at(const struct facts *facts, struct text text)
{
	return (struct span){facts->strings.data + text.at, text.length};
}

static struct span
words_of(const struct facts *facts)
{
	return (struct span){facts->words.data, facts->words.len};
}

static int
compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* A copy among the strings; false, and full, if it does not fit. */
static bool
keep(struct facts *facts, struct span text, struct text *kept_out)
{
	*kept_out =
	    (struct text){(uint32_t)facts->strings.len, (uint32_t)text.n};
	if (buf_add(&facts->strings, text.p, text.n) == 0)
		return true;
	facts->full = true;
	return false;
}

/* Room for one more of `size` bytes at `index`; false, and full, if none. */
static bool
insert(struct facts *facts, void **table, size_t size, size_t index,
    size_t count, size_t *room, size_t most)
{
	char *base;

	if (count >= most) {
		facts->full = true;
		return false;
	}
	if (count == *room) {
		*room = *room == 0 ? 64 : *room * 2;
		*table = alloc_resize(*table, *room, size);
	}
	base = *table;
	memmove(base + (index + 1) * size, base + index * size,
	    (count - index) * size);
	return true;
}

/* Where the value is, or belongs. */
static size_t
value_index(const struct facts *facts, enum value_type type, struct span form,
    bool *there_out)
{
	size_t low = 0, high = facts->value_count;

	*there_out = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct value *v = &facts->values[middle];
		int order = (type > v->type) - (type < v->type);

		if (order == 0)
			order = compare(form, span_at(facts, v->form));
		if (order == 0) {
			*there_out = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void
add_form(struct facts *facts, enum value_type type, struct span form,
    unsigned origins)
{
	void *table = facts->values;
	struct text kept;
	bool there;
	size_t at = value_index(facts, type, form, &there);

	if (there) {
		facts->values[at].origins |= origins;
		return;
	}
	if (!insert(facts, &table, sizeof *facts->values, at,
		facts->value_count, &facts->value_room, FACTS_VALUES))
		return;
	facts->values = table;
	if (!keep(facts, form, &kept)) {
		memmove(&facts->values[at], &facts->values[at + 1],
		    (facts->value_count - at) * sizeof *facts->values);
		return;
	}
	facts->values[at] = (struct value){type, kept, origins};
	facts->value_count++;
}

void
facts_add(struct facts *facts, enum value_type type, struct span value,
    unsigned origins)
{
	char form[VALUE_BYTES];
	size_t n;

	if (type == VALUE_NAME || type == VALUE_TEXT)
		type = value_shape(value);
	n = value_canonical(type, value, form);
	if (n != 0)
		add_form(facts, type, (struct span){form, n}, origins);
}

static void
add_found(struct facts *facts, enum value_type type, struct span text,
    unsigned origins)
{
	struct span found;
	size_t at = 0;

	while (value_next(type, text, &at, &found))
		facts_add(facts, type, found, origins);
}

void
facts_add_prose(struct facts *facts, struct span text, unsigned origins)
{
	add_found(facts, VALUE_ADDRESS, text, origins);
	add_found(facts, VALUE_URL, text, origins);
}

/* People forget the blank behind a full stop: "see www.example.org.Then".
 * Only in the operator's words, where a host that is too short is his. */
static void
add_cut_hosts(struct facts *facts, struct span text)
{
	struct span found;
	size_t at = 0;

	while (value_next(VALUE_URL, text, &at, &found))
		for (size_t i = 1; i + 1 < found.n && found.p[i] != '/'; i++)
			if (found.p[i] == '.' && found.p[i + 1] >= 'A' &&
			    found.p[i + 1] <= 'Z' && found.p[i - 1] >= 'a' &&
			    found.p[i - 1] <= 'z')
				facts_add(facts, VALUE_URL,
				    (struct span){found.p, i}, ORIGIN_OPERATOR);
}

/* What stands in quotes is a whole value, whatever it looks like. */
static void
add_quoted(struct facts *facts, struct span text)
{
	for (size_t at = 0; at < text.n; at++) {
		char quote = text.p[at];
		const char *end;

		if ((quote != '"' && quote != '\'' && quote != '`') ||
		    (at > 0 && memchr(" \t\n(:,#=", text.p[at - 1], 8) == NULL))
			continue;
		end = memchr(text.p + at + 1, quote, text.n - at - 1);
		if (end == NULL || end - text.p - (long)at > (long)PHRASE_BYTES)
			continue;
		facts_add(facts, VALUE_ID,
		    (struct span){
			text.p + at + 1, (size_t)(end - text.p) - at - 1},
		    ORIGIN_OPERATOR);
		at = (size_t)(end - text.p);
	}
}

static void
mark_each(struct span words, char *marks, enum value_type type)
{
	struct span found;
	size_t at = 0;

	while (value_next(type, words, &at, &found)) {
		char *mark = marks + (found.p - words.p);

		if (*mark == MARK_NONE)
			*mark = MARK_FIRST;
		memset(mark + 1, MARK_WITHIN, found.n - 1);
	}
}

int
facts_add_words(struct facts *facts, struct span text)
{
	char *room = buf_reserve(&facts->words, text.n + 1), *marks;
	struct span words;

	if (room == NULL)
		return -ERR_TOO_LARGE;
	words = (struct span){room, value_fold(text, room)};
	facts->words.len += words.n;
	buf_add_byte(&facts->words, '\n'); /* no phrase spans two tasks */
	marks = buf_reserve(&facts->marks, words.n + 1);
	memset(marks, MARK_NONE, words.n + 1);
	facts->marks.len = facts->words.len;
	mark_each(words, marks, VALUE_ADDRESS);
	mark_each(words, marks, VALUE_URL);
	facts_add_prose(facts, text, ORIGIN_OPERATOR);
	add_found(facts, VALUE_NUMBER, text, ORIGIN_OPERATOR);
	add_cut_hosts(facts, text);
	add_quoted(facts, text);
	return 0;
}

/* By id and what; equal ones stay in the order they came. */
static size_t
object_index(const struct facts *facts, struct span id)
{
	size_t low = 0, high = facts->object_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(span_at(facts, facts->objects[middle].id), id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
same_object(const struct facts *facts, const struct object *o, struct span id,
    struct span what)
{
	return span_equal(span_at(facts, o->id), id) &&
	       span_equal(span_at(facts, o->what), what);
}

/* It was shown in a way that there is no room for: what was known before is
 * not all, so that nothing vouches for it any more. */
static void
forget_object(struct facts *facts, size_t at, struct span id, struct span what)
{
	for (; at < facts->object_count &&
	       span_equal(span_at(facts, facts->objects[at].id), id);
	     at++)
		if (same_object(facts, &facts->objects[at], id, what)) {
			facts->objects[at].mine = false;
			facts->objects[at].title = (struct text){0, 0};
		}
}

void
facts_add_object(struct facts *facts, struct span what, struct span id,
    struct span title, bool mine)
{
	size_t at = object_index(facts, id);
	void *table = facts->objects;
	char form[VALUE_BYTES];
	struct object o = {.mine = mine};

	title.n = value_canonical(VALUE_NAME, title, form);
	title.p = form;
	for (size_t i = at;
	     i < facts->object_count &&
	     span_equal(span_at(facts, facts->objects[i].id), id);
	     i++)
		if (same_object(facts, &facts->objects[i], id, what) &&
		    span_equal(
			span_at(facts, facts->objects[i].title), title)) {
			/* whoever has a say in it later is a reason to ask */
			facts->objects[i].mine &= mine;
			return;
		}
	if (!insert(facts, &table, sizeof *facts->objects, at,
		facts->object_count, &facts->object_room, FACTS_OBJECTS)) {
		forget_object(facts, at, id, what);
		return;
	}
	facts->objects = table;
	if (!keep(facts, id, &o.id) || !keep(facts, what, &o.what) ||
	    !keep(facts, title, &o.title)) {
		memmove(&facts->objects[at], &facts->objects[at + 1],
		    (facts->object_count - at) * sizeof *facts->objects);
		forget_object(facts, at, id, what);
		return;
	}
	facts->objects[at] = o;
	facts->object_count++;
}

/* Whether the bytes from `start` to `end` are a whole value of the words, no
 * piece of an address or a URL, and of a path neither if it is an id. */
static bool
is_whole(const struct facts *facts, size_t start, size_t end, bool id)
{
	struct span words = words_of(facts); /* ends with a newline */
	const char *p = words.p;

	if (facts->marks.data[start] == MARK_WITHIN ||
	    facts->marks.data[end] == MARK_WITHIN)
		return false;
	if (id && start > 1 && p[start - 1] == '/' &&
	    value_has_word((struct span){p + start - 2, 1}))
		return false;
	return !id || p[end] != '/' ||
	       !value_has_word((struct span){p + end + 1, 1});
}

/* Whether the operator's words have the phrase, a canonical name. */
static bool
is_named(const struct facts *facts, struct span phrase, bool id)
{
	size_t at = 0, start;

	if (phrase.n > PHRASE_BYTES || !value_has_word(phrase))
		return false;
	while (value_find(phrase, words_of(facts), &at, &start))
		if (is_whole(facts, start, start + phrase.n, id))
			return true;
	return false;
}

static bool
is_digits(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

static unsigned
value_origins(const struct facts *facts, enum value_type type, struct span form)
{
	bool there;
	size_t at = value_index(facts, type, form, &there);

	return there ? facts->values[at].origins : 0;
}

/* What holds for each object of that id and kind; `what` empty: of any kind.
 * Ids of mails, events and files overlap, so one does not vouch for another. */
static unsigned
object_origins(const struct facts *facts, struct span what, struct span id)
{
	unsigned all = ORIGIN_OPERATOR | ORIGIN_MINE;
	bool found = false;

	for (size_t i = object_index(facts, id);
	     i < facts->object_count &&
	     span_equal(span_at(facts, facts->objects[i].id), id);
	     i++) {
		const struct object *o = &facts->objects[i];

		if (what.n != 0 && !span_equal(span_at(facts, o->what), what))
			continue;
		found = true;
		if (!is_named(facts, span_at(facts, o->title), false))
			all &= ~(unsigned)ORIGIN_OPERATOR;
		if (!o->mine)
			all &= ~(unsigned)ORIGIN_MINE;
	}
	return found ? all : 0;
}

static unsigned
id_origins(const struct facts *facts, struct span what, struct span form)
{
	return value_origins(facts, VALUE_ID, form) |
	       object_origins(facts, what, form);
}

unsigned
facts_origins(const struct facts *facts, enum value_type type, struct span what,
    struct span value)
{
	char form[VALUE_BYTES], name[VALUE_BYTES];
	unsigned origins = 0;
	size_t n;

	if (type == VALUE_NAME || type == VALUE_TEXT)
		type = value_shape(value);
	n = value_canonical(type, value, form);
	if (n == 0)
		return ORIGIN_MODEL;
	origins = type == VALUE_ID
		      ? id_origins(facts, what, (struct span){form, n})
		      : value_origins(facts, type, (struct span){form, n});
	if (type == VALUE_ID || type == VALUE_NAME) {
		n = value_canonical(VALUE_NAME, value, name);
		if (!is_digits((struct span){name, n}) &&
		    is_named(facts, (struct span){name, n}, type == VALUE_ID))
			origins |= ORIGIN_OPERATOR;
	}
	return origins == 0 ? (unsigned)ORIGIN_MODEL : origins;
}
