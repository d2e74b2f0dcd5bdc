/*
 * uuencode from hostile text. Pure and linear: lines that turned out to be no
 * block are not looked at again for one.
 */
#include "reader/uu.h"

#include <string.h>

#define LINE_BYTES 63 /* of content, at most */
#define SLACK 2	      /* some programs write a check letter behind a line */
#define NAME_BYTES 1000

/* The line at `at` without its end; *next_out is behind it. */
static struct span
line_at(struct span text, size_t at, size_t *next_out)
{
	struct span line = {text.p + at, text.n - at};
	const char *end = memchr(line.p, '\n', line.n);

	if (end != NULL)
		line.n = (size_t)(end - line.p);
	*next_out = at + line.n + (end != NULL);
	while (line.n != 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* "begin 644 name". */
static bool
is_begin(struct span line, struct span *name_out)
{
	size_t digits = 0;

	if (!span_starts(line, "begin "))
		return false;
	line = (struct span){line.p + 6, line.n - 6};
	while (
	    digits < line.n && line.p[digits] >= '0' && line.p[digits] <= '7')
		digits++;
	if (digits < 3 || digits > 4 || line.n < digits + 2 ||
	    line.p[digits] != ' ')
		return false;
	*name_out = (struct span){line.p + digits + 1, line.n - digits - 1};
	return name_out->n <= NAME_BYTES;
}

static unsigned
value(char c)
{
	return (unsigned)(c - ' ') & 63;
}

/* A line of content: what it says it holds, or -1. Blanks at its end may have
 * been lost on the way. */
static int
content_of(struct span line)
{
	size_t holds, want;

	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < ' ' || line.p[i] > '`')
			return -1;
	if (line.n == 0)
		return -1;
	holds = value(line.p[0]);
	want = (holds + 2) / 3 * 4;
	if (line.n - 1 > want + SLACK || line.n - 1 + 4 < want)
		return -1;
	return (int)holds;
}

static int
decode_line(struct span line, size_t holds, struct buf *out)
{
	char made[LINE_BYTES + 3];
	size_t n = 0;

	for (size_t i = 1; n < holds; i += 4) {
		unsigned bits = 0;

		for (size_t k = i; k < i + 4; k++)
			bits = bits << 6 | (k < line.n ? value(line.p[k]) : 0);
		made[n++] = (char)(bits >> 16);
		made[n++] = (char)(bits >> 8);
		made[n++] = (char)bits;
	}
	return buf_add(out, made, holds);
}

/* The lines of a block from `at` on; block->end is behind the last that can be
 * one. False if they do not come to "end". */
static bool
read_block(struct span text, size_t at, struct uu_block *block, struct buf *out)
{
	int full = LINE_BYTES, last = 0;
	size_t next;

	buf_clear(out);
	block->whole = true;
	for (bool any = false; at < text.n; at = next, any = true) {
		struct span line = line_at(text, at, &next);
		int holds = any && line.n == 0 ? 0 : content_of(line);

		block->end = at;
		if (span_is(line, "end") && any) {
			block->end = next;
			return true;
		}
		if (!any)
			full = last = holds;
		if (holds < 0 || holds > full || (holds != 0 && last != full))
			return false;
		last = holds;
		if (decode_line(line, (size_t)holds, out) != 0)
			block->whole = false;
	}
	block->end = at;
	return false;
}

bool
uu_next(struct span text, size_t from, struct uu_block *block, struct buf *out,
    bool *broken)
{
	size_t next;

	for (; from < text.n; from = next) {
		struct span line = line_at(text, from, &next);

		block->start = from;
		if (!is_begin(line, &block->name))
			continue;
		if (read_block(text, next, block, out))
			return true;
		*broken = *broken || block->end > next;
		next = block->end > next ? block->end : next;
	}
	return false;
}

size_t
uu_content(struct span text)
{
	struct span name;

	for (size_t from = 0, next; from < text.n; from = next)
		if (is_begin(line_at(text, from, &next), &name))
			return next;
	return 0;
}
