/*
 * Strict JSON parser. Runs in every process on bytes from anybody; believes
 * nothing. One pass, one array of nodes, memory bounded by the limits.
 */
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"

#define FIRST_NODES 64
#define DEPTH_CEILING 128 /* parse_value recurses; keeps the stack small */

struct parser {
	struct json_doc *doc;
	const char *p; /* next byte */
	const char *start, *end;
	unsigned depth, depth_max;
	uint32_t nodes_max;
	int error; /* negative, once something was wrong */
};

void
json_init(struct json_doc *doc)
{
	*doc = (struct json_doc){0};
	buf_init(&doc->strings, UINT32_MAX);
}

void
json_done(struct json_doc *doc)
{
	free(doc->nodes);
	buf_free(&doc->strings);
	json_init(doc);
}

/* A NUL byte where something else belongs is always reported as such. */
static bool
fail(struct parser *s, int error)
{
	if (error == ERR_SYNTAX && s->p < s->end && *s->p == '\0')
		error = ERR_NUL;
	if (s->error == 0)
		s->error = -error;
	return false;
}

/* Index of a new node that starts at s->p, or UINT32_MAX. */
static uint32_t
node_new(struct parser *s, enum json_type type)
{
	struct json_doc *doc = s->doc;

	if (doc->count == s->nodes_max) {
		fail(s, ERR_NODES);
		return UINT32_MAX;
	}
	if (doc->count == doc->cap) {
		doc->cap = doc->cap == 0 ? FIRST_NODES : doc->cap * 2;
		doc->nodes =
		    alloc_resize(doc->nodes, doc->cap, sizeof *doc->nodes);
	}
	doc->nodes[doc->count] = (struct json_node){
	    .type = type, .start = (uint32_t)(s->p - s->start)};
	return doc->count++;
}

static void
node_close(struct parser *s, uint32_t index)
{
	s->doc->nodes[index].end = (uint32_t)(s->p - s->start);
	s->doc->nodes[index].next = s->doc->count;
}

static void
skip_blank(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' ||
				    *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hexadecimal digits behind \u. */
static bool
parse_unit(struct parser *s, uint32_t *unit_out)
{
	uint32_t unit = 0;

	if (s->end - s->p < 4)
		return fail(s, ERR_SYNTAX);
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(s->p[i]);

		if (digit < 0)
			return fail(s, ERR_SYNTAX);
		unit = unit << 4 | (uint32_t)digit;
	}
	s->p += 4;
	*unit_out = unit;
	return true;
}

/* \uXXXX, with its second half where it is a high surrogate. */
static bool
parse_unicode(struct parser *s, uint32_t *code_out)
{
	uint32_t high, low;

	if (!parse_unit(s, &high))
		return false;
	if (high == 0)
		return fail(s, ERR_NUL);
	if (high >= 0xdc00 && high <= 0xdfff)
		return fail(s, ERR_UTF8);
	if (high < 0xd800 || high > 0xdbff) {
		*code_out = high;
		return true;
	}
	if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return fail(s, ERR_UTF8);
	s->p += 2;
	if (!parse_unit(s, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, ERR_UTF8);
	*code_out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* One escape, s->p behind the backslash; appends to doc->strings, which
 * json_parse made large enough. */
static bool
parse_escape(struct parser *s)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	struct buf *out = &s->doc->strings;
	const char *found;
	uint32_t code;

	if (s->p == s->end)
		return fail(s, ERR_SYNTAX);
	if (*s->p == 'u') {
		s->p++;
		if (!parse_unicode(s, &code))
			return false;
		out->len += utf8_encode(code, out->data + out->len);
		return true;
	}
	found = *s->p == '\0' ? NULL : strchr(from, *s->p);
	if (found == NULL)
		return fail(s, ERR_SYNTAX);
	out->data[out->len++] = to[found - from];
	s->p++;
	return true;
}

/* Whether one of eight bytes is not plain: a control, a quote, a backslash, or
 * beyond ASCII. x - ONES * n sets the top bit of each byte below n, and of
 * none before the first such byte. */
static bool
has_special(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';

	return ((x | (x - ones * 0x20) | (quote - ones) | (backslash - ones)) &
		   ones << 7) != 0;
}

/* Skip the bytes of a string that need no work; stops at a quote, a
 * backslash, or something wrong (which it reports). */
static bool
skip_plain(struct parser *s)
{
	uint64_t eight;

	while (s->end - s->p >= (ptrdiff_t)sizeof eight) {
		memcpy(&eight, s->p, sizeof eight);
		if (has_special(eight))
			break;
		s->p += sizeof eight;
	}
	while (s->p < s->end) {
		unsigned char c = (unsigned char)*s->p;
		size_t length;

		if (c == '"' || c == '\\')
			return true;
		if (c < 0x20)
			return fail(s, ERR_SYNTAX);
		if (c < 0x80) {
			s->p++;
			continue;
		}
		length = utf8_length(s->p, (size_t)(s->end - s->p));
		if (length == 0)
			return fail(s, ERR_UTF8);
		s->p += length;
	}
	return fail(s, ERR_SYNTAX);
}

static bool
parse_string(struct parser *s)
{
	uint32_t index = node_new(s, JSON_STRING);
	struct buf *out = &s->doc->strings;
	const char *plain = ++s->p;
	size_t begin = out->len;
	struct span text;

	if (index == UINT32_MAX || !skip_plain(s))
		return false;
	if (*s->p == '"') {
		text = (struct span){plain, (size_t)(s->p - plain)};
	} else {
		for (;;) {
			memcpy(out->data + out->len, plain,
			    (size_t)(s->p - plain));
			out->len += (size_t)(s->p - plain);
			if (*s->p == '"')
				break;
			s->p++;
			if (!parse_escape(s))
				return false;
			plain = s->p;
			if (!skip_plain(s))
				return false;
		}
		text = (struct span){out->data + begin, out->len - begin};
	}
	s->p++;
	s->doc->nodes[index].value.string = text;
	node_close(s, index);
	return true;
}

static bool
skip_digits(struct parser *s)
{
	const char *begin = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > begin;
}

/* Check the grammar of RFC 8259 section 6. */
static bool
skip_number(struct parser *s, bool *real_out)
{
	*real_out = false;
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!skip_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		*real_out = true;
		s->p++;
		if (!skip_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		*real_out = true;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!skip_digits(s))
			return false;
	}
	return true;
}

