/*
 * Characters written as references: %69, &#105;, =69, \u0069. The line around
 * a reference is decoded whole, so that what stands in clear stays beside it.
 */
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_entity.h"
#include "reader/view_part.h"

#define LINE_BYTES 2000 /* of a line on both sides of a reference */
#define LETTERS_LEAST 3 /* nobody needs to write letters so */
#define WIDE_LEAST 4
#define WORDS_LEAST 3
#define INSIDE_LEAST 3

/* What the references of a piece of text stand for. */
struct counts {
	size_t letters, wide, blanks;
	size_t soft;  /* soft line ends inside words */
	size_t again; /* marks that start references */
};

/* Reads the reference at p, whose mark is p[0], into at most 8 bytes of
 * UTF-8 or, of %69 and =69, any byte; returns its length or 0. */
typedef size_t (*reference)(
    struct span text, size_t at, char out[8], size_t *length_out);

static size_t
hex_number(
    struct span text, size_t at, size_t least, size_t most, uint32_t *value_out)
{
	size_t n = 0;

	*value_out = 0;
	while (n < most && at + n < text.n && ascii_hex(text.p[at + n]) >= 0)
		*value_out =
		    *value_out << 4 | (uint32_t)ascii_hex(text.p[at + n++]);
	return n < least ? 0 : n;
}

static size_t
put_code(uint32_t code, char out[8])
{
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	return utf8_encode(code, out);
}

static size_t
read_percent(struct span text, size_t at, char out[8], size_t *length_out)
{
	uint32_t value;

	if (hex_number(text, at + 1, 2, 2, &value) == 0)
		return 0;
	out[0] = (char)value;
	*length_out = 1;
	return 3;
}

static size_t
read_entity(struct span text, size_t at, char out[8], size_t *length_out)
{
	return entity_parse(text.p + at, text.n - at, false, out, length_out);
}

/* =69, or a soft line end: nothing. */
static size_t
read_quoted(struct span text, size_t at, char out[8], size_t *length_out)
{
	size_t n = 1;

	while (at + n < text.n &&
	       (text.p[at + n] == ' ' || text.p[at + n] == '\r'))
		n++;
	if (at + n < text.n && text.p[at + n] == '\n') {
		*length_out = 0;
		return n + 1;
	}
	return read_percent(text, at, out, length_out);
}

/* Three digits of an ASCII character in octal. */
static size_t
octal_number(struct span text, size_t at, uint32_t *value_out)
{
	*value_out = 0;
	for (size_t i = 0; i < 3; i++) {
		if (at + i >= text.n || text.p[at + i] < '0' ||
		    text.p[at + i] > '7')
			return 0;
		*value_out = *value_out << 3 | (uint32_t)(text.p[at + i] - '0');
	}
	return *value_out >= ' ' && *value_out < 0x7f ? 3 : 0;
}

/* \u0069, \u{69}, \U00000069, \x69, \151. */
static size_t
read_escape(struct span text, size_t at, char out[8], size_t *length_out)
{
	char kind = at + 1 < text.n ? text.p[at + 1] : '\0';
	size_t n = 0, skip = 2;
	uint32_t value;

	if (kind == 'x') {
		n = hex_number(text, at + skip, 2, 2, &value);
	} else if (kind == 'u' && at + 2 < text.n && text.p[at + 2] == '{') {
		skip = 3;
		n = hex_number(text, at + skip, 1, 6, &value);
		if (n != 0 && at + skip + n < text.n &&
		    text.p[at + skip + n] == '}')
			skip++;
	} else if (kind == 'u') {
		n = hex_number(text, at + skip, 4, 4, &value);
	} else if (kind == 'U') {
		n = hex_number(text, at + skip, 8, 8, &value);
	} else {
		skip = 1;
		n = octal_number(text, at + skip, &value);
	}
	if (n == 0)
		return 0;
	*length_out = put_code(value, out);
	return skip + n;
}

/* U+0069 and what separates it from the next. */
static size_t
read_point(struct span text, size_t at, char out[8], size_t *length_out)
{
	uint32_t value;
	size_t n;

	if (at + 1 >= text.n || text.p[at + 1] != '+')
		return 0;
	n = hex_number(text, at + 2, 4, 6, &value);
	if (n == 0)
		return 0;
	*length_out = put_code(value, out);
	n += 2;
	if (at + n + 1 < text.n && text.p[at + n] == ' ' &&
	    text.p[at + n + 1] == 'U')
		n++;
	return n;
}

static const struct {
	enum view view;
	char mark;
	bool words; /* its piece is a word, not a line */
	reference read;
} kinds[] = {
    {VIEW_URL, '%', true, read_percent},
    {VIEW_ENTITY, '&', false, read_entity},
    {VIEW_QUOTED, '=', false, read_quoted},
    {VIEW_ESCAPE, '\\', false, read_escape},
    {VIEW_ESCAPE, 'U', false, read_point},
};

/* `after`: directly behind another reference. In an address "=69" is part of
 * what it asks for, so that quoted letters count only beside others. */
