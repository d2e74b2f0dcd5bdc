/*
 * Do two texts say the same? Counts words by hash in a fixed table; a
 * collision only makes texts look more alike. Pure.
 */
#include "reader/compare.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORDS 20000	/* some 100,000 characters, a whole body */
#define BITS (1u << 20) /* 2 per cent full at most */
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/* The next word's hash, letters of both cases alike; false at the end. Bytes
 * beyond ASCII count as letters. */
static bool
next_word(struct span *rest, uint32_t *hash_out)
{
	uint32_t hash = FNV_START;
	size_t i = 0, start;

	while (i < rest->n &&
	       !((rest->p[i] | 0x20) >= 'a' && (rest->p[i] | 0x20) <= 'z') &&
	       (unsigned char)rest->p[i] < 0x80)
		i++;
	start = i;
	while (i < rest->n &&
	       (((rest->p[i] | 0x20) >= 'a' && (rest->p[i] | 0x20) <= 'z') ||
		   (unsigned char)rest->p[i] >= 0x80)) {
		hash ^= (uint32_t)(unsigned char)(rest->p[i] | 0x20);
		hash *= FNV_PRIME;
		i++;
	}
	*hash_out = hash % BITS;
	rest->p += i;
	rest->n -= i;
	return i > start;
}

unsigned
compare_words(struct span a, struct span b)
{
	/* too large for a stack; `seen` is zero before and after */
	static unsigned char seen[BITS / 8];
	static uint32_t hashes[WORDS];
	unsigned words = 0, common = 0, known = 0;
	uint32_t hash;

	for (; known < WORDS && next_word(&b, &hash); known++) {
		seen[hash / 8] |= (unsigned char)(1u << hash % 8);
		hashes[known] = hash;
	}
	for (; words < WORDS && next_word(&a, &hash); words++)
		if ((seen[hash / 8] >> hash % 8 & 1) != 0)
			common++;
	while (known-- > 0)
		seen[hashes[known] / 8] = 0;
	return words == 0 ? 100 : common * 100 / words;
}
