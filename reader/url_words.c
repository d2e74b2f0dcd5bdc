/*
 * A part is what is between two of "/?&=#;": it counts if it has words of
 * letters, several, with single separators between. Names of files and of
 * campaigns, keys and numbers have fewer.
 */
#include "reader/url_words.h"

#include "reader/html_ascii.h"

#define WORDS_LEAST 3
#define LETTERS_LEAST 2 /* of a word */
#define WIDE_LEAST 12	/* bytes that are not ASCII and make words */
#define URL_MOST 8192	/* bytes that are looked at */

static bool
is_part_end(char c)
{
	return c == '/' || c == '?' || c == '&' || c == '=' || c == '#' ||
	       c == ';';
}

static bool
is_separator(char c)
{
	return c == '+' || c == '-' || c == '_' || c == '.' || c == ',';
}

/* Decode %69 and separators of one part. */
static void
decode(struct span part, struct buf *out)
{
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];

		if (c == '%' && i + 2 < part.n &&
		    ascii_hex(part.p[i + 1]) >= 0 &&
		    ascii_hex(part.p[i + 2]) >= 0) {
			c = (char)(ascii_hex(part.p[i + 1]) << 4 |
				   ascii_hex(part.p[i + 2]));
			i += 2;
		} else if (is_separator(c)) {
			c = ' ';
		}
		(void)buf_add_byte(out, c);
	}
}

/* Words in decoded bytes, without digits in them; what is not ASCII is letters,
 * and many are words even without blanks. */
static size_t
count_words(struct span text)
{
	size_t words = 0, letters = 0, wide = 0;
	bool digits = false;

	for (size_t i = 0; i <= text.n; i++) {
		char c = i < text.n ? text.p[i] : ' ';

		wide += (c & 0x80) != 0;
		letters += ascii_is_letter(c) || (c & 0x80) != 0;
		digits |= ascii_is_digit(c);
		if (ascii_is_letter(c) || ascii_is_digit(c) || (c & 0x80) != 0)
			continue;
		words += letters >= LETTERS_LEAST && !digits;
		letters = 0;
		digits = false;
	}
	return wide >= WIDE_LEAST ? words + WORDS_LEAST : words;
}

static bool
add_part(struct span part, struct buf *raw, struct buf *out)
{
	size_t replaced = 0;

	buf_clear(raw);
	decode(part, raw);
	if (count_words((struct span){raw->data, raw->len}) < WORDS_LEAST)
		return false;
	if (out->len != 0 && out->data[out->len - 1] != '\n')
		(void)buf_add_byte(out, ' ');
	(void)utf8_add_repaired(out, raw->data, raw->len, &replaced);
	return true;
}

/* What follows the host, or the address of a mailto URL. */
static struct span
after_host(struct span url)
{
	size_t i = 0;

	while (i < url.n && url.p[i] != ':')
		i++;
	i += i < url.n;
	while (i < url.n && url.p[i] == '/')
		i++;
	while (
	    i < url.n && url.p[i] != '/' && url.p[i] != '?' && url.p[i] != '#')
		i++;
	return (struct span){url.p + i, url.n - i};
}

void
url_words_add(struct span url, struct buf *out)
{
	bool any = false;
	struct span rest;
	struct buf raw;

	if (url.n > URL_MOST)
		url.n = URL_MOST;
	rest = after_host(url);
	buf_init(&raw, URL_MOST);
	for (size_t i = 0, start = 0; i <= rest.n; i++) {
		if (i < rest.n && !is_part_end(rest.p[i]))
			continue;
		any |= add_part(
		    (struct span){rest.p + start, i - start}, &raw, out);
		start = i + 1;
	}
	if (any)
		(void)buf_add_text(out, "\n\n");
	buf_free(&raw);
}
