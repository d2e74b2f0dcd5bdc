/*
 * Making the trie: the words in order, a node stands for those that begin
 * alike.
 */
#include "reader/lexicon_trie.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

#define SORT_BYTES 4
#define ENDS_MOST 4096
#define START_BYTES 2 /* of which the trie knows the node */

static uint64_t
prefix_of(struct span text)
{
	return __builtin_bswap64(word_load_some(text.p, text.n));
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

/* Entries in the order of one byte of their prefix, else as they were. */
static void
sort_by_byte(const struct trie_entry *from, size_t count, unsigned shift,
    struct trie_entry *to)
{
	size_t starts[256] = {0}, start = 0;

	for (size_t i = 0; i < count; i++)
		starts[from[i].prefix >> shift & 0xff]++;
	for (size_t k = 0; k < 256; k++) {
		start += starts[k];
		starts[k] = start - starts[k];
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].prefix >> shift & 0xff]++] = from[i];
}

/* Sort them: by their first bytes without a comparison, as there are many. */
static void
sort(struct trie_entry *entries, size_t count)
{
	struct trie_entry *other = alloc_array(count, sizeof *other);
	size_t end;

	for (unsigned shift = 64 - 8 * SORT_BYTES; shift < 64; shift += 16) {
		sort_by_byte(entries, count, shift, other);
		sort_by_byte(other, count, shift + 8, entries);
	}
	free(other);
	for (size_t i = 0; i < count; i = end) {
		uint64_t first = entries[i].prefix >> (64 - 8 * SORT_BYTES);

		end = i + 1;
		while (end < count &&
		       entries[end].prefix >> (64 - 8 * SORT_BYTES) == first)
			end++;
		qsort(entries + i, end - i, sizeof *entries, compare);
	}
}

static size_t
common_prefix(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	return i;
}

/* What the sorted entries need at most: nodes, with one that is none and one
 * for the beginning of all, and bytes of tails. */
static void
count_sizes(const struct trie_entry *entries, size_t count, size_t *nodes_out,
    size_t *bytes_out)
{
	size_t before = 0,
	       behind; /* bytes shared with the words at its sides */

	*nodes_out = 2;
	*bytes_out = 1;
	for (size_t i = 0; i < count; i++) {
		struct span text = trie_entry_text(&entries[i]);
		size_t depth;

		behind = i + 1 == count ? 0
					: common_prefix(text,
					      trie_entry_text(&entries[i + 1]));
		if (i + 1 < count && behind == text.n &&
		    behind == entries[i + 1].bytes)
			continue; /* the same again */
		depth = (before > behind ? before : behind) + 1;
		depth = depth < START_BYTES ? START_BYTES : depth;
		depth = depth > text.n ? text.n : depth;
		/* each may be the first of its parent's */
		*nodes_out += 2 * (depth - before);
		*bytes_out +=
		    text.n == depth ? 0 : text.n - depth + TRIE_TAIL_BYTES;
		before = behind;
	}
	if (*nodes_out >= TRIE_TAIL || *bytes_out >= TRIE_TAIL)
		bug("%zu nodes", *nodes_out);
}

/* The place of what ends somewhere in `ends`, where there are few: the most
 * are words of one class. */
static uint16_t
find_end(struct trie *t, const struct trie_end *end)
{
	uint64_t all = end->whole | end->open;
	uint16_t *one = NULL;
	uint32_t i = 1;

	if ((all & (all - 1)) == 0 && (end->whole & end->open) == 0)
		one = &t->one[end->open != 0][__builtin_ctzll(all)];
	if (one != NULL && *one != 0)
		return *one;
	while (i < t->end_count &&
	       (t->ends[i].whole != end->whole || t->ends[i].open != end->open))
		i++;
	if (i == ENDS_MOST)
		bug("more than %u ends", i);
	if (i == t->end_count)
		t->ends[t->end_count++] = *end;
	if (one != NULL)
		*one = (uint16_t)i;
	return (uint16_t)i;
}

/* Entries that share their first `depth` bytes, and the node of these. */
struct range {
	const struct trie_entry *first, *end;
	uint32_t node, depth;
};

