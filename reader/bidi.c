/*
 * Reversal of overridden text. Each level that opens or closes another
 * direction than the one around it is reversed once when it ends, so a text
 * is touched at most BIDI_DEPTH times.
 */
#include "reader/bidi.h"

#include <glib.h>

#include "common/text.h"

enum control { LRE = 0x202a, RLE, PDF, LRO, RLO, LRI = 0x2066, RLI, FSI, PDI };

static bool
is_rtl(uint32_t code)
{
	return (code >= 0x0590 && code <= 0x08ff) ||
	       (code >= 0xfb1d && code <= 0xfdff) ||
	       (code >= 0xfe70 && code <= 0xfefe) ||
	       (code >= 0x10800 && code <= 0x10fff) ||
	       (code >= 0x1e800 && code <= 0x1efff);
}

static void
reverse_bytes(char *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		char c = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = c;
	}
}

void
bidi_reverse(char *p, size_t n)
{
	size_t start = 0;

	reverse_bytes(p, n);
	/* a character's first byte is now its last */
	for (size_t i = 0; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0u) == 0x80)
			continue;
		reverse_bytes(p + start, i + 1 - start);
		start = i + 1;
	}
}

/* Length of the text at p from one right-to-left letter to the last before
 * any other letter or digit. */
static size_t
rtl_length(const char *p, size_t n)
{
	size_t i = 0, end = 0, length;
	uint32_t code;

	for (; i < n; i += length) {
		length = utf8_decode(p + i, n - i, &code);
		if (length == 0)
			break;
		if (is_rtl(code))
			end = i + length;
		else if (g_unichar_isalnum(code))
			break;
	}
	return end;
}

/* Length of the marks at p with the character behind them. */
static size_t
marked_length(const char *p, size_t n)
{
	size_t i = 0, length;
	uint32_t code;

	while (i < n) {
		length = utf8_decode(p + i, n - i, &code);
		if (length == 0)
			break;
		i += length;
		if (!g_unichar_ismark(code))
			break;
	}
	return i;
}

static char
mirror(char c)
{
	static const char pairs[] = "()[]{}<>";

	for (size_t i = 0; pairs[i] != '\0'; i++)
		if (pairs[i] == c)
			return pairs[i ^ 1];
	return c;
}

/* Reverse right-to-left words; with `all`, these have been reversed before,
 * and marks stand before their letters. */
static void
restore(char *p, size_t n, bool all)
{
	size_t i = 0, length;
	uint32_t code;

	while (i < n) {
		length = utf8_decode(p + i, n - i, &code);
		if (length == 0)
			break;
		if (is_rtl(code)) {
			length = rtl_length(p + i, n - i);
			bidi_reverse(p + i, length);
		} else if (all && code < 0x80) {
			p[i] = mirror(p[i]);
		} else if (all && g_unichar_ismark(code)) {
			length = marked_length(p + i, n - i);
			bidi_reverse(p + i, length);
		}
		i += length;
	}
}

static void
pop(struct bidi *b, struct buf *text)
{
	size_t top = --b->depth, start = b->level[top].start;
	bool around = top > 0 && b->level[top - 1].backwards;

	if (start >= text->len)
		return;
	if (b->level[top].backwards != around) {
		bidi_reverse(text->data + start, text->len - start);
		restore(text->data + start, text->len - start, true);
	} else if (b->level[top].forced && !around) {
		restore(text->data + start, text->len - start, false);
	}
}

static void
push(struct bidi *b, uint32_t code, size_t start)
{
	if (b->depth == BIDI_DEPTH || b->beyond != 0) {
		b->beyond++;
		return;
	}
	b->level[b->depth].start = start;
	b->level[b->depth].backwards = code == RLO;
	b->level[b->depth].forced = code == RLO || code == LRO;
	b->level[b->depth].isolate = code >= LRI;
	b->depth++;
}

static bool
has_isolate(const struct bidi *b)
{
	for (size_t i = 0; i < b->depth; i++)
		if (b->level[i].isolate)
			return true;
	return false;
}

void
bidi_control(struct bidi *b, uint32_t code, struct buf *text)
{
	bool last = false;

	if (code != PDF && code != PDI) {
		if ((code >= LRE && code <= RLO) ||
		    (code >= LRI && code <= FSI))
			push(b, code, text->len);
		return;
	}
	if (b->beyond != 0) {
		b->beyond--;
	} else if (code == PDF) {
		if (b->depth != 0 && !b->level[b->depth - 1].isolate)
			pop(b, text);
	} else if (has_isolate(b)) {
		while (!last) {
			last = b->level[b->depth - 1].isolate;
			pop(b, text);
		}
	}
}

void
bidi_end(struct bidi *b, struct buf *text)
{
	b->beyond = 0;
	while (b->depth != 0)
		pop(b, text);
}