static bool
parse_number(struct parser *s)
{
	uint32_t index = node_new(s, JSON_INTEGER);
	char copy[JSON_NUMBER_BYTES + 1];
	const char *begin = s->p;
	struct json_node *node;
	size_t length;
	bool real;

	if (index == UINT32_MAX)
		return false;
	if (!skip_number(s, &real))
		return fail(s, ERR_SYNTAX);
	length = (size_t)(s->p - begin);
	if (length > JSON_NUMBER_BYTES)
		return fail(s, ERR_NUMBER);
	memcpy(copy, begin, length);
	copy[length] = '\0';
	node = &s->doc->nodes[index];
	errno = 0;
	if (real) {
		node->type = JSON_REAL;
		node->value.real = strtod(copy, NULL);
		if (!isfinite(node->value.real))
			return fail(s, ERR_NUMBER);
	} else {
		node->value.integer = strtoll(copy, NULL, 10);
		if (errno == ERANGE)
			return fail(s, ERR_NUMBER);
	}
	node_close(s, index);
	return true;
}

static bool
parse_word(struct parser *s, const char *word, enum json_type type)
{
	size_t length = strlen(word);
	uint32_t index = node_new(s, type);

	if (index == UINT32_MAX)
		return false;
	if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0)
		return fail(s, ERR_SYNTAX);
	if (type == JSON_BOOL)
		s->doc->nodes[index].value.boolean = word[0] == 't';
	s->p += length;
	node_close(s, index);
	return true;
}

/* Whether the key at `index` stands in the object `parent` before. */
static bool
key_seen(const struct json_doc *doc, uint32_t parent, uint32_t index)
{
	struct span key = doc->nodes[index].value.string;
	uint32_t i = parent + 1;

	while (i < index) {
		if (span_equal(doc->nodes[i].value.string, key))
			return true;
		i = doc->nodes[i + 1].next;
	}
	return false;
}

static bool parse_value(struct parser *s);

static bool
parse_member(struct parser *s, uint32_t parent)
{
	uint32_t key = s->doc->count;

	if (s->p == s->end || *s->p != '"')
		return fail(s, ERR_SYNTAX);
	if (!parse_string(s))
		return false;
	if (key_seen(s->doc, parent, key)) {
		s->p = s->start + s->doc->nodes[key].start;
		return fail(s, ERR_DUPLICATE_KEY);
	}
	if (s->doc->nodes[parent].count == JSON_MAX_MEMBERS)
		return fail(s, ERR_NODES);
	skip_blank(s);
	if (s->p == s->end || *s->p != ':')
		return fail(s, ERR_SYNTAX);
	s->p++;
	skip_blank(s);
	return parse_value(s);
}

