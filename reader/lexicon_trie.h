/*
 * The words of the lexicon as a trie in one array: the children of a node are
 * side by side, and what is below the first of them comes right behind, so
 * that a walk along a word reads little memory, and mostly forwards. A part of
 * the lexicon.
 */
#ifndef TRIZONE_READER_LEXICON_TRIE_H
#define TRIZONE_READER_LEXICON_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

/* A word to be put in: at least two bytes. */
struct trie_entry {
	uint64_t prefix; /* its first bytes, as they sort; trie_make sets it */
	const char *p;
	uint16_t bytes;
	uint8_t class;
	bool open; /* any ending may follow */
};

static inline struct span
trie_entry_text(const struct trie_entry *entry)
{
	return (struct span){entry->p, entry->bytes};
}

struct trie_node {
	uint32_t child; /* the first one, by their bytes */
	uint16_t end;	/* in `ends`; 0: no word ends here */
	uint8_t byte;
	uint8_t children;
};

/* Classes of the words that end at a node. */
struct trie_end {
	uint64_t whole;
	uint64_t open; /* the same, where any ending may follow */
};

struct trie {
	struct trie_node *nodes;
	struct trie_end *ends;
	uint32_t count, end_count;
	uint32_t start[65536]; /* nodes by their first two bytes; 0: none */
};

/* Make an empty trie of `count` entries, which are sorted. */
void trie_make(struct trie *t, struct trie_entry *entries, size_t count);

/* The node for two bytes, or 0. */
static inline uint32_t
trie_start(const struct trie *t, unsigned char first, unsigned char second)
{
	return t->start[first << 8 | second];
}

/* The child of a node for a byte, or 0. */
static inline uint32_t
trie_child(const struct trie *t, uint32_t node, unsigned char byte)
{
	uint32_t at = t->nodes[node].child;
	uint32_t end = at + t->nodes[node].children;

	while (at != end && t->nodes[at].byte < byte)
		at++;
	return at != end && t->nodes[at].byte == byte ? at : 0;
}

#endif
