/*
 * Guesses by keys: a sum of a number for each letter, the first letter's of
 * its own kind, so that the order of the others does not matter. What a key
 * finds is looked at letter by letter.
 */
#include "reader/lexicon_guess.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/ascii_word.h"
#include "reader/lexicon.h"

#define LEAST_EDITED 7 /* the same, with a letter changed */
#define NO_WORD UINT32_MAX
#define SIEVE_BITS 18

struct slot {
	uint32_t key;
	uint32_t word; /* plus one; 0: empty */
};

/* A letter changed among the first HEAD leaves the last ones as they are; a
 * later one leaves the first HEAD: whether there is such a word at all. */
#define HEAD 4u
#define ENDS_BITS 16

/* Words by key; a sieve in front, as most words of a text are none of ours. */
struct index {
	struct slot *slots;
	uint32_t used, size;
	uint8_t sieve[(1u << SIEVE_BITS) / 8];
};

static struct {
	uint32_t letters[26]; /* their numbers */
	struct span *words;
	uint32_t count, cap;
	struct index whole;   /* by the key of the word */
	struct index without; /* by that of the word without a letter */
	uint64_t ends[(1u << ENDS_BITS) / 64]; /* first and last letters */
} table;

static const char *const right[] = {
#define RIGHT(word) word,
#include "reader/words/right.def"
#undef RIGHT
};

static int
compare(const void *key, const void *item)
{
	const struct span *word = key;
	const char *other = *(const char *const *)item;
	int rc = strncmp(word->p, other, word->n);

	return rc != 0 ? rc : -(other[word->n] != '\0');
}

static bool
is_right(struct span word)
{
	return bsearch(&word, right, sizeof right / sizeof right[0],
		   sizeof right[0], compare) != NULL;
}

static uint32_t
letter(char c)
{
	return table.letters[c - 'a'];
}

static uint32_t
number_of(char c)
{
	return ((uint32_t)(c - 'a') + 1) * UINT32_C(0x9e3779b1) ^
	       ((uint32_t)(c - 'a') + 7) * UINT32_C(0x85ebca6b) << 3;
}

static uint32_t
key_of(struct span word)
{
	uint32_t key = letter(word.p[0]) * 31;

	for (size_t i = 1; i < word.n; i++)
		key += letter(word.p[i]);
	return key;
}

static uint32_t
sieve_at(uint32_t key)
{
	return key * UINT32_C(0x9e3779b1) >> (32 - SIEVE_BITS);
}

static struct slot *
slot_of(const struct index *x, uint32_t key)
{
	uint32_t at = sieve_at(key) & (x->size - 1);

	while (x->slots[at].word != 0 && x->slots[at].key != key)
		at = (at + 1) & (x->size - 1);
	return &x->slots[at];
}

static void
grow(struct index *x)
{
	struct slot *old = x->slots;
	uint32_t size = x->size;

	x->size = size == 0 ? 4096 : size * 2;
	x->slots = alloc_array(x->size, sizeof *x->slots);
	for (uint32_t i = 0; i < size; i++)
		if (old[i].word != 0)
			*slot_of(x, old[i].key) = old[i];
	free(old);
}

/* The first word that has a key keeps it. */
static void
put(struct index *x, uint32_t key, uint32_t word)
{
	struct slot *slot;

	if (x->used * 2 >= x->size)
		grow(x);
	slot = slot_of(x, key);
	if (slot->word != 0)
		return;
	*slot = (struct slot){key, word + 1};
	x->used++;
	x->sieve[sieve_at(key) / 8] |= (uint8_t)(1u << sieve_at(key) % 8);
}

static uint32_t
get(const struct index *x, uint32_t key)
{
	if ((x->sieve[sieve_at(key) / 8] >> sieve_at(key) % 8 & 1) == 0)
		return NO_WORD;
	return slot_of(x, key)->word - 1;
}

/* The place for `count` letters before `end`, and the first one. */
static uint32_t
ends_at(char first, const char *end, unsigned count)
{
	uint32_t letters = (uint32_t)(unsigned char)first << 8 | count;

	for (unsigned i = 1; i <= count; i++)
		letters = letters * 31 + (unsigned char)end[-(int)i];
	return letters * UINT32_C(0x9e3779b1) >> (32 - ENDS_BITS);
}

static bool
has_ends(uint32_t at)
{
	return (table.ends[at / 64] >> at % 64 & 1) != 0;
}

static void
put_ends(uint32_t at)
{
	table.ends[at / 64] |= UINT64_C(1) << at % 64;
}

