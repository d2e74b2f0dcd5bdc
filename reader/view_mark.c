/*
 * Marks by bytes and their neighbours. The high bit of each of eight bytes
 * says whether it is of a class; what is said of a byte is noted at the one
 * behind it, where both its neighbours are known.
 */
#include "reader/view_mark.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "reader/ascii_word.h"

#define BLOCK 64u /* bytes with bits in one number */

/* Classes of the bytes of eight, in their high bits. */
struct classes {
	uint64_t word, upper, digit, hex, base64, wide, backslash;
};

static uint64_t
range(uint64_t eight, unsigned first, unsigned last)
{
	return word_at_least(eight, first) & ~word_at_least(eight, last + 1);
}

static struct classes
classify(uint64_t eight)
{
	uint64_t ascii = ~eight & WORD_HIGH;
	uint64_t small = eight | WORD_ONES * 0x20;
	struct classes c = {
	    .word = range(small, 'a', 'z') & ascii,
	    .upper = range(eight, 'A', 'Z') & ascii,
	    .digit = range(eight, '0', '9') & ascii,
	    .hex = range(small, 'a', 'f') & ascii,
	    .base64 = (range(eight, '+', '/') | range(eight, '_', '_')) & ascii,
	    .wide = eight & WORD_HIGH,
	    .backslash = range(eight, '\\', '\\') & ascii,
	};

	c.word |= c.digit;
	c.hex |= c.digit;
	c.base64 |= c.word;
	return c;
}

/* The class of the bytes before these. */
static uint64_t
before(uint64_t now, uint64_t last, unsigned bytes)
{
	return now << 8 * bytes | last >> (64 - 8 * bytes);
}

/* High bits of eight bytes as a byte. */
static uint64_t
gather(uint64_t high)
{
	return (high >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* What is said of the bytes before these. */
static void
find(const struct classes *now, const struct classes *last,
    uint64_t out[MARK_COUNT])
{
	uint64_t word = before(now->word, last->word, 1);
	uint64_t wide = before(now->wide, last->wide, 1);
	uint64_t digit = before(now->digit, last->digit, 1);
	uint64_t hex = before(now->hex, last->hex, 1);
	uint64_t upper = before(now->upper, last->upper, 1);
	uint64_t backslash = before(now->backslash, last->backslash, 1);
	uint64_t word_first =
	    before(now->word | now->backslash, last->word | last->backslash, 2);
	uint64_t base64 = before(now->base64, last->base64, 2);
	uint64_t word_two = before(now->word, last->word, 2);

	out[MARK_BASE64] =
	    gather((upper & base64) | (digit & (base64 | now->base64)));
	out[MARK_CODES] = gather(
	    (word & ~word_first & ((hex & now->hex) | digit)) | backslash);
	out[MARK_ALONE] =
	    gather((word & ~word_two & ~(now->word | now->wide)) | wide);
}

void
view_marks_find(struct view_marks *m, struct span text)
{
	size_t blocks = text.n / BLOCK + 1;
	struct classes last = {0};

	for (unsigned k = 0; k < MARK_COUNT; k++)
		m->bits[k] = alloc_array(blocks, sizeof *m->bits[k]);
	m->bytes = text.n;
	for (size_t i = 0; i <= text.n; i += WORD_EIGHT) {
		struct classes now =
		    classify(word_load_some(text.p + i, text.n - i));
		uint64_t found[MARK_COUNT];

		find(&now, &last, found);
		for (unsigned k = 0; k < MARK_COUNT; k++)
			m->bits[k][i / BLOCK] |= found[k] << i % BLOCK;
		last = now;
	}
}

void
view_marks_done(struct view_marks *m)
{
	for (unsigned k = 0; k < MARK_COUNT; k++)
		free(m->bits[k]);
}

size_t
view_marks_next(const struct view_marks *m, enum view_mark mark, size_t at)
{
	const uint64_t *bits = m->bits[mark];
	size_t blocks = m->bytes / BLOCK + 1;
	size_t block = (at + 1) / BLOCK;
	uint64_t rest;

	if (at >= m->bytes)
		return m->bytes;
	rest = bits[block] >> (at + 1) % BLOCK << (at + 1) % BLOCK;
	while (rest == 0) {
		if (++block == blocks)
			return m->bytes;
		rest = bits[block];
	}
	return block * BLOCK + (size_t)__builtin_ctzll(rest) - 1;
}
