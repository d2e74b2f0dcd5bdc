/*
 * Words of the letters a to z, eight bytes at a time: folded text is mostly
 * that, and a loop over single bytes costs a wrong guess of the processor for
 * each word.
 */
#ifndef TRIZONE_READER_ASCII_WORD_H
#define TRIZONE_READER_ASCII_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_EIGHT 8u /* bytes in one load */
#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_HIGH UINT64_C(0x8080808080808080)

/* Eight bytes, the first one lowest. */
static inline uint64_t
word_load(const char *p)
{
	const unsigned char *s = (const unsigned char *)p;

	return (uint64_t)s[0] | (uint64_t)s[1] << 8 | (uint64_t)s[2] << 16 |
	       (uint64_t)s[3] << 24 | (uint64_t)s[4] << 32 |
	       (uint64_t)s[5] << 40 | (uint64_t)s[6] << 48 |
	       (uint64_t)s[7] << 56;
}

static inline void
word_store(char *p, uint64_t eight)
{
	p[0] = (char)eight;
	p[1] = (char)(eight >> 8);
	p[2] = (char)(eight >> 16);
	p[3] = (char)(eight >> 24);
	p[4] = (char)(eight >> 32);
	p[5] = (char)(eight >> 40);
	p[6] = (char)(eight >> 48);
	p[7] = (char)(eight >> 56);
}

/* Eight bytes as word_load, of `n`, which may be fewer; zeros behind them. */
static inline uint64_t
word_load_some(const char *p, size_t n)
{
	char bytes[WORD_EIGHT] = {0};

	if (n >= WORD_EIGHT)
		return word_load(p);
	memcpy(bytes, p, n);
	return word_load(bytes);
}

/* The first `n` bytes of eight. */
static inline uint64_t
word_first(uint64_t eight, size_t n)
{
	return n >= WORD_EIGHT ? eight : eight & ((UINT64_C(1) << 8 * n) - 1);
}

/* The high bit of each byte that is at least `least`, both below 0x80. */
static inline uint64_t
word_at_least(uint64_t eight, unsigned least)
{
	return ((eight & ~WORD_HIGH) + WORD_ONES * (0x80 - least)) & WORD_HIGH;
}

/* How many of eight bytes are letters, up to the first that is none. */
static inline size_t
word_letters(uint64_t eight)
{
	uint64_t other = (~word_at_least(eight, 'a') |
			     word_at_least(eight, 'z' + 1) | eight) &
			 WORD_HIGH;

	return other == 0 ? WORD_EIGHT : (size_t)__builtin_ctzll(other) / 8;
}

/* Letters from p on, of `n` bytes. */
static inline size_t
word_length(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= WORD_EIGHT; i += WORD_EIGHT) {
		size_t letters = word_letters(word_load(p + i));

		if (letters != WORD_EIGHT)
			return i + letters;
	}
	while (i < n && p[i] >= 'a' && p[i] <= 'z')
		i++;
	return i;
}

#endif
