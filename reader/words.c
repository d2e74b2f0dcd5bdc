/*
 * Encoded words from hostile headers. Pure but for the converters; linear.
 */
#include "reader/words.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "proto/clean.h"
#include "reader/charset.h"
#include "reader/field.h"
#include "reader/html_ascii.h"
#include "reader/limits.h"
#include "reader/transfer.h"

#define MASK_OPEN "=!"
#define MASK_CLOSE "!="
#define MASK_FRAME 2
#define WORD_GROWTH 4	/* of one byte in UTF-8, see charset.c */
#define WORD_BYTES 4096 /* the standard says 75; longer ones are written */

/* An encoded word taken apart. */
struct word {
	struct span charset, text;
	char encoding; /* 'b' or 'q' */
	size_t bytes;  /* of all of it */
};

/* Length up to one of `ends`, or SIZE_MAX if a blank or the end of the word's
 * room comes first. */
static size_t
until(struct span text, char end)
{
	for (size_t i = 0; i < text.n && i < WORD_BYTES; i++) {
		if (text.p[i] == end)
			return i;
		if (field_is_blank(text.p[i]))
			break;
	}
	return SIZE_MAX;
}

static struct span
skip(struct span text, size_t n)
{
	return (struct span){text.p + n, text.n - n};
}

/* The word at the start of the text, if it is one. */
static bool
read_word(struct span text, struct word *out)
{
	struct span rest = text;
	size_t n;

	if (!span_starts(rest, "=?"))
		return false;
	rest = skip(rest, 2);
	n = until(rest, '?');
	if (n == SIZE_MAX || n == 0)
		return false;
	out->charset = (struct span){rest.p, n};
	rest = skip(rest, n + 1);
	if (rest.n < 2 || rest.p[1] != '?')
		return false;
	out->encoding = (char)(rest.p[0] | 0x20);
	rest = skip(rest, 2);
	n = until(rest, '?');
	if (n == SIZE_MAX || n + 1 >= rest.n || rest.p[n + 1] != '=')
		return false;
	out->text = (struct span){rest.p, n};
	out->bytes = (size_t)(rest.p + n + 2 - text.p);
	n = until(out->charset, '*'); /* a language */
	if (n != SIZE_MAX)
		out->charset.n = n;
	return out->encoding == 'b' || out->encoding == 'q';
}

static void
decode_q(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		int high = i + 2 < text.n ? ascii_hex(text.p[i + 1]) : -1;
		int low = high < 0 ? -1 : ascii_hex(text.p[i + 2]);
		char c = text.p[i] == '_' ? ' ' : text.p[i];

		if (c == '=' && i + 2 < text.n && low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		}
		(void)buf_add_byte(out, c);
	}
}

/* False if the base64 is not clean. */
static bool
decode_b(struct span text, struct buf *out)
{
	struct base64_in state = {0};
	char *to = buf_reserve(out, text.n / 4 * 3 + 6);
	size_t n;

	if (to == NULL)
		return true;
	n = base64_step(&state, text.p, text.n, to);
	n += base64_end(&state, to + n);
	out->len += n;
	return !state.odd;
}

/* What is being put together. */
struct decoder {
	struct buf *out;
	struct buf bytes; /* of words in one set, or of plain text */
	struct buf text;  /* the same decoded */
	struct span charset;
	bool words;
	uint64_t findings;
};

static bool
same(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static void
flush(struct decoder *d)
{
	struct span bytes = {d->bytes.data, d->bytes.len};
	struct span label = d->words ? d->charset : SPAN("");
	size_t room = d->out->max - d->out->len;
	uint64_t replaced = 0;

	if (bytes.n == 0)
		return;
	if (!charset_known(label))
		d->findings |= FINDING_BIT(FINDING_UNKNOWN_CHARSET);
	buf_clear(&d->text);
	(void)charset_decode(label, bytes, &d->text, &replaced);
	if (d->text.len < room)
		room = d->text.len;
	while (room < d->text.len && room != 0 &&
	       (d->text.data[room] & 0xc0) == 0x80)
		room--; /* not within a character */
	if (room != 0)
		(void)buf_add(d->out, d->text.data, room);
	if (replaced != 0)
		d->findings |= FINDING_BIT(FINDING_UNDECODABLE_TEXT);
	buf_clear(&d->bytes);
}

/* One word. A letter that is divided between two is read as one by us, and as
 * two broken ones by others. */
static void
add_word(struct decoder *d, const struct word *word)
{
	size_t start;

	if (!d->words || !same(d->charset, word->charset))
		flush(d);
	d->words = true;
	d->charset = word->charset;
	start = d->bytes.len;
	if (word->encoding == 'q')
		decode_q(word->text, &d->bytes);
	else if (!decode_b(word->text, &d->bytes))
		d->findings |= FINDING_BIT(FINDING_BAD_ENCODED_WORD);
	if (same(word->charset, SPAN("utf-8")) && d->bytes.len > start &&
	    !utf8_check(d->bytes.data + start, d->bytes.len - start))
		d->findings |= FINDING_BIT(FINDING_BAD_ENCODED_WORD);
}

static void
add_plain(struct decoder *d, struct span text)
{
	if (d->words)
		flush(d);
	d->words = false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r' && text.p[i] != '\n')
			(void)buf_add_byte(&d->bytes, text.p[i]);
}

/* Up to the next word, or to the end. */
static size_t
next_word(struct span text, struct word *out)
{
	for (size_t i = 0; i < text.n; i++) {
		const char *at = memchr(text.p + i, '=', text.n - i);

		if (at == NULL)
			break;
		i = (size_t)(at - text.p);
		if (read_word(skip(text, i), out))
			return i;
	}
	return text.n;
}

static bool
all_blank(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!field_is_blank(text.p[i]))
			return false;
	return true;
}

