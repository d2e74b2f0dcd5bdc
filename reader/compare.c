/*
 * Do two texts say the same? Counts words, and three of them in a row, by hash
 * in a fixed table; a collision only makes texts look more alike. Pure.
 */
#include "reader/compare.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORDS 20000 /* some 100,000 characters, a whole body */
#define BITS_MIN (1u << 16)
#define BITS_MAX (1u << 22) /* 8 per cent full at 1 MiB of text */
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u
#define GROUP 3 /* words in a row */

/* Which hashes there are. */
struct table {
	unsigned char *bits;
	uint32_t mask;
};

/* A word of a text. Before the first and behind the last there is one of no
 * bytes. */
struct word {
	size_t start, end;
	uint32_t hash;
	bool known;
};

/* An empty table for the words of `text`. There is one at a time. */
static struct table
table_for(struct span text)
{
	static unsigned char bits[BITS_MAX / 8]; /* too large for a stack */
	uint32_t size = BITS_MIN;

	while (size < BITS_MAX && size / 8 < text.n)
		size *= 2;
	memset(bits, 0, size / 8);
	return (struct table){bits, size - 1};
}

static void
table_add(const struct table *t, uint32_t hash)
{
	hash &= t->mask;
	t->bits[hash / 8] |= (unsigned char)(1u << hash % 8);
}

static bool
table_has(const struct table *t, uint32_t hash)
{
	hash &= t->mask;
	return (t->bits[hash / 8] >> hash % 8 & 1) != 0;
}

static bool
is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (unsigned char)c >= 0x80;
}

/* The word at or behind `at`, letters of both cases alike; false at the end.
 * Bytes beyond ASCII count as letters. */
static bool
next_word(struct span text, size_t at, struct word *out)
{
	uint32_t hash = FNV_START;

	while (at < text.n && !is_letter(text.p[at]))
		at++;
	*out = (struct word){.start = at};
	while (at < text.n && is_letter(text.p[at])) {
		hash ^= (uint32_t)(unsigned char)(text.p[at++] | 0x20);
		hash *= FNV_PRIME;
	}
	out->hash = hash ^ hash >> 15;
	out->end = at;
	return out->end > out->start;
}

unsigned
compare_words(struct span a, struct span b)
{
	struct table t = table_for(b);
	struct word word = {0};
	unsigned words = 0, common = 0;

	for (unsigned n = 0; n < WORDS && next_word(b, word.end, &word); n++)
		table_add(&t, word.hash);
	word.end = 0;
	for (; words < WORDS && next_word(a, word.end, &word); words++)
		if (table_has(&t, word.hash))
			common++;
	return words == 0 ? 100 : common * 100 / words;
}

/* The next word for `group`, the oldest first; false behind the last one of
 * no bytes, which is when `ends` reaches GROUP. */
static bool
shift(struct span text, struct word group[GROUP], unsigned *ends)
{
	size_t at = group[GROUP - 1].end;

	memmove(group, group + 1, (GROUP - 1) * sizeof *group);
	if (!next_word(text, at, &group[GROUP - 1])) {
		group[GROUP - 1] = (struct word){.start = at, .end = at};
		++*ends;
	}
	return *ends < GROUP;
}

static uint32_t
group_hash(const struct word group[GROUP])
{
	uint32_t hash = FNV_START;

	for (size_t i = 0; i < GROUP; i++)
		hash = (hash ^ group[i].hash) * FNV_PRIME;
	return hash ^ hash >> 15;
}

/* The words of `a` that wait to become a run. */
struct run {
	struct span text;
	size_t start, end;
	void (*take)(void *with, struct span run);
	void *with;
};

static void
end_run(struct run *r)
{
	if (r->end - r->start >= COMPARE_RUN_BYTES)
		r->take(r->with,
		    (struct span){r->text.p + r->start, r->end - r->start});
	r->start = r->end = 0;
}

/* A word that no later group changes. */
static void
end_word(struct run *r, const struct word *word)
{
	if (word->start == word->end)
		return;
	if (word->known) {
		end_run(r);
		return;
	}
	if (r->start == r->end)
		r->start = word->start;
	r->end = word->end;
}

void
compare_unseen(struct span a, struct span b,
    void (*take)(void *with, struct span run), void *with)
{
	struct table t = table_for(b);
	struct word in_b[GROUP] = {0}, in_a[GROUP] = {0};
	struct run run = {.text = a, .take = take, .with = with};
	unsigned ends = 0;

	while (shift(b, in_b, &ends))
		table_add(&t, group_hash(in_b));
	ends = 0;
	while (shift(a, in_a, &ends)) {
		if (table_has(&t, group_hash(in_a)))
			for (size_t i = 0; i < GROUP; i++)
				in_a[i].known = true;
		end_word(&run, &in_a[0]);
	}
	end_run(&run);
}
