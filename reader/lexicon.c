/*
 * The detector's words. A walk through their trie begins where a word begins,
 * and only if a sieve over the first bytes of all words lets it, so that most
 * of a text costs little. The tables are made once, before the process is
 * locked, and never change.
 */
#include "reader/lexicon.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/ascii_word.h"
#include "reader/fold.h"
#include "reader/lexicon_guess.h"
#include "reader/lexicon_trie.h"

#define WORD_BYTES 1024 /* longest entry, folded */
#define MATCHES 16	/* ends of words on one walk */
#define URL_BYTES 2048
#define GAP_MOST 3 /* bytes in a gap beside the first */
#define SIEVE_BITS 18
#define FOREIGN_LEAST 8 /* letters of words that are guessed */
#define SIEVE_BYTES 6	/* of a word that has as many */
#define SIEVE_SHORT 3	/* of others that are not a word of a to z */
#define TAG_SHORT UINT64_C(0xff)

_Static_assert(WORD_CLASS_COUNT <= 64, "classes are bits of 64");

struct word {
	uint8_t class;
	bool english;
	uint16_t bytes;
};

static const char *const class_names[WORD_CLASS_COUNT] = {
#define WORD_CLASS(name, text) [WORD_##name] = text,
#include "reader/word_class.def"
#undef WORD_CLASS
};

/* Their texts in one piece, one after the other with a NUL behind: pointers to
 * each would have to be set in every process that starts. */
#define NAME(number) NAMED(number)
#define NAMED(number) word_##number
static const struct {
#define WORD(class, text) char NAME(__COUNTER__)[sizeof(text)];
#include "reader/words/entries.def"
#undef WORD
} texts = {
#define WORD(class, text) text,
#include "reader/words/entries.def"
#undef WORD
};
#undef NAME
#undef NAMED

#define WORD(class, text) {WORD_##class, ENGLISH, sizeof(text) - 1},
static const struct word words[] = {
#include "reader/words/entries.def"
};
#undef WORD

static struct {
	struct trie trie;
	bool first[256]; /* whether a word begins so */
	/* hashes of how words begin: see sieve_add */
	uint64_t sieve[(1u << SIEVE_BITS) / 64];
} table;

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
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Eight bytes with blanks for line ends: an entry's blank may be one in the
 * text. */
static uint64_t
without_lines(uint64_t eight)
{
	uint64_t lines = word_at_least(eight, '\n') &
			 ~word_at_least(eight, '\n' + 1) & ~eight;

	return eight + (lines >> 7) * (' ' - '\n');
}

/* The place in the sieve of `bytes` bytes of eight. */
static uint64_t
sieve_at(uint64_t eight, size_t bytes, uint64_t tag)
{
	return (word_first(eight, bytes) | tag << 56) *
		   UINT64_C(0x9e3779b97f4a7c15) >>
	       (64 - SIEVE_BITS);
}

static bool
sieve_has(uint64_t eight, size_t bytes, uint64_t tag)
{
	uint64_t at = sieve_at(eight, bytes, tag);

	return (table.sieve[at / 64] >> at % 64 & 1) != 0;
}

static void
sieve_put(uint64_t eight, size_t bytes, uint64_t tag)
{
	uint64_t at = sieve_at(eight, bytes, tag);

	table.sieve[at / 64] |= UINT64_C(1) << at % 64;
}

/* Note how a word begins: by its first bytes; by all of it, if it is short and
 * stands alone; by fewer bytes, if it is short and may go on or is not of a to
 * z. */
static void
sieve_add(struct span text, bool open)
{
	uint64_t eight = without_lines(word_load_some(text.p, text.n));

	table.first[(unsigned char)text.p[0]] = true;
	if (text.n >= SIEVE_BYTES)
		sieve_put(eight, SIEVE_BYTES, 0);
	else if (!open && word_length(text.p, text.n) == text.n)
		sieve_put(eight, text.n, text.n);
	else if (text.n >= SIEVE_SHORT)
		sieve_put(eight, SIEVE_SHORT, TAG_SHORT);
	else
		for (uint64_t next = 0; next < 256; next++)
			sieve_put(word_first(eight, 2) | next << 16,
			    SIEVE_SHORT, TAG_SHORT);
}

/* Whether a word may begin at byte i, from where on there are so many letters
 * of a to z. */
static bool
may_begin(struct span text, size_t i, size_t letters)
{
	uint64_t eight = without_lines(word_load_some(text.p + i, text.n - i));

	return sieve_has(eight, SIEVE_BYTES, 0) ||
	       (letters != 0 && letters < SIEVE_BYTES &&
		   sieve_has(eight, letters, letters)) ||
	       sieve_has(eight, SIEVE_SHORT, TAG_SHORT);
}

