/*
 * Sentences of folded text, as windows are made of them.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/detect_impl.h"

#define MARK_MOST 3 /* bytes of a sentence's end */

static void
add(struct segments *s, size_t start, size_t end)
{
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->at = alloc_resize(s->at, s->cap, sizeof *s->at);
	}
	s->at[s->count++] = (struct detect_segment){
	    .start = (uint32_t)start, .end = (uint32_t)end};
}

static size_t
is_at(const char *p, size_t n, struct span mark)
{
	return n >= mark.n && memcmp(p, mark.p, mark.n) == 0 ? mark.n : 0;
}

/* Bytes with which a sentence's end begins. */
static const bool may_end[256] = {['\n'] = true,
    ['.'] = true,
    ['!'] = true,
    ['?'] = true,
    [0xe3] = true,
    [0xe0] = true,
    [0xd8] = true};

/* Bytes of a sentence's end at p, or 0. */
static size_t
sentence_end(const char *p, size_t n)
{
	switch ((unsigned char)p[0]) {
	case '\n':
		return 1;
	case '.':
	case '!':
	case '?':
		return n == 1 || p[1] == ' ' || p[1] == '\n';
	case 0xe3: /* ideographic full stop */
		return is_at(p, n, SPAN("\xe3\x80\x82"));
	case 0xe0: /* danda */
		return is_at(p, n, SPAN("\xe0\xa5\xa4"));
	case 0xd8: /* Arabic question mark */
		return is_at(p, n, SPAN("\xd8\x9f"));
	default:
		return 0;
	}
}

/* Where a segment from `start` ends that has no sentence's end: behind a blank
 * if there is one, never inside a character. */
static size_t
cut_long(struct span text, size_t start)
{
	size_t end = start + SEGMENT_MOST;

	for (size_t i = end; i > start + SEGMENT_LEAST; i--)
		if (text.p[i - 1] == ' ')
			return i;
	while (((unsigned char)text.p[end] & 0xc0) == 0x80)
		end--;
	return end;
}

/* Where a segment from `start` ends. What would make it too short is not
 * looked at. */
static size_t
segment_end(struct span text, size_t start)
{
	size_t most = start + SEGMENT_MOST;

	for (size_t i = start + SEGMENT_LEAST - MARK_MOST; i < text.n; i++) {
		size_t length = 0;

		if (may_end[(unsigned char)text.p[i]])
			length = sentence_end(text.p + i, text.n - i);
		if (length != 0 && i + length - start >= SEGMENT_LEAST)
			return i + length;
		if (i >= most)
			return cut_long(text, start);
	}
	return text.n;
}

void
segments_cut(struct span text, struct segments *out)
{
	size_t end;

	out->count = 0;
	for (size_t start = 0; start < text.n; start = end) {
		end = segment_end(text, start);
		add(out, start, end);
	}
}
