/*
 * Making the trie: of words in order, each shares its beginning with the one
 * before it.
 */
#include "reader/lexicon_trie.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

#define DEPTH_MOST 1024

static uint64_t
prefix_of(struct span text)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < 8; i++)
		prefix =
		    prefix << 8 | (i < text.n ? (unsigned char)text.p[i] : 0);
	return prefix;
}

static int
compare(const void *a, const void *b)
{
	const struct trie_entry *one = a, *other = b;
	size_t n;
	int rc;

	if (one->prefix != other->prefix)
		return one->prefix < other->prefix ? -1 : 1;
	n = one->bytes < other->bytes ? one->bytes : other->bytes;
	rc = memcmp(one->p, other->p, n);
	return rc != 0 ? rc : (int)one->bytes - (int)other->bytes;
}

/* Sort them: by their first byte without a comparison, as there are many. */
static void
sort(struct trie_entry *entries, size_t count)
{
	struct trie_entry *sorted = alloc_array(count, sizeof *sorted);
	size_t ends[256] = {0}, start = 0;

	for (size_t i = 0; i < count; i++)
		ends[entries[i].prefix >> 56]++;
	for (size_t k = 0; k < 256; k++) {
		start += ends[k];
		ends[k] = start - ends[k];
	}
	for (size_t i = 0; i < count; i++)
		sorted[ends[entries[i].prefix >> 56]++] = entries[i];
	start = 0;
	for (size_t k = 0; k < 256; start = ends[k++])
		qsort(sorted + start, ends[k] - start, sizeof *sorted, compare);
	memcpy(entries, sorted, count * sizeof *entries);
	free(sorted);
}

static size_t
common_prefix(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	return i;
}

/* Nodes that the sorted entries need, and one that is none. */
static uint32_t
count_nodes(const struct trie_entry *entries, size_t count)
{
	struct span last = {NULL, 0};
	size_t nodes = 1;

	for (size_t i = 0; i < count; i++) {
		struct span text = trie_entry_text(&entries[i]);

		nodes += text.n - common_prefix(last, text);
		last = text;
	}
	if (nodes > UINT32_MAX)
		bug("%zu nodes", nodes);
	return (uint32_t)nodes;
}

/* Note the class of a word at its last node. */
static void
add_end(struct trie *t, uint32_t node, const struct trie_entry *entry)
{
	struct trie_node *at = &t->nodes[node];
	uint64_t bit = UINT64_C(1) << entry->class;

	if (at->end == 0) {
		if (t->end_count == UINT16_MAX)
			bug("more than %u words", t->end_count);
		at->end = (uint16_t)t->end_count++;
	}
	if (entry->open)
		t->ends[at->end].open |= bit;
	else
		t->ends[at->end].whole |= bit;
}

/* Put an entry in behind the one that was put in last; path[] are the nodes of
 * that one, by depth. */
static void
add_entry(struct trie *t, const struct trie_entry *entry, struct span last,
    uint32_t path[DEPTH_MOST])
{
	struct span text = trie_entry_text(entry);
	size_t same = common_prefix(last, text);

	for (size_t depth = same; depth < text.n; depth++) {
		uint32_t node = t->count++;

		t->nodes[node].byte = (uint8_t)text.p[depth];
		if (depth == same && depth < last.n)
			t->nodes[path[depth]].next = node;
		else if (depth != 0)
			t->nodes[path[depth - 1]].parent = true;
		path[depth] = node;
	}
	t->start[(unsigned char)text.p[0] << 8 | (unsigned char)text.p[1]] =
	    path[1];
	add_end(t, path[text.n - 1], entry);
}

void
trie_make(struct trie *t, struct trie_entry *entries, size_t count)
{
	uint32_t path[DEPTH_MOST];
	struct span last = {NULL, 0};

	for (size_t i = 0; i < count; i++) {
		struct span text = trie_entry_text(&entries[i]);

		if (text.n < 2 || text.n > DEPTH_MOST)
			bug("a word of %zu bytes", text.n);
		entries[i].prefix = prefix_of(text);
	}
	sort(entries, count);
	t->nodes = alloc_array(count_nodes(entries, count), sizeof *t->nodes);
	t->ends = alloc_array(count + 1, sizeof *t->ends);
	t->count = t->end_count = 1;
	for (size_t i = 0; i < count; i++) {
		add_entry(t, &entries[i], last, path);
		last = trie_entry_text(&entries[i]);
	}
}