static void
count(struct counts *c, const char *out, size_t length, char mark, bool after)
{
	if (length == 0)
		c->soft++;
	else if (ascii_is_letter(out[0]))
		c->letters += after || mark != '=';
	else if (out[0] == ' ')
		c->blanks++;
	else if (out[0] == mark || out[0] == '%' || out[0] == '&')
		c->again++;
	else if (((unsigned char)out[0] & 0xc0u) == 0xc0)
		c->wide++;
}

/* Whether the soft line end of `used` bytes is inside a word: a row of signs
 * or base64 before it ends in no word. */
static bool
is_inside(struct span piece, size_t at, size_t used)
{
	size_t n = 0;

	while (n < at && ascii_is_letter(piece.p[at - 1 - n]))
		n++;
	if (n == 0 || n > WORD_MOST ||
	    (n < at && ascii_is_digit(piece.p[at - 1 - n])))
		return false;
	return at + used < piece.n && ascii_is_letter(piece.p[at + used]);
}

/* Decode one piece into `out`. */
static void
decode(struct span piece, size_t kind, struct buf *out, struct counts *c)
{
	size_t i = 0, last = SIZE_MAX;

	while (i < piece.n) {
		const char *mark =
		    memchr(piece.p + i, kinds[kind].mark, piece.n - i);
		size_t plain =
		    mark == NULL ? piece.n - i : (size_t)(mark - piece.p) - i;
		size_t used, length = 1;
		char text[8];

		(void)buf_add(out, piece.p + i, plain);
		i += plain;
		if (mark == NULL)
			break;
		used = kinds[kind].read(piece, i, text, &length);
		if (used == 0 || (length == 0 && !is_inside(piece, i, used))) {
			(void)buf_add_byte(out, piece.p[i++]);
			continue;
		}
		(void)buf_add(out, text, length);
		count(c, text, length, kinds[kind].mark, i == last);
		i += used;
		last = i;
	}
}

static bool
is_end(char c, bool word)
{
	return c == '\n' || (word && (c == ' ' || c == '<' || c == '>'));
}

/* Whether the line that ends at `end` goes on in the next. */
static bool
is_soft(struct span text, size_t start, size_t end)
{
	if (end > start && text.p[end - 1] == '\r')
		end--;
	return end > start && text.p[end - 1] == '=';
}

/* The piece around `at`, which starts not before `from`. A line of quoted-
 * printable goes on behind a soft line end. */
static void
find_piece(struct span text, size_t kind, size_t from, size_t at,
    size_t *start_out, size_t *end_out)
{
	bool word = kinds[kind].words;
	size_t start = at, end = at, most = at + LINE_BYTES;
	bool quoted = kinds[kind].view == VIEW_QUOTED;

	if (at - from > LINE_BYTES)
		from = at - LINE_BYTES;
	while (start > from && !is_end(text.p[start - 1], word))
		start--;
	while (start < at && ((unsigned char)text.p[start] & 0xc0u) == 0x80)
		start++;
	while (end < text.n && end < most &&
	       (!is_end(text.p[end], word) ||
		   (quoted && is_soft(text, start, end))))
		end++;
	while (end < text.n && ((unsigned char)text.p[end] & 0xc0u) == 0x80)
		end++;
	*start_out = start;
	*end_out = end;
}

static bool
is_readable(const struct counts *c, struct span decoded)
{
	if (c->letters >= LETTERS_LEAST || c->wide >= WIDE_LEAST ||
	    c->soft != 0)
		return true;
	return c->blanks >= 2 && known_count(decoded) >= WORDS_LEAST;
}

/* Decode the piece; what it decodes to may be no UTF-8. */
static void
try_piece(const struct view_job *job, size_t kind, size_t start, size_t end)
{
	struct span piece = {job->text.p + start, end - start};
	struct counts c = {0};
	struct buf raw, text;
	size_t replaced = 0;
	bool readable;

	buf_init(&raw, piece.n * 3 + 8);
	buf_init(&text, piece.n * 9 + 24);
	decode(piece, kind, &raw, &c);
	(void)utf8_add_repaired(&text, raw.data, raw.len, &replaced);
	readable = is_readable(&c, (struct span){text.data, text.len});
	if (readable || c.again >= INSIDE_LEAST)
		view_emit(job, kinds[kind].view,
		    (struct span){text.data, text.len}, readable, start, end);
	buf_free(&raw);
	buf_free(&text);
}

static void
look_for(const struct view_job *job, size_t kind)
{
	struct span text = job->text;
	size_t i = 0, end = 0;

	while (i < text.n) {
		const char *mark =
		    memchr(text.p + i, kinds[kind].mark, text.n - i);
		size_t start, length;
		char out[8];

		if (mark == NULL)
			break;
		i = (size_t)(mark - text.p);
		if (kinds[kind].read(text, i, out, &length) == 0) {
			i++;
			continue;
		}
		find_piece(text, kind, end, i, &start, &end);
		try_piece(job, kind, start, end);
		i = end > i ? end : i + 1;
	}
}

void
view_escapes(const struct view_job *job)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		look_for(job, i);
}