/* What the words from r->first to before `end` end with; goes on to the
 * others. */
static uint16_t
take_ends(struct trie *t, struct range *r, const struct trie_entry *end)
{
	struct trie_end classes = {0, 0};

	for (; r->first < end; r->first++) {
		uint64_t bit = UINT64_C(1) << r->first->class;

		if (r->first->open)
			classes.open |= bit;
		else
			classes.whole |= bit;
	}
	return find_end(t, &classes);
}

static unsigned char
byte_at(const struct trie_entry *entry, uint32_t depth)
{
	if (depth < sizeof entry->prefix)
		return (unsigned char)(entry->prefix >> (56 - 8 * depth));
	return (unsigned char)entry->p[depth];
}

/* Whether one word is left, which goes on. */
static bool
has_tail(const struct trie *t, const struct range *r)
{
	return t->nodes[r->node].end == 0 && r->depth >= START_BYTES &&
	       span_equal(
		   trie_entry_text(r->first), trie_entry_text(r->end - 1));
}

static void
add_tail(struct trie *t, struct range *r)
{
	size_t bytes = r->first->bytes - r->depth;
	char *to = t->tails + t->tail_bytes;
	uint16_t end;

	t->nodes[r->node].child = t->tail_bytes;
	t->tail_bytes += (uint32_t)(bytes + TRIE_TAIL_BYTES);
	memcpy(to, r->first->p + r->depth, bytes);
	to[bytes] = '\0';
	end = take_ends(t, r, r->end);
	memcpy(to + bytes + 1, &end, sizeof end);
}

/* How many bytes come next in a range of entries that are longer. */
static uint32_t
count_children(const struct range *r)
{
	uint32_t count = 1;

	for (const struct trie_entry *e = r->first + 1; e < r->end; e++)
		count += byte_at(e, r->depth) != byte_at(e - 1, r->depth);
	return count;
}

/* Make the children of a range of entries that are longer, and put their
 * ranges on the stack, the first one on top. */
static struct range *
add_children(struct trie *t, const struct range *r, struct range *top)
{
	const struct trie_entry *end = r->end, *first = end - 1;
	uint32_t count = count_children(r), node;
	char *bytes = (char *)&t->nodes[t->count];

	t->nodes[r->node].child = t->count;
	t->nodes[r->node].children = (uint16_t)count;
	t->count += trie_byte_nodes(count) + count;
	node = t->count;
	bytes += count;
	for (; end > r->first; end = first--) {
		unsigned char byte = byte_at(first, r->depth);

		while (first > r->first && byte_at(first - 1, r->depth) == byte)
			first--;
		*--bytes = (char)byte;
		node--;
		if (r->depth == START_BYTES - 1)
			t->start[byte_at(first, 0) << 8 | byte] = node;
		*top++ = (struct range){first, end, node, r->depth + 1};
	}
	return top;
}

void
trie_make(struct trie *t, struct trie_entry *entries, size_t count)
{
	struct range *stack, *top; /* no two share an entry */
	size_t nodes, bytes;

	for (size_t i = 0; i < count; i++) {
		struct span text = trie_entry_text(&entries[i]);

		if (text.n < START_BYTES)
			bug("a word of %zu bytes", text.n);
		entries[i].prefix = prefix_of(text);
	}
	sort(entries, count);
	count_sizes(entries, count, &nodes, &bytes);
	t->nodes = alloc_array(nodes, sizeof *t->nodes);
	t->tails = alloc_bytes(bytes);
	t->ends = alloc_array(ENDS_MOST, sizeof *t->ends);
	t->count = 2;
	t->end_count = t->tail_bytes = 1;
	stack = top = alloc_array(count, sizeof *stack);
	*top++ = (struct range){entries, entries + count, 1, 0};
	while (top > stack) {
		struct range r = *--top;
		const struct trie_entry *e = r.first;

		while (e < r.end && e->bytes == r.depth)
			e++;
		if (e != r.first)
			t->nodes[r.node].end = take_ends(t, &r, e);
		if (r.first == r.end)
			continue;
		if (has_tail(t, &r))
			add_tail(t, &r);
		else
			top = add_children(t, &r, top);
	}
	free(stack);
}
