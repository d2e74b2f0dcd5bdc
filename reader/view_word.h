/*
 * The words by which a decoded text is known for one (view_word.def).
 */
#ifndef TRIZONE_READER_VIEW_WORD_H
#define TRIZONE_READER_VIEW_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "reader/ascii_word.h"

#define WORD_LEAST 3 /* shorter words are no sign of anything */
#define WORD_MOST 16

/* A word of up to WORD_MOST letters a to z, the first one lowest, zeros behind
 * the last. */
struct word_key {
	uint64_t low, high;
};

/* The key of the `n` letters at p; of them and what follows `bytes` are
 * there. */
static inline struct word_key
word_key(const char *p, size_t n, size_t bytes)
{
	struct word_key key = {word_first(word_load_some(p, bytes), n), 0};

	if (n > WORD_EIGHT)
		key.high = word_first(
		    word_load_some(p + WORD_EIGHT, bytes - WORD_EIGHT),
		    n - WORD_EIGHT);
	return key;
}

/* Letter number `at`, from 0. */
static inline void
word_set(struct word_key *key, size_t at, char letter)
{
	uint64_t c = (unsigned char)letter;

	if (at < 8)
		key->low |= c << 8 * at;
	else
		key->high |= c << 8 * (at - 8);
}

static inline uint64_t
word_rot13_eight(uint64_t eight)
{
	uint64_t letters = word_at_least(eight, 'a') >> 7;
	uint64_t late = word_at_least(eight, 'n') >> 7;

	return eight + letters * 13 - late * 26;
}

static inline struct word_key
word_rot13(struct word_key key)
{
	return (struct word_key){
	    word_rot13_eight(key.low), word_rot13_eight(key.high)};
}

/* The letters of a key, of which there are so many, from the last on. */
static inline struct word_key
word_reversed(struct word_key key, size_t letters)
{
	uint64_t first = __builtin_bswap64(key.low);
	uint64_t last = __builtin_bswap64(key.high);
	size_t shift;

	if (letters <= WORD_EIGHT)
		return (struct word_key){
		    first >> 8 * (WORD_EIGHT - letters), 0};
	shift = 8 * (WORD_MOST - letters);
	if (shift == 0)
		return (struct word_key){last, first};
	return (struct word_key){
	    last >> shift | first << (64 - shift), first >> shift};
}

/* Build the tables, some 50 microseconds; only the first call does. All the
 * others here need it. */
void known_warm(void);

/* A sieve: no word has a key whose bit is not set. */
#define KNOWN_SIEVE_BITS 16
extern uint64_t known_sieve[(1u << KNOWN_SIEVE_BITS) / 64];

static inline uint64_t
known_mix(struct word_key key)
{
	return (key.low ^ key.high * UINT64_C(0xff51afd7ed558ccd)) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

/* Whether the key that has been mixed to h is that of a word. */
bool known_find(struct word_key key, uint64_t h);

static inline bool
known_has(struct word_key key)
{
	uint64_t h = known_mix(key), at = h >> (64 - KNOWN_SIEVE_BITS);

	return (known_sieve[at / 64] >> at % 64 & 1) != 0 && known_find(key, h);
}

/* How many of the words in ASCII letters, of any case, are known. */
size_t known_count(struct span text);

/* Whether a person could read it: mostly letters, in words. */
bool known_prose(struct span text);

#endif