/* The first letters have a tag that is no letter. */
static uint32_t
head_at(struct span word)
{
	return ends_at('\0', word.p + HEAD, HEAD);
}

/* The letters that a change among the first HEAD leaves: of the word and of
 * the one that it comes from, all but HEAD. */
static uint32_t
tail_at(struct span word, unsigned count)
{
	return ends_at(word.p[0], word.p + word.n, count);
}

/* Whether a word with one letter changed can be one of ours. */
static bool
may_be_edited(struct span word)
{
	return has_ends(head_at(word)) ||
	       has_ends(
		   tail_at(word, word.n == LEAST_EDITED ? HEAD - 1 : HEAD));
}

static bool
is_latin(struct span word)
{
	return word_length(word.p, word.n) == word.n;
}

static void
add_word(struct span word)
{
	uint32_t key, at;

	if (word.n < GUESS_LEAST || word.n > GUESS_MOST || !is_latin(word))
		return;
	key = key_of(word);
	at = get(&table.whole, key);
	if (at != NO_WORD && span_equal(table.words[at], word))
		return;
	if (table.count == table.cap) {
		table.cap = table.cap == 0 ? 256 : table.cap * 2;
		table.words =
		    alloc_resize(table.words, table.cap, sizeof *table.words);
	}
	table.words[table.count] =
	    (struct span){alloc_text(word.p, word.n), word.n};
	put(&table.whole, key, table.count);
	put_ends(head_at(word));
	put_ends(tail_at(word, HEAD));
	put_ends(tail_at(word, HEAD - 1));
	for (size_t i = 1; word.n >= LEAST_EDITED && i < word.n; i++)
		put(&table.without, key - letter(word.p[i]), table.count);
	table.count++;
}

static void
number_letters(void)
{
	for (char c = 'a'; c <= 'z'; c++)
		table.letters[c - 'a'] = number_of(c);
}

void
guess_add(struct span entry)
{
	if (table.count == 0)
		number_letters();
	while (entry.n != 0) {
		const char *blank = memchr(entry.p, ' ', entry.n);
		struct span word = entry;

		if (blank != NULL)
			word.n = (size_t)(blank - entry.p);
		entry.p += word.n + (blank != NULL);
		entry.n -= word.n + (blank != NULL);
		if (word.n != 0 && word.p[word.n - 1] == '*') {
			char plural[GUESS_MOST];

			word.n--;
			if (word.n < GUESS_MOST) {
				memcpy(plural, word.p, word.n);
				plural[word.n] = 's';
				add_word((struct span){plural, word.n + 1});
			}
		}
		add_word(word);
	}
}

/* Whether the two differ by one letter more, less, or another. */
static bool
is_edited(struct span a, struct span b)
{
	size_t head = 0, tail = 0;
	size_t n = a.n < b.n ? a.n : b.n, most = a.n < b.n ? b.n : a.n;

	if (most - n > 1)
		return false;
	while (head < n && a.p[head] == b.p[head])
		head++;
	while (tail < n - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
		tail++;
	return head + tail + 1 >= most;
}

/* The candidate, if it is close enough. */
static uint32_t
accept(uint32_t at, struct span word)
{
	return at != NO_WORD && is_edited(word, table.words[at]) ? at : NO_WORD;
}

/* A word with one letter too few, too many, or another. */
static uint32_t
find_edited(struct span word, uint32_t key)
{
	uint32_t at = accept(get(&table.without, key), word);

	for (size_t i = 1; at == NO_WORD && i < word.n; i++) {
		uint32_t less = key - letter(word.p[i]);

		at = accept(get(&table.whole, less), word);
		if (at == NO_WORD)
			at = accept(get(&table.without, less), word);
	}
	return at;
}

struct span
lexicon_guess(struct span word)
{
	const struct span none = {NULL, 0};
	uint32_t key, at;

	if (word.n < GUESS_LEAST || word.n > GUESS_MOST || !is_latin(word))
		return none;
	key = key_of(word);
	at = get(&table.whole, key);
	if (at != NO_WORD && span_equal(table.words[at], word))
		return none;
	if (at != NO_WORD &&
	    (table.words[at].n != word.n || table.words[at].p[0] != word.p[0] ||
		table.words[at].p[word.n - 1] != word.p[word.n - 1]))
		at = NO_WORD;
	if (at == NO_WORD && word.n >= LEAST_EDITED && may_be_edited(word))
		at = find_edited(word, key);
	return at == NO_WORD || is_right(word) ? none : table.words[at];
}
