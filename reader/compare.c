/*
 * Do two texts say the same? Counts words by hash in a fixed table, where a
 * collision only makes texts look more alike, and keeps hashes of 64 bits for
 * three words in a row. Each look takes a bounded number of steps.
 */
#include "reader/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define WORDS 20000 /* some 100,000 characters, a whole body */
#define BITS_MIN (1u << 16)
#define BITS_MAX (1u << 20) /* 2 per cent full with so many words */
#define SLOTS_MIN (1u << 10)
#define PROBES 16 /* slots looked at; what finds no place is not seen */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
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
	uint64_t hash;
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
table_add(const struct table *t, uint64_t hash)
{
	hash &= t->mask;
	t->bits[hash / 8] |= (unsigned char)(1u << hash % 8);
}

static bool
table_has(const struct table *t, uint64_t hash)
{
	hash &= t->mask;
	return (t->bits[hash / 8] >> hash % 8 & 1) != 0;
}

/* Every bit of the result depends on every bit before. */
static uint64_t
mixed(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
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
	uint64_t hash = FNV_START;

	while (at < text.n && !is_letter(text.p[at]))
		at++;
	*out = (struct word){.start = at};
	while (at < text.n && is_letter(text.p[at])) {
		hash ^= (uint64_t)(unsigned char)(text.p[at++] | 0x20);
		hash *= FNV_PRIME;
	}
	out->hash = mixed(hash);
	out->end = at;
	return out->end > out->start;
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

/* Never 0, which is an empty slot. */
static uint64_t
group_hash(const struct word group[GROUP])
{
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < GROUP; i++)
		hash = (hash ^ group[i].hash) * FNV_PRIME;
	return mixed(hash) | 1;
}

/* The words of a text that wait to become a run. */
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

/* The slot of a group: where it is, or may be put; NULL: it has no place. */
static uint64_t *
find_slot(const struct compare *c, uint64_t group)
{
	for (size_t i = 0; i < PROBES; i++) {
		uint64_t *slot = &c->groups[(group / 2 + i) & c->mask];

		if (*slot == group || *slot == 0)
			return slot;
	}
	return NULL;
}

void
compare_begin(struct compare *c, struct span shown)
{
	struct word in[GROUP] = {0};
	size_t slots = SLOTS_MIN;
	struct table t;
	unsigned ends = 0;

	/* a word and what ends it take two bytes */
	while (slots < shown.n)
		slots *= 2;
	*c = (struct compare){.mask = slots - 1};
	c->groups = alloc_array(slots, sizeof *c->groups);
	c->words = alloc_array(WORDS, sizeof *c->words);
	c->bits = alloc_array(BITS_MAX / 8, 1);
	t = (struct table){c->bits, BITS_MAX - 1};
	while (shift(shown, in, &ends)) {
		uint64_t group = group_hash(in), *slot = find_slot(c, group);

		if (slot != NULL)
			*slot = group;
		if (c->count == WORDS || ends != 0)
			continue;
		table_add(&t, in[GROUP - 1].hash);
		c->words[c->count++] = in[GROUP - 1].hash;
	}
}

void
compare_end(struct compare *c)
{
	free(c->groups);
	free(c->bits);
	free(c->words);
}

void
compare_shares(const struct compare *c, struct span text, unsigned *text_out,
    unsigned *shown_out)
{
	struct table t = table_for(text);
	struct word word = {0};
	unsigned words = 0, common = 0;

	for (; words < WORDS && next_word(text, word.end, &word); words++)
		table_add(&t, word.hash);
	for (uint32_t i = 0; i < c->count; i++)
		common += table_has(&t, c->words[i]);
	*shown_out = c->count == 0 ? 100 : common * 100 / c->count;

	t = (struct table){c->bits, BITS_MAX - 1};
	common = 0;
	word.end = 0;
	for (unsigned n = 0; n < words && next_word(text, word.end, &word); n++)
		common += table_has(&t, word.hash);
	*text_out = words == 0 ? 100 : common * 100 / words;
}

void
compare_unseen(const struct compare *c, struct span text,
    void (*take)(void *with, struct span run), void *with)
{
	struct word in[GROUP] = {0};
	struct run run = {.text = text, .take = take, .with = with};
	unsigned ends = 0;

	while (shift(text, in, &ends)) {
		uint64_t group = group_hash(in);
		const uint64_t *slot = find_slot(c, group);

		if (slot != NULL && *slot == group)
			for (size_t i = 0; i < GROUP; i++)
				in[i].known = true;
		end_word(&run, &in[0]);
	}
	end_run(&run);
}