void
words_decode(struct span raw, struct buf *out, uint64_t *findings)
{
	struct decoder d = {.out = out, .charset = SPAN("")};
	struct word word;

	buf_clear(out);
	buf_init(&d.bytes, MAIL_FIELD_BYTES);
	buf_init(&d.text, WORD_GROWTH * MAIL_FIELD_BYTES);
	while (raw.n != 0) {
		size_t n = next_word(raw, &word);
		struct span plain = {raw.p, n};

		if (memmem(plain.p, plain.n, "=?", 2) != NULL)
			d.findings |= FINDING_BIT(FINDING_BAD_ENCODED_WORD);
		if (n == raw.n) {
			add_plain(&d, plain);
			break;
		}
		if (!d.words || !all_blank(plain))
			add_plain(&d, plain);
		add_word(&d, &word);
		raw = skip(raw, n + word.bytes);
	}
	flush(&d);
	buf_free(&d.bytes);
	buf_free(&d.text);
	*findings |= d.findings;
}

/* Append so many bytes as digits in a frame. */
static int
add_masked(struct span bytes, struct buf *out)
{
	char *to = buf_reserve(out, 2 * bytes.n + 2 * MASK_FRAME + 1);

	if (to == NULL)
		return -ERR_TOO_LARGE;
	memcpy(to, MASK_OPEN, MASK_FRAME);
	hex_encode(bytes.p, bytes.n, to + MASK_FRAME);
	memcpy(to + MASK_FRAME + 2 * bytes.n, MASK_CLOSE, MASK_FRAME);
	out->len += 2 * bytes.n + 2 * MASK_FRAME;
	return 0;
}

/* Append a text without words; a frame's opening in it is masked too. */
static int
add_between(struct span text, struct buf *out)
{
	int rc = 0;

	while (text.n != 0 && rc == 0) {
		const char *at = memmem(text.p, text.n, MASK_OPEN, MASK_FRAME);
		size_t n = at == NULL ? text.n : (size_t)(at - text.p);

		rc = buf_add(out, text.p, n);
		text = skip(text, n);
		if (text.n == 0 || rc != 0)
			break;
		rc = add_masked((struct span){text.p, MASK_FRAME}, out);
		text = skip(text, MASK_FRAME);
	}
	return rc;
}

int
words_mask(struct span raw, struct buf *out)
{
	struct word word;
	int rc = 0;

	while (raw.n != 0 && rc == 0) {
		size_t n = next_word(raw, &word);

		rc = add_between((struct span){raw.p, n}, out);
		raw = skip(raw, n);
		if (raw.n == 0 || rc != 0)
			break;
		rc = add_masked((struct span){raw.p, word.bytes}, out);
		raw = skip(raw, word.bytes);
	}
	return rc;
}

/* A frame at the start of the text: how many digits are in it, or 0. */
static size_t
masked(struct span text)
{
	size_t n = MASK_FRAME;

	if (!span_starts(text, MASK_OPEN))
		return 0;
	while (n < text.n && ascii_hex(text.p[n]) >= 0)
		n++;
	if (n % 2 != 0 || !span_starts(skip(text, n), MASK_CLOSE))
		return 0;
	return n - MASK_FRAME;
}

/* Whether words_mask would have masked that. A frame can be written so that
 * it is one only when the parser has taken quotes off ("=\!"). */
static bool
is_maskable(struct span text)
{
	struct word word;

	return span_is(text, MASK_OPEN) ||
	       (read_word(text, &word) && word.bytes == text.n);
}

/* Append what is in a frame, or the frame as it stands. */
static int
add_unmasked(struct span frame, size_t digits, struct buf *out)
{
	char *to = buf_reserve(out, frame.n);

	if (to == NULL)
		return -ERR_TOO_LARGE;
	if (hex_decode((struct span){frame.p + MASK_FRAME, digits}, to,
		digits / 2) != 0 ||
	    !is_maskable((struct span){to, digits / 2}))
		return buf_add(out, frame.p, frame.n);
	out->len += digits / 2;
	return 0;
}

int
words_unmask(struct span text, struct buf *out)
{
	int rc = 0;

	while (text.n != 0 && rc == 0) {
		size_t digits = masked(text);
		size_t n = digits == 0 ? 1 : digits + 2 * MASK_FRAME;

		if (digits == 0)
			rc = buf_add_byte(out, text.p[0]);
		else
			rc =
			    add_unmasked((struct span){text.p, n}, digits, out);
		text = skip(text, n);
	}
	return rc;
}
