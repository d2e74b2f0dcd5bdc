/*
 * The detector's words in a trie whose edges are in one hash table. A walk
 * begins where a word begins, so that most bytes of a text cost nothing. The
 * tables are made once, before the process is locked, and never change.
 */
#include "reader/lexicon.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/fold.h"
#include "reader/lexicon_guess.h"

#define WORD_BYTES 1024 /* longest entry, folded */
#define NO_NODE UINT32_MAX
#define MATCHES 16 /* ends of words on one walk */

_Static_assert(WORD_CLASS_COUNT <= 64, "classes are bits of 64");

struct word {
	uint8_t class;
	bool english;
	const char *text;
};

static const char *const class_names[WORD_CLASS_COUNT] = {
#define WORD_CLASS(name, text) [WORD_##name] = text,
#include "reader/word_class.def"
#undef WORD_CLASS
};

#define WORD(class, text) {WORD_##class, ENGLISH, text},
static const struct word words[] = {
#define ENGLISH false
#include "reader/words/all.def"
#include "reader/words/markers.def"
#include "reader/words/reply.def"
#undef ENGLISH
#define ENGLISH true
#include "reader/words/en.def"
#undef ENGLISH
};
#undef WORD

struct node {
	uint64_t whole; /* classes of the word that ends here */
	uint64_t open;	/* the same, where any ending may follow */
};

struct edge {
	uint32_t key; /* node << 8 | byte, plus one; 0: none */
	uint32_t to;
};

static struct {
	struct node *nodes;
	uint32_t count, cap;
	struct edge *edges;
	uint32_t edge_mask;
	uint32_t root[256];
	/* whether a word may begin so: its first two bytes, where it has two
	 * or three; a hash of its first four */
	uint8_t two[8192], four[8192];
} trie;

const char *word_class_name(enum word_class class)
{
	if ((unsigned)class >= WORD_CLASS_COUNT)
		bug("word class %d", (int)class);
	return class_names[class];
}

bool
lexicon_unspaced(uint32_t code)
{
	return (code >= 0x3040 && code <= 0x30ff) || /* kana */
	       (code >= 0x3400 && code <= 0x9fff) || /* Han */
	       (code >= 0xf900 && code <= 0xfaff) ||
	       (code >= 0x20000 && code <= 0x3ffff) ||
	       (code >= 0x0e00 && code <= 0x0eff) || /* Thai, Lao */
	       (code >= 0x1000 && code <= 0x109f) || /* Burmese */
	       (code >= 0x1780 && code <= 0x17ff);   /* Khmer */
}

static uint32_t
edge_hash(uint32_t key)
{
	return (key * UINT32_C(2654435761)) >> 7;
}

static uint32_t
child(uint32_t node, unsigned char byte)
{
	uint32_t key = (node << 8 | byte) + 1, at;

	if (node == 0)
		return trie.root[byte];
	for (at = edge_hash(key) & trie.edge_mask; trie.edges[at].key != 0;
	     at = (at + 1) & trie.edge_mask)
		if (trie.edges[at].key == key)
			return trie.edges[at].to;
	return NO_NODE;
}

static uint32_t
new_node(void)
{
	if (trie.count == trie.cap) {
		trie.cap = trie.cap == 0 ? 4096 : trie.cap * 2;
		trie.nodes =
		    alloc_resize(trie.nodes, trie.cap, sizeof *trie.nodes);
	}
	trie.nodes[trie.count] = (struct node){0, 0};
	return trie.count++;
}

static uint32_t
make_child(uint32_t node, unsigned char byte)
{
	uint32_t to = child(node, byte), key = (node << 8 | byte) + 1, at;

	if (to != NO_NODE)
		return to;
	to = new_node();
	if (node == 0) {
		trie.root[byte] = to;
		return to;
	}
	at = edge_hash(key) & trie.edge_mask;
	while (trie.edges[at].key != 0)
		at = (at + 1) & trie.edge_mask;
	trie.edges[at] = (struct edge){key, to};
	return to;
}

static bool
begins_unspaced(struct span text)
{
	uint32_t code;

	return utf8_decode(text.p, text.n, &code) != 0 &&
	       lexicon_unspaced(code);
}

static bool
is_ascii_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Put one folded entry in. */
static void
insert(struct span text, unsigned class)
{
	bool open = text.p[text.n - 1] == '*' || begins_unspaced(text) ||
		    class == WORD_MARKER;
	uint32_t node = 0;

	if (text.p[text.n - 1] == '*')
		text.n--;
	for (size_t i = 0; i < text.n; i++)
		node = make_child(node, (unsigned char)text.p[i]);
	if (open)
		trie.nodes[node].open |= UINT64_C(1) << class;
	else
		trie.nodes[node].whole |= UINT64_C(1) << class;
}

