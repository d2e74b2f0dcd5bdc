/*
 * What the linear model sees of a text: hashes of words, of pairs of words and
 * of their beginnings. In scripts without blanks a character is a word. One
 * pass, no memory but the result.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/ascii_word.h"
#include "reader/detect_impl.h"

#define STEM_MOST 6 /* bytes of a word that its stem has */
#define HASH_START UINT64_C(14695981039346656037) /* FNV-1a */
#define HASH_FACTOR UINT64_C(1099511628211)
#define TOKEN_FEATURES 3 /* of one token */
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
		uint32_t segment; /* plus one */
	} seen[1u << SEEN_BITS];
};

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) *
		     UINT64_C(0xff51afd7ed558ccd);

	return h ^ h >> 33;
}

/* Keep a feature, unless the segment has it. There is room (reserve). */
static void
emit(struct finder *f, enum kind kind, uint64_t a, uint64_t b)
{
	uint32_t feature =
	    (uint32_t)(mix(mix(a, kind), b + kind) >> 40) & (MODEL_SIZE - 1);
	unsigned slot = feature & ((1u << SEEN_BITS) - 1);

	if (f->seen[slot].feature == feature &&
	    f->seen[slot].segment == f->segment + 1)
		return;
	f->seen[slot].feature = feature;
	f->seen[slot].segment = (uint32_t)f->segment + 1;
	f->out->at[f->out->count++] = feature;
}

static void
reserve(struct features *out)
{
	if (out->cap - out->count >= TOKEN_FEATURES)
		return;
	out->cap = out->cap == 0 ? 1024 : out->cap * 2;
	out->at = alloc_resize(out->at, out->cap, sizeof *out->at);
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
	reserve(f->out);
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
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || c == '\'' ||
	       (c & 0x80) != 0;
}

/* A token of `letters` of a to z and no more; `n` bytes are there. Most words
 * have at most eight: all eight hashes cost less than to guess which. */
static struct token
plain_token(const char *p, size_t letters, size_t n)
{
	uint64_t eight = word_load_some(p, n), h = HASH_START;
	uint64_t hashes[WORD_EIGHT + 1];

	for (size_t i = 0; i < WORD_EIGHT; i++) {
		h = (h ^ (eight >> 8 * i & 0xff)) * HASH_FACTOR;
		hashes[i + 1] = h;
	}
	if (letters <= WORD_EIGHT)
		h = hashes[letters];
	for (size_t i = WORD_EIGHT; i < letters; i++)
		h = (h ^ (unsigned char)p[i]) * HASH_FACTOR;
	return (struct token){.whole = h,
	    .stem = hashes[letters < STEM_MOST ? letters : STEM_MOST]};
}

/* The token at p: a word, a number, or a character of a script without
 * blanks. Returns its length; 0: none begins here. */
static size_t
next_token(const char *p, size_t n, struct token *out, bool *unspaced_out)
{
	uint64_t h = HASH_START;
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
	while (i < n && is_word_byte(p[i])) {
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
			h = (h ^ (unsigned char)p[i + k]) * HASH_FACTOR;
		i += length;
		if (i <= STEM_MOST)
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
		size_t length;

		if (text.p[i] == ' ') {
			i++;
			continue;
		}
		length = word_length(text.p + i, text.n - i);
		if (length != 0 && (i + length == text.n ||
				       !is_word_byte(text.p[i + length]))) {
			token = plain_token(text.p + i, length, text.n - i);
			unspaced = false;
		} else {
			length = next_token(
			    text.p + i, text.n - i, &token, &unspaced);
		}
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