/* An array or object, s->p at its opening bracket. */
static bool
parse_list(struct parser *s, enum json_type type, char closing)
{
	uint32_t index = node_new(s, type);
	bool good;

	if (index == UINT32_MAX)
		return false;
	if (s->depth == s->depth_max)
		return fail(s, ERR_DEPTH);
	s->depth++;
	s->p++;
	skip_blank(s);
	if (s->p < s->end && *s->p == closing)
		goto closed;
	for (;;) {
		good = type == JSON_OBJECT ? parse_member(s, index)
					   : parse_value(s);
		if (!good)
			return false;
		s->doc->nodes[index].count++;
		skip_blank(s);
		if (s->p == s->end || (*s->p != ',' && *s->p != closing))
			return fail(s, ERR_SYNTAX);
		if (*s->p == closing)
			break;
		s->p++;
		skip_blank(s);
	}
closed:
	s->p++;
	s->depth--;
	node_close(s, index);
	return true;
}

static bool
parse_value(struct parser *s)
{
	if (s->p == s->end)
		return fail(s, ERR_SYNTAX);
	switch (*s->p) {
	case '{':
		return parse_list(s, JSON_OBJECT, '}');
	case '[':
		return parse_list(s, JSON_ARRAY, ']');
	case '"':
		return parse_string(s);
	case 't':
		return parse_word(s, "true", JSON_BOOL);
	case 'f':
		return parse_word(s, "false", JSON_BOOL);
	case 'n':
		return parse_word(s, "null", JSON_NULL);
	default:
		if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
			return parse_number(s);
		return fail(s, ERR_SYNTAX);
	}
}

static void
find_place(struct span text, size_t offset, struct json_error *where)
{
	where->offset = offset;
	where->line = 1;
	where->column = 1;
	for (size_t i = 0; i < offset && i < text.n; i++) {
		if (text.p[i] == '\n') {
			where->line++;
			where->column = 1;
		} else {
			where->column++;
		}
	}
}

static int
parse_text(struct parser *s)
{
	skip_blank(s);
	if (!parse_value(s))
		return s->error;
	skip_blank(s);
	if (s->p != s->end)
		fail(s, *s->p == '\0' ? ERR_NUL : ERR_TRAILING);
	return s->error;
}

int
json_parse(struct json_doc *doc, struct span text,
    const struct json_limits *limits, struct json_error *where)
{
	struct parser s = {.doc = doc,
	    .p = text.p,
	    .start = text.p,
	    .end = text.n == 0 ? text.p : text.p + text.n,
	    .depth_max = JSON_MAX_DEPTH,
	    .nodes_max = JSON_MAX_NODES};
	size_t bytes_max = FRAME_MAX_BYTES;

	if (limits != NULL && limits->bytes != 0)
		bytes_max = limits->bytes;
	if (limits != NULL && limits->depth != 0)
		s.depth_max = limits->depth;
	if (limits != NULL && limits->nodes != 0)
		s.nodes_max = limits->nodes;
	if (s.depth_max > DEPTH_CEILING || bytes_max >= UINT32_MAX)
		bug("json limits: depth %u, %zu bytes", s.depth_max, bytes_max);
	doc->text = text;
	doc->count = 0;
	buf_clear(&doc->strings);
	if (text.n > bytes_max)
		s.error = -ERR_TOO_LARGE;
	else if (text.n == 0)
		s.error = -ERR_SYNTAX;
	else if (memchr(text.p, '\\', text.n) != NULL)
		buf_reserve(&doc->strings, text.n);
	if (s.error == 0)
		parse_text(&s);
	if (s.error != 0)
		doc->count = 0;
	if (where != NULL) {
		*where = (struct json_error){.error = s.error};
		if (s.error != 0)
			find_place(text, (size_t)(s.p - s.start), where);
	}
	return s.error;
}

int
json_complain(const struct json_doc *doc, const struct json_node *node,
    struct json_error *where, int error, const char *format, ...)
{
	va_list ap;
	size_t whole;

	error = error < 0 ? error : -error;
	if (where == NULL)
		return error;
	*where = (struct json_error){.error = error};
	if (node != NULL)
		find_place(doc->text, node->start, where);
	va_start(ap, format);
	vsnprintf(where->detail, sizeof where->detail, format, ap);
	va_end(ap);
	/* a cut must not leave half a character: the detail travels as JSON */
	whole = utf8_prefix(where->detail, strlen(where->detail), SIZE_MAX);
	where->detail[whole] = '\0';
	return error;
}

void
json_error_text(const struct json_error *where, char *out, size_t room)
{
	char place[64] = "";

	if (where->line != 0)
		snprintf(place, sizeof place,
		    "line %u, column %u: ", where->line, where->column);
	snprintf(out, room, "%s%s%s%s", place, err_text(where->error),
	    where->detail[0] == '\0' ? "" : ": ", where->detail);
}
