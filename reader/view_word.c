/*
 * Known words, by their letters in two numbers; a sieve in front, as many words
 * of a text are looked for in three forms.
 */
#include "reader/view_word.h"

#include <glib.h>
#include <string.h>

#include "common/err.h"
#include "reader/ascii_word.h"
#include "reader/html_ascii.h"

#define PROSE_CHARS 12
#define WORDS_MOST 2048
#define SLOTS 4096

/* Rows of words with blanks between. */
static const char *const rows[] = {
#define WORDS(words) words,
#include "reader/view_word.def"
#undef WORDS
};

/* Built once from the rows. */
static struct {
	struct word_key slot[SLOTS]; /* zero: empty */
	size_t count;
} table;

uint64_t known_sieve[(1u << KNOWN_SIEVE_BITS) / 64];

static void
add_word(const char *p, size_t n)
{
	struct word_key key;
	uint64_t h;
	size_t i;

	if (table.count == WORDS_MOST || n == 0 || n > WORD_MOST)
		bug("the word %.*s has no room", (int)n, p);
	key = word_key(p, n, n);
	if (known_has(key))
		return;
	h = known_mix(key);
	for (i = h >> 32 & (SLOTS - 1); table.slot[i].low != 0;)
		i = (i + 1) & (SLOTS - 1);
	table.slot[i] = key;
	h >>= 64 - KNOWN_SIEVE_BITS;
	known_sieve[h / 64] |= UINT64_C(1) << h % 64;
	table.count++;
}

void
known_warm(void)
{
	if (table.count != 0)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *p = rows[i];

		while (*p != '\0') {
			size_t n = strcspn(p, " ");

			add_word(p, n);
			p += n + strspn(p + n, " ");
		}
	}
}

bool
known_find(struct word_key key, uint64_t h)
{
	size_t i = h >> 32 & (SLOTS - 1);

	for (; table.slot[i].low != 0; i = (i + 1) & (SLOTS - 1))
		if (table.slot[i].low == key.low &&
		    table.slot[i].high == key.high)
			return true;
	return false;
}

/* The key of letters of any case. */
static struct word_key
key_of_any(const char *p, size_t n, size_t bytes)
{
	struct word_key key = word_key(p, n, bytes);

	key.low |= word_first(WORD_ONES * 0x20, n);
	if (n > WORD_EIGHT)
		key.high |= word_first(WORD_ONES * 0x20, n - WORD_EIGHT);
	return key;
}

size_t
known_count(struct span text)
{
	size_t found = 0, n;

	for (size_t i = 0; i < text.n; i += n == 0 ? 1 : n) {
		n = 0;
		while (i + n < text.n && ascii_is_letter(text.p[i + n]))
			n++;
		if (n >= WORD_LEAST && n <= WORD_MOST)
			found +=
			    known_has(key_of_any(text.p + i, n, text.n - i));
	}
	return found;
}

bool
known_prose(struct span text)
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
		   (blanks >= 2 || (blanks != 0 && known_count(text) != 0)));
}
