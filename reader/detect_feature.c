/*
 * What the linear model sees of a text: hashes of words, of pairs of words and
 * of their beginnings. In scripts without blanks a character is a word. One
 * pass, no memory but the result.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/detect_impl.h"

#define STEM_BYTES 5
#define SEEN_BITS 10

/* Kinds of features; part of what is hashed. */
enum kind { ONE = 1, PAIR, STEMS, SKIP };

struct token {
	uint64_t whole, stem;
};

struct finder {
	struct features *out;
	struct segments *segments;
	size_t segment;
	struct token last, before; /* the two tokens before this one */
	/* features of this segment: saying a thing often makes it no truer */
	struct {
		uint32_t feature;
		size_t segment; /* plus one */
	} seen[1u << SEEN_BITS];
};

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) *
		     UINT64_C(0xff51afd7ed558ccd);

	return h ^ h >> 33;
}

static void
emit(struct finder *f, enum kind kind, uint64_t a, uint64_t b)
{
	struct features *out = f->out;
	uint64_t h = mix(mix(a, kind), b + kind);
	uint32_t feature = (uint32_t)(h >> 40) & (MODEL_SIZE - 1);
	unsigned slot = feature & ((1u << SEEN_BITS) - 1);

	if (f->seen[slot].feature == feature &&
	    f->seen[slot].segment == f->segment + 1)
		return;
	f->seen[slot].feature = feature;
	f->seen[slot].segment = f->segment + 1;
	if (out->count == out->cap) {
		out->cap = out->cap == 0 ? 1024 : out->cap * 2;
		out->at = alloc_resize(out->at, out->cap, sizeof *out->at);
	}
	out->at[out->count++] = feature;
}

/* Go on to the segment that byte i is in. */
static void
seek_segment(struct finder *f, size_t i)
{
	struct segments *s = f->segments;

	while (f->segment + 1 < s->count && s->at[f->segment].end <= i) {
		s->at[f->segment].feature_end = (uint32_t)f->out->count;
		f->segment++;
		s->at[f->segment].feature = (uint32_t)f->out->count;
	}
}

static void
take_token(struct finder *f, struct token token, bool unspaced)
{
	emit(f, ONE, token.whole, 0);
	emit(f, PAIR, f->last.whole, token.whole);
	if (unspaced)
		emit(f, SKIP, mix(f->before.whole, f->last.whole), token.whole);
	else
		emit(f, STEMS, f->last.stem, token.stem);
	f->before = f->last;
	f->last = token;
}

static bool
is_word_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || c == '\'' || c >= 0x80;
}

/* The token at p: a word, a number, or a character of a script without
 * blanks. Returns its length; 0: none begins here. */
static size_t
next_token(const char *p, size_t n, struct token *out, bool *unspaced_out)
{
	uint64_t h = UINT64_C(14695981039346656037);
	uint32_t code = 0;
	size_t i = 0;

	*unspaced_out = false;
	out->stem = 0;
	if (p[0] >= '0' && p[0] <= '9') {
		while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == '.' ||
				    p[i] == ','))
			i++;
		out->whole = out->stem = '0';
		return i;
	}
	while (i < n && is_word_byte((unsigned char)p[i])) {
		size_t length = 1;

		if ((unsigned char)p[i] >= 0x80) {
			length = utf8_decode(p + i, n - i, &code);
			if (length == 0)
				length = 1;
			else if (lexicon_unspaced(code))
				*unspaced_out = true;
			if (*unspaced_out && i != 0) {
				*unspaced_out = false;
				break;
			}
		}
		for (size_t k = 0; k < length; k++)
			h = (h ^ (unsigned char)p[i + k]) *
			    UINT64_C(1099511628211);
		i += length;
		if (i <= STEM_BYTES + 1)
			out->stem = h;
		if (*unspaced_out)
			break;
	}
	out->whole = h;
	return i;
}

void
features_find(struct span text, struct segments *segments, struct features *out)
{
	struct finder f = {.out = out, .segments = segments};
	struct token token;
	size_t i = 0;
	bool unspaced;

	out->count = 0;
	if (segments->count == 0)
		return;
	segments->at[0].feature = 0;
	while (i < text.n) {
		size_t length =
		    next_token(text.p + i, text.n - i, &token, &unspaced);

		if (length == 0) {
			i++;
			continue;
		}
		seek_segment(&f, i);
		take_token(&f, token, unspaced);
		i += length;
	}
	seek_segment(&f, text.n);
	segments->at[segments->count - 1].feature_end = (uint32_t)out->count;
}
