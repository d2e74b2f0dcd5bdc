/*
 * Known words.
 */
#include "reader/view_word.h"

#include <glib.h>
#include <string.h>

#include "common/err.h"
#include "reader/html_ascii.h"

#define FACTOR 31u
#define JUMBLED_LEAST 5
#define PROSE_CHARS 12
#define WORDS_MOST 2048
#define SLOTS 8192

/* Rows of words with blanks between. */
static const struct {
	const char *words;
	bool known;
} rows[] = {
#define KNOWN(words) {words, true},
#define COMMON(words) {words, false},
#include "reader/view_word.def"
#undef KNOWN
#undef COMMON
};

/* Built once from the rows. */
static struct {
	uint16_t slot[SLOTS];	/* by the word */
	uint16_t jumble[SLOTS]; /* by first, last and other letters */
	uint32_t hash[WORDS_MOST], jumbled[WORDS_MOST];
	char text[WORDS_MOST][WORD_MOST];
	bool known[WORDS_MOST];
	size_t count;
} table;

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
	h->letters += UINT64_C(1) << (2 * ((c - 'a') & 31));
	if (h->count++ == 0)
		h->first = letter;
	h->last = letter;
}

static uint32_t
jumble_hash(const struct word_hash *h)
{
	return mix((uint32_t)(h->letters ^ h->letters >> 29)) +
	       (uint32_t)h->first * 131u + (uint32_t)h->last * 8191u;
}

static void
put(uint16_t slots[SLOTS], uint32_t hash, size_t index)
{
	size_t i = mix(hash) % SLOTS;

	while (slots[i] != 0)
		i = (i + 1) % SLOTS;
	slots[i] = (uint16_t)(index + 1);
}

static void
add_word(const char *p, size_t n, bool known)
{
	struct word_hash h = {.power = 1};

	if (table.count == WORDS_MOST || n >= WORD_MOST)
		bug("the word %.*s has no room", (int)n, p);
	for (size_t i = 0; i < n; i++)
		word_add(&h, p[i]);
	memcpy(table.text[table.count], p, n);
	table.hash[table.count] = h.word;
	table.jumbled[table.count] = jumble_hash(&h);
	put(table.slot, h.word, table.count);
	table.known[table.count] = known;
	if (n >= JUMBLED_LEAST)
		put(table.jumble, table.jumbled[table.count], table.count);
	table.count++;
}

void
words_warm(void)
{
	if (table.count != 0)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *p = rows[i].words;

		while (*p != '\0') {
			size_t n = strcspn(p, " ");

			add_word(p, n, rows[i].known);
			p += n + strspn(p + n, " ");
		}
	}
}

bool
words_has(uint32_t hash)
{
	size_t i = mix(hash) % SLOTS;

	for (; table.slot[i] != 0; i = (i + 1) % SLOTS)
		if (table.hash[table.slot[i] - 1] == hash)
			return true;
	return false;
}

const char *
words_jumbled(const struct word_hash *h, bool *known_out)
{
	uint32_t hash = jumble_hash(h);
	size_t i = mix(hash) % SLOTS;

	if (h->count < JUMBLED_LEAST || h->count >= WORD_MOST)
		return NULL;
	for (; table.jumble[i] != 0; i = (i + 1) % SLOTS) {
		size_t word = table.jumble[i] - 1u;

		if (table.jumbled[word] == hash &&
		    strlen(table.text[word]) == h->count) {
			*known_out = table.known[word];
			return table.text[word];
		}
	}
	return NULL;
}

size_t
words_count(struct span text)
{
	size_t found = 0;
	struct word_hash h = {.power = 1};

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && ascii_is_letter(text.p[i])) {
			word_add(&h, ascii_lower(text.p[i]));
			continue;
		}
		if (h.count >= WORD_LEAST && h.count <= WORD_MOST)
			found += words_has(h.word);
		h = (struct word_hash){.power = 1};
	}
	return found;
}

bool
words_prose(struct span text)
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
		   (blanks >= 2 || (blanks != 0 && words_count(text) != 0)));
}
