/*
 * Known words.
 */
#include "reader/view_word.h"

#include <glib.h>
#include <string.h>

#include "reader/html_ascii.h"

#define FACTOR 31u
#define JUMBLED_LEAST 5
#define PROSE_CHARS 12

static const char *const words[] = {
#define WORD(text) text,
#include "reader/view_word.def"
#undef WORD
};

#define WORDS (sizeof words / sizeof words[0])
_Static_assert(WORDS <= WORDS_MOST, "room for the words");

static uint32_t
mix(uint32_t hash)
{
	hash ^= hash >> 15;
	hash *= 0x2c1b3c6du;
	return hash ^ hash >> 13;
}

void
word_add(struct word_hash *h, char letter)
{
	uint32_t c = (uint32_t)(unsigned char)letter;
	uint32_t other = c >= 'n' ? c - 13 : c + 13;

	h->word = h->word * FACTOR + c;
	h->rot13 = h->rot13 * FACTOR + other;
	h->reversed += c * h->power;
	h->power *= FACTOR;
	h->letters += mix(c);
	if (h->count++ == 0)
		h->first = letter;
	h->last = letter;
}

static struct word_hash
hash_of(struct span text)
{
	struct word_hash h = {.power = 1};

	for (size_t i = 0; i < text.n; i++)
		word_add(&h, ascii_lower(text.p[i]));
	return h;
}

static uint32_t
jumble_hash(const struct word_hash *h)
{
	return mix(h->letters) + (uint32_t)h->first * 131u +
	       (uint32_t)h->last * 8191u;
}

static void
put(uint16_t slots[WORD_SLOTS], uint32_t hash, size_t index)
{
	size_t i = mix(hash) % WORD_SLOTS;

	while (slots[i] != 0)
		i = (i + 1) % WORD_SLOTS;
	slots[i] = (uint16_t)(index + 1);
}

void
words_init(struct view_words *w)
{
	memset(w, 0, sizeof *w);
	for (size_t i = 0; i < WORDS; i++) {
		struct word_hash h = hash_of(span_of(words[i]));

		w->hash[i] = h.word;
		w->jumbled[i] = jumble_hash(&h);
		put(w->slot, h.word, i);
		if (h.count >= JUMBLED_LEAST)
			put(w->jumble, w->jumbled[i], i);
	}
}

bool
words_has(const struct view_words *w, uint32_t hash)
{
	size_t i = mix(hash) % WORD_SLOTS;

	for (; w->slot[i] != 0; i = (i + 1) % WORD_SLOTS)
		if (w->hash[w->slot[i] - 1] == hash)
			return true;
	return false;
}

bool
words_has_text(const struct view_words *w, struct span letters)
{
	return words_has(w, hash_of(letters).word);
}

const char *
words_jumbled(const struct view_words *w, const struct word_hash *h)
{
	uint32_t hash = jumble_hash(h);
	size_t i = mix(hash) % WORD_SLOTS;

	if (h->count < JUMBLED_LEAST || h->count > WORD_MOST)
		return NULL;
	for (; w->jumble[i] != 0; i = (i + 1) % WORD_SLOTS) {
		size_t word = w->jumble[i] - 1u;

		if (w->jumbled[word] == hash && strlen(words[word]) == h->count)
			return words[word];
	}
	return NULL;
}

size_t
words_count(const struct view_words *w, struct span text)
{
	size_t found = 0;
	struct word_hash h = {.power = 1};

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && ascii_is_letter(text.p[i])) {
			word_add(&h, ascii_lower(text.p[i]));
			continue;
		}
		if (h.count >= WORD_LEAST && h.count <= WORD_MOST)
			found += words_has(w, h.word);
		h = (struct word_hash){.power = 1};
	}
	return found;
}

bool
words_prose(const struct view_words *w, struct span text)
{
	size_t chars = 0, letters = 0, wide = 0, blanks = 0, length;
	uint32_t code;

	for (size_t i = 0; i < text.n; i += length) {
		length = utf8_decode(text.p + i, text.n - i, &code);
		if (length == 0)
			return false;
		chars++;
		if (code == ' ' || code == '\n')
			blanks++;
		else if (g_unichar_isalpha(code) || g_unichar_ismark(code))
			letters++;
		wide += code >= 0x80 && g_unichar_isalpha(code);
	}
	if (letters * 10 < chars * 6)
		return false;
	return wide >= PROSE_CHARS / 2 ||
	       (chars >= PROSE_CHARS &&
		   (blanks >= 2 || words_count(w, text) != 0));
}