static unsigned
two_key(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static unsigned
four_key(const char *p)
{
	uint32_t bytes;

	memcpy(&bytes, p, sizeof bytes);
	return (bytes * UINT32_C(2654435761)) >> 16;
}

/* Note how a word begins. One with a blank among its first four bytes may
 * stand in the text with a line end there. */
static void
note_start(struct span text)
{
	if (text.p[text.n - 1] == '*')
		text.n--;
	if (text.n < 4 || memchr(text.p, ' ', 4) != NULL)
		trie.two[two_key(text.p) / 8] |=
		    (uint8_t)(1u << two_key(text.p) % 8);
	else
		trie.four[four_key(text.p) / 8] |=
		    (uint8_t)(1u << four_key(text.p) % 8);
}

static bool
may_begin(struct span text, size_t i)
{
	const char *p = text.p + i;

	if (text.n - i < 2)
		return false;
	if ((trie.two[two_key(p) / 8] >> two_key(p) % 8 & 1) != 0)
		return true;
	return text.n - i >= 4 &&
	       (trie.four[four_key(p) / 8] >> four_key(p) % 8 & 1) != 0;
}

static void
reserve_edges(void)
{
	size_t bytes = 0, size = 1024;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		bytes += strlen(words[i].text);
	while (size < bytes * 2)
		size *= 2;
	trie.edges = alloc_array(size, sizeof *trie.edges);
	trie.edge_mask = (uint32_t)size - 1;
}

void
lexicon_warm(void)
{
	struct fold fold;

	if (trie.count != 0)
		return;
	for (size_t i = 0; i < 256; i++)
		trie.root[i] = NO_NODE;
	reserve_edges();
	(void)new_node();
	fold_init(&fold, WORD_BYTES);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (fold_text(&fold, span_of(words[i].text)) != 0 ||
		    fold.text.len < 2)
			bug("word %s", words[i].text);
		note_start((struct span){fold.text.data, fold.text.len});
		insert((struct span){fold.text.data, fold.text.len},
		    words[i].class);
		if (words[i].english)
			guess_add((struct span){fold.text.data, fold.text.len});
	}
	fold_done(&fold);
}

static void
put_hit(struct hits *out, size_t start, size_t end, unsigned class)
{
	if (out->count == HITS_MAX)
		return;
	if (out->count == out->cap) {
		out->cap = out->cap == 0 ? 64 : out->cap * 2;
		out->at = alloc_resize(out->at, out->cap, sizeof *out->at);
	}
	out->at[out->count++] =
	    (struct hit){(uint32_t)start, (uint32_t)end, (uint8_t) class};
}

/* Whether a word may end before byte i. */
static bool
ends_word(struct span text, size_t i)
{
	if (i == text.n)
		return true;
	if ((unsigned char)text.p[i] < 0x80)
		return !is_ascii_word((unsigned char)text.p[i]);
	return begins_unspaced((struct span){text.p + i, text.n - i});
}

/* All words that begin at `start`; the longest of each class. The number of
 * words found. */
static size_t
walk(struct span text, size_t start, bool loose, struct hits *out)
{
	struct {
		uint64_t classes;
		size_t end;
	} found[MATCHES];
	size_t count = 0, before = out->count;
	uint64_t seen = 0;
	uint32_t node = 0;

	for (size_t i = start; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		uint32_t to = child(node, c);
		uint64_t classes;

		if (to == NO_NODE && c == '\n')
			to = child(node, ' ');
		if (to == NO_NODE)
			break;
		node = to;
		classes = trie.nodes[node].open;
		if (trie.nodes[node].whole != 0 &&
		    (loose || ends_word(text, i + 1)))
			classes |= trie.nodes[node].whole;
		if (classes != 0 && count < MATCHES) {
			found[count].classes = classes;
			found[count++].end = i + 1;
		}
	}
	while (count-- > 0) {
		uint64_t fresh = found[count].classes & ~seen;

		seen |= fresh;
		for (unsigned k = 0; fresh != 0; k++, fresh >>= 1)
			if ((fresh & 1) != 0)
				put_hit(out, start, found[count].end, k);
	}
	return out->count - before;
}

/* The words that the one at `start` was most likely meant to be. */
static void
guess(struct span text, size_t start, struct hits *out)
{
	struct span word = {text.p + start, 0};
	size_t first = out->count, end;

	while (start + word.n < text.n && text.p[start + word.n] >= 'a' &&
	       text.p[start + word.n] <= 'z')
		word.n++;
	end = start + word.n;
	if (!ends_word(text, end))
		return;
	word = lexicon_guess(word);
	if (word.n == 0 || walk(word, 0, false, out) == 0)
		return;
	for (size_t i = first; i < out->count; i++) {
		out->at[i].start = (uint32_t)start;
		out->at[i].end = (uint32_t)end;
	}
}

void
lexicon_find(struct span text, bool loose, struct hits *out)
{
	bool inside = false; /* of a word */
	size_t i = 0;

	out->count = 0;
	while (i < text.n) {
		unsigned char c = (unsigned char)text.p[i];
		size_t length = 1;
		bool begins;

		if (c < 0x80) {
			begins = loose || !inside || !is_ascii_word(c);
			inside = is_ascii_word(c);
		} else {
			uint32_t code = 0;

			length = utf8_decode(text.p + i, text.n - i, &code);
			if (length == 0)
				length = 1;
			begins = loose || !inside || lexicon_unspaced(code);
			inside = !lexicon_unspaced(code);
		}
		if (begins &&
		    (!may_begin(text, i) || walk(text, i, loose, out) == 0) &&
		    c >= 'a' && c <= 'z' && !loose)
			guess(text, i, out);
		i += length;
	}
}

void
hits_done(struct hits *h)
{
	free(h->at);
	*h = (struct hits){0};
}
