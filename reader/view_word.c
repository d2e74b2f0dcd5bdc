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
#define SIEVE_BITS 16

/* Rows of words with blanks between. */
static const char *const rows[] = {
#define WORDS(words) words,
#include "reader/view_word.def"
#undef WORDS
};

/* Built once from the rows. */
static struct {
	struct word_key slot[SLOTS]; /* zero: empty */
	uint64_t sieve[(1u << SIEVE_BITS) / 64];
	size_t count;
} table;

struct word_key
word_key(const char *p, size_t n, size_t bytes)
{
	struct word_key key = {0, 0};

	key.low = word_first(word_load_some(p, bytes), n);
	if (n > WORD_EIGHT)
		key.high = word_first(
		    word_load_some(p + WORD_EIGHT, bytes - WORD_EIGHT),
		    n - WORD_EIGHT);
	/* nothing but letters: in these, capitals lack one bit */
	key.low |= word_first(WORD_ONES * 0x20, n);
	if (n > WORD_EIGHT)
		key.high |= word_first(WORD_ONES * 0x20, n - WORD_EIGHT);
	return key;
}

static uint64_t
rot13(uint64_t eight)
{
	uint64_t letters = word_at_least(eight, 'a') >> 7;
	uint64_t late = word_at_least(eight, 'n') >> 7;

	return eight + letters * 13 - late * 26;
}

struct word_key
word_rot13(struct word_key key)
{
	return (struct word_key){rot13(key.low), rot13(key.high)};
}

struct word_key
word_reversed(struct word_key key, size_t letters)
{
	uint64_t first = __builtin_bswap64(key.low);
	uint64_t last = __builtin_bswap64(key.high);
	size_t shift;

	if (letters <= WORD_EIGHT)
		return (struct word_key){
		    first >> 8 * (WORD_EIGHT - letters), 0};
	shift = 8 * (WORD_MOST - letters);
	if (shift == 0)
		return (struct word_key){last, first};
	return (struct word_key){
	    last >> shift | first << (64 - shift), first >> shift};
}

static uint64_t
mix(struct word_key key)
{
	return (key.low ^ key.high * UINT64_C(0xff51afd7ed558ccd)) *
	       UINT64_C(0x9e3779b97f4a7c15);
}

static void
add_word(const char *p, size_t n)
{
	struct word_key key;
	uint64_t h;
	size_t i;

	if (table.count == WORDS_MOST || n == 0 || n > WORD_MOST)
		bug("the word %.*s has no room", (int)n, p);
	key = word_key(p, n, n);
	if (words_has(key))
		return;
	h = mix(key);
	for (i = h >> 32 & (SLOTS - 1); table.slot[i].low != 0;)
		i = (i + 1) & (SLOTS - 1);
	table.slot[i] = key;
	h >>= 64 - SIEVE_BITS;
	table.sieve[h / 64] |= UINT64_C(1) << h % 64;
	table.count++;
}

void
words_warm(void)
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
words_has(struct word_key key)
{
	uint64_t h = mix(key), at = h >> (64 - SIEVE_BITS);
	size_t i = h >> 32 & (SLOTS - 1);

	if ((table.sieve[at / 64] >> at % 64 & 1) == 0)
		return false;
	for (; table.slot[i].low != 0; i = (i + 1) & (SLOTS - 1))
		if (table.slot[i].low == key.low &&
		    table.slot[i].high == key.high)
			return true;
	return false;
}

size_t
words_count(struct span text)
{
	size_t found = 0, n;

	for (size_t i = 0; i < text.n; i += n == 0 ? 1 : n) {
		n = 0;
		while (i + n < text.n && ascii_is_letter(text.p[i + n]))
			n++;
		if (n >= WORD_LEAST && n <= WORD_MOST)
			found += words_has(word_key(text.p + i, n, text.n - i));
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