/* Make an entry of a word of a class by its folded text. */
static struct trie_entry
to_entry(enum word_class class, struct span text)
{
	bool open = begins_unspaced(text) || class == WORD_MARKER;

	if (text.n > 0 && text.p[text.n - 1] == '*') {
		text.n--;
		open = true;
	}
	if (text.n < 2)
		bug("word %.*s", (int)text.n, text.p);
	return (struct trie_entry){.p = text.p,
	    .bytes = (uint16_t)text.n,
	    .class = (uint8_t) class,
	    .open = open};
}

/* Whether misspelt forms are guessed: of English words, and of long ones of
 * other languages without which there is no order. */
static bool
is_guessed(const struct word *word, struct span text)
{
	if (word->english)
		return true;
	if (word->class != WORD_OVERRIDE && word->class != WORD_ORDERS &&
	    word->class != WORD_SECRET)
		return false;
	text.n -= text.p[text.n - 1] == '*';
	return text.n >= FOREIGN_LEAST && word_length(text.p, text.n) == text.n;
}

void
lexicon_warm(void)
{
	const size_t count = sizeof words / sizeof words[0];
	struct trie_entry *entries;
	const char *from = (const char *)&texts;
	struct fold fold;
	struct span text;
	char *pool, *to;

	if (table.trie.count != 0)
		return;
	entries = alloc_array(count, sizeof *entries);
	pool = to = alloc_bytes(sizeof texts * FOLD_GROWTH);
	fold_init(&fold, WORD_BYTES);
	for (size_t i = 0; i < count; i++) {
		if (fold_text(&fold, (struct span){from, words[i].bytes}) != 0)
			bug("word %s", from);
		from += words[i].bytes + 1;
		text = (struct span){to, fold.text.len};
		memcpy(to, fold.text.data, text.n);
		to += text.n;
		entries[i] = to_entry(words[i].class, text);
		sieve_add(trie_entry_text(&entries[i]), entries[i].open);
		if (is_guessed(&words[i], text))
			guess_add(text);
	}
	fold_done(&fold);
	trie_make(&table.trie, entries, count);
	free(entries);
	free(pool);
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

/* Whether the character that is not ASCII goes on with a word: a letter, a
 * digit or a mark, of a script with blanks between words. */
static bool
is_inside(struct span text)
{
	uint32_t code;

	return utf8_decode(text.p, text.n, &code) != 0 &&
	       !lexicon_unspaced(code) &&
	       (g_unichar_isalnum(code) || g_unichar_ismark(code));
}

/* Whether a word may end before byte i. */
static bool
ends_word(struct span text, size_t i)
{
	if (i == text.n)
		return true;
	if ((unsigned char)text.p[i] < 0x80)
		return !is_ascii_word((unsigned char)text.p[i]);
	return !is_inside((struct span){text.p + i, text.n - i});
}

/* The node for the two bytes at `at`. */
static uint32_t
first_node(struct span text, size_t at)
{
	unsigned char first, second;
	uint32_t node;

	if (text.n - at < 2)
		return 0;
	first = (unsigned char)text.p[at];
	second = (unsigned char)text.p[at + 1];
	node = trie_start(&table.trie, first, second);
	if (node == 0 && second == '\n')
		node = trie_start(&table.trie, first, ' ');
	return node;
}

/* What may stand in a text where an entry has a blank. */
static bool
is_gap(unsigned char c)
{
	static const bool gaps[256] = {['\n'] = true,
	    [','] = true,
	    ['.'] = true,
	    ['_'] = true,
	    ['-'] = true,
	    ['/'] = true,
	    ['|'] = true,
	    ['+'] = true,
	    ['*'] = true,
	    ['~'] = true};

	return gaps[c];
}

/* Bytes from `at` on that may be passed over at `node`, in a gap between two
 * words that is longer than one byte: no full stop, and none behind one. */
static size_t
skip_gap(struct span text, size_t at, uint32_t node)
{
	size_t i = at;

	while (i < text.n && i - at < GAP_MOST && text.p[i] != '.' &&
	       (text.p[i] == ' ' || is_gap((unsigned char)text.p[i])) &&
	       trie_child(&table.trie, node, (unsigned char)text.p[i]) == 0)
		i++;
	return i;
}

/* The child for byte *at, which goes on to where the next one is. */
static uint32_t
next_node(struct span text, size_t *at, uint32_t node)
{
	unsigned char c;
	uint32_t to;
	bool gap;

	if (*at == text.n)
		return 0;
	c = (unsigned char)text.p[(*at)++];
	gap = c == ' ';
	to = trie_child(&table.trie, node, c);
	if (to == 0 && is_gap(c)) {
		to = trie_child(&table.trie, node, ' ');
		gap = c != '.';
	}
	if (to != 0 && gap)
		*at = skip_gap(text, *at, to);
	return to;
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
	size_t i = start + 2; /* behind the bytes that led to the node */
	uint32_t node;

	for (node = first_node(text, start); node != 0;
	     node = next_node(text, &i, node)) {
		const struct trie_end *end = trie_end(&table.trie, node);
		uint64_t classes = end->open;

		if (end->whole != 0 && (loose || ends_word(text, i)))
			classes |= end->whole;
		if (classes != 0 && count < MATCHES) {
			found[count].classes = classes;
			found[count++].end = i;
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

/* The words that the one of `letters` at `start` was most likely meant to
 * be. */
static void
guess(struct span text, size_t start, size_t letters, struct hits *out)
{
	size_t first = out->count, end = start + letters;
	struct span word;

	if (letters < GUESS_LEAST || letters > GUESS_MOST ||
	    !ends_word(text, end))
		return;
	word = lexicon_guess((struct span){text.p + start, letters});
	if (word.n == 0 || walk(word, 0, false, out) == 0)
		return;
	for (size_t i = first; i < out->count; i++) {
		out->at[i].start = (uint32_t)start;
		out->at[i].end = (uint32_t)end;
	}
}

/* A URL whose query ends where data would begin, or holds a place for it:
 * what a model is asked to fill in and to fetch. */
static void
find_url(struct span text, size_t at, struct hits *out)
{
	size_t end = at;
	bool query = false, place = false;

	while (end < text.n && end - at < URL_BYTES &&
	       (unsigned char)text.p[end] > ' ') {
		query = query || text.p[end] == '?';
		place = place || (query && strchr("{[<$", text.p[end]) != NULL);
		end++;
	}
	while (end > at && strchr(".,;:!>\"')", text.p[end - 1]) != NULL)
		end--;
	if (query && (place || text.p[end - 1] == '='))
		put_hit(out, at, end, WORD_URL);
}

/* What begins with the letter of a to z at `at`; returns how many there are. */
static size_t
find_word(struct span text, size_t at, struct hits *out)
{
	size_t letters = word_length(text.p + at, text.n - at);

	if (span_starts((struct span){text.p + at, text.n - at}, "http"))
		find_url(text, at, out);
	if (!may_begin(text, at, letters) || walk(text, at, false, out) == 0)
		guess(text, at, letters, out);
	return letters;
}

/* Words at `at`, where no letter of a to z is; returns the character's
 * length. */
static size_t
find_other(struct span text, size_t at, bool *inside, struct hits *out)
{
	unsigned char c = (unsigned char)text.p[at];
	size_t length = 1;
	bool begins;

	if (c < 0x80) {
		begins = !*inside || !is_ascii_word(c);
		*inside = is_ascii_word(c);
	} else {
		uint32_t code = 0;

		length = utf8_decode(text.p + at, text.n - at, &code);
		if (length == 0)
			length = 1;
		begins = !*inside || lexicon_unspaced(code);
		*inside = is_inside((struct span){text.p + at, length});
	}
	if (begins && table.first[c] && may_begin(text, at, 0))
		(void)walk(text, at, false, out);
	return length;
}

/* Words in text whose gaps were lost, at each character. */
static void
find_loose(struct span text, struct hits *out)
{
	for (size_t i = 0; i < text.n; i++)
		if (((unsigned char)text.p[i] & 0xc0) != 0x80)
			(void)walk(text, i, true, out);
}

void
lexicon_find(struct span text, bool loose, struct hits *out)
{
	bool inside = false; /* of a word */
	size_t i = 0;

	out->count = 0;
	if (loose) {
		find_loose(text, out);
		return;
	}
	while (i < text.n) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 'a' && !table.first[c]) {
			if (c == '@' && inside)
				put_hit(out, i, i + 1, WORD_ADDRESS);
			inside = is_ascii_word(c);
			i++;
			continue;
		}
		if (c < 'a' || c > 'z') {
			i += find_other(text, i, &inside, out);
			continue;
		}
		i += inside ? word_length(text.p + i, text.n - i)
			    : find_word(text, i, out);
		inside = true;
	}
}

void
hits_done(struct hits *h)
{
	free(h->at);
	*h = (struct hits){0};
}
