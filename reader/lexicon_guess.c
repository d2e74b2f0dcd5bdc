/*
 * Guesses by keys: a word and its misspelt forms have a key in common, which
 * is its first letter, the inner ones in order of the alphabet, and the last;
 * or the word without one of its letters. Keys are 64-bit hashes.
 */
#include "reader/lexicon_guess.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/lexicon.h"

#define LEAST_LETTERS 5 /* shorter words are too much alike */
#define LEAST_EDITED 7	/* the same, with a letter changed */
#define MOST_LETTERS 20
#define NO_WORD UINT32_MAX

struct slot {
	uint64_t key;
	uint32_t word; /* plus one; 0: empty */
};

static struct {
	struct span *words;
	uint32_t count, cap;
	struct slot *slots;
	uint32_t used, size;
} table;

static uint64_t
hash(const char *p, size_t n, uint64_t seed)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

/* First letter, sorted inner ones, last letter. */
static uint64_t
shuffle_key(struct span word)
{
	unsigned char counts[26] = {0};
	char text[MOST_LETTERS];
	size_t n = 0;

	for (size_t i = 1; i + 1 < word.n; i++)
		counts[word.p[i] - 'a']++;
	text[n++] = word.p[0];
	for (unsigned c = 0; c < 26; c++)
		for (unsigned k = 0; k < counts[c]; k++)
			text[n++] = (char)('a' + c);
	text[n++] = word.p[word.n - 1];
	return hash(text, n, 1);
}

static uint64_t
word_key(struct span word)
{
	return hash(word.p, word.n, 2);
}

/* The word without its letter `at`. */
static uint64_t
without_key(struct span word, size_t at)
{
	char text[MOST_LETTERS];

	memcpy(text, word.p, at);
	memcpy(text + at, word.p + at + 1, word.n - at - 1);
	return hash(text, word.n - 1, 3);
}

static struct slot *
slot_of(uint64_t key)
{
	uint32_t at = (uint32_t)key & (table.size - 1);

	while (table.slots[at].word != 0 && table.slots[at].key != key)
		at = (at + 1) & (table.size - 1);
	return &table.slots[at];
}

static void
grow(void)
{
	struct slot *old = table.slots;
	uint32_t size = table.size;

	table.size = size == 0 ? 16384 : size * 2;
	table.slots = alloc_array(table.size, sizeof *table.slots);
	for (uint32_t i = 0; i < size; i++)
		if (old[i].word != 0)
			*slot_of(old[i].key) = old[i];
	free(old);
}

/* The first word that has a key keeps it. */
static void
put(uint64_t key, uint32_t word)
{
	struct slot *slot;

	if (table.used * 2 >= table.size)
		grow();
	slot = slot_of(key);
	if (slot->word != 0)
		return;
	*slot = (struct slot){key, word + 1};
	table.used++;
}

static uint32_t
get(uint64_t key)
{
	return table.size == 0 ? NO_WORD : slot_of(key)->word - 1;
}

static bool
is_latin(struct span word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < 'a' || word.p[i] > 'z')
			return false;
	return true;
}

static void
add_word(struct span word)
{
	if (word.n < LEAST_LETTERS || word.n > MOST_LETTERS ||
	    !is_latin(word) || get(word_key(word)) != NO_WORD)
		return;
	if (table.count == table.cap) {
		table.cap = table.cap == 0 ? 256 : table.cap * 2;
		table.words =
		    alloc_resize(table.words, table.cap, sizeof *table.words);
	}
	table.words[table.count] =
	    (struct span){alloc_text(word.p, word.n), word.n};
	put(word_key(word), table.count);
	put(shuffle_key(word), table.count);
	for (size_t i = 1; word.n >= LEAST_EDITED && i < word.n; i++)
		put(without_key(word, i), table.count);
	table.count++;
}

void
guess_add(struct span entry)
{
	while (entry.n != 0) {
		const char *blank = memchr(entry.p, ' ', entry.n);
		struct span word = entry;

		if (blank != NULL)
			word.n = (size_t)(blank - entry.p);
		entry.p += word.n + (blank != NULL);
		entry.n -= word.n + (blank != NULL);
		if (word.n != 0 && word.p[word.n - 1] == '*') {
			char plural[MOST_LETTERS];

			word.n--;
			if (word.n < MOST_LETTERS) {
				memcpy(plural, word.p, word.n);
				plural[word.n] = 's';
				add_word((struct span){plural, word.n + 1});
			}
		}
		add_word(word);
	}
}

/* A word with one letter too few, too many, or another. */
static uint32_t
find_edited(struct span word)
{
	uint32_t at = get(hash(word.p, word.n, 3));

	for (size_t i = 1; at == NO_WORD && i < word.n; i++) {
		char text[MOST_LETTERS];

		memcpy(text, word.p, i);
		memcpy(text + i, word.p + i + 1, word.n - i - 1);
		at = get(hash(text, word.n - 1, 2));
		if (at == NO_WORD)
			at = get(hash(text, word.n - 1, 3));
	}
	return at;
}

struct span
lexicon_guess(struct span word)
{
	uint32_t at;

	if (word.n < LEAST_LETTERS || word.n > MOST_LETTERS ||
	    !is_latin(word) || get(word_key(word)) != NO_WORD)
		return (struct span){NULL, 0};
	at = get(shuffle_key(word));
	if (at == NO_WORD && word.n >= LEAST_EDITED)
		at = find_edited(word);
	return at == NO_WORD ? (struct span){NULL, 0} : table.words[at];
}
