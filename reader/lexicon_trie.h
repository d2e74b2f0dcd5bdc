/*
 * The words of the lexicon as a trie in one array: the children of a node are
 * side by side, and what follows where only one word is left is in one piece,
 * so that a walk along a word reads little memory. A part of the lexicon.
 */
#ifndef TRIZONE_READER_LEXICON_TRIE_H
#define TRIZONE_READER_LEXICON_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/text.h"
#include "reader/ascii_word.h"

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

#define TRIE_TAIL UINT32_C(0x80000000) /* a node that is a place in `tails` */
#define TRIE_TAIL_BYTES (1 + sizeof(uint16_t)) /* behind one */

struct trie_node {
	uint32_t child; /* where they are; without any, its tail, or 0 */
	uint16_t end;	/* in `ends`; 0: no word ends here */
	uint16_t children;
};

_Static_assert(sizeof(struct trie_node) == WORD_EIGHT, "as bytes have it");

/* Classes of the words that end at a node. */
struct trie_end {
	uint64_t whole;
	uint64_t open; /* the same, where any ending may follow */
};

struct trie {
	struct trie_node *nodes;
	struct trie_end *ends;
	char *tails; /* the rest of a word that is like no other, NUL, and what
			ends there */
	uint16_t one[2][64]; /* in `ends`: one class, whole or open; 0: none */
	uint32_t count, end_count, tail_bytes;
	uint32_t start[65536]; /* nodes by their first two bytes; 0: none */
};

/* Fill an empty trie with `count` entries; sorts them. */
void trie_make(struct trie *t, struct trie_entry *entries, size_t count);

/* The node for two bytes, or 0. */
static inline uint32_t
trie_start(const struct trie *t, unsigned char first, unsigned char second)
{
	return t->start[first << 8 | second];
}

/* Before its children a node has their bytes, in the room of so many nodes. */
static inline uint32_t
trie_byte_nodes(uint32_t children)
{
	return (children + WORD_EIGHT - 1) / WORD_EIGHT;
}

/* The place in a tail behind its next byte, or 0. */
static inline uint32_t
trie_tail_next(const struct trie *t, uint32_t at, unsigned char byte)
{
	return byte != 0 && (unsigned char)t->tails[at] == byte
		   ? TRIE_TAIL | (at + 1)
		   : 0;
}

/* What ends at a node. */
static inline const struct trie_end *
trie_end(const struct trie *t, uint32_t node)
{
	const char *tail = t->tails + (node & ~TRIE_TAIL);
	uint16_t end = 0;

	if ((node & TRIE_TAIL) == 0)
		end = t->nodes[node].end;
	else if (*tail == '\0')
		memcpy(&end, tail + 1, sizeof end);
	return &t->ends[end];
}

/* The child of a node, or place in a tail, for a byte, or 0. */
static inline uint32_t
trie_child(const struct trie *t, uint32_t node, unsigned char byte)
{
	const struct trie_node *of;
	const char *bytes;

	if ((node & TRIE_TAIL) != 0)
		return trie_tail_next(t, node & ~TRIE_TAIL, byte);
	of = &t->nodes[node];
	if (of->children == 0)
		return of->child == 0 ? 0 : trie_tail_next(t, of->child, byte);
	bytes = (const char *)&t->nodes[of->child];
	for (uint32_t k = 0; k < of->children; k += WORD_EIGHT) {
		uint64_t same = word_load(bytes + k) ^ WORD_ONES * byte;

		same = (same - WORD_ONES) & ~same & WORD_HIGH;
		if (same == 0)
			continue;
		k += (uint32_t)__builtin_ctzll(same) / 8;
		return k < of->children
			   ? of->child + trie_byte_nodes(of->children) + k
			   : 0;
	}
	return 0;
}

#endif
