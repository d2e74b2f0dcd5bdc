/*
 * The detector's text. Runs in the reader's worker on text that is valid
 * UTF-8 and otherwise the sender's. ASCII is copied by a table; all else goes
 * through fold_char, and a word with letters that look like ASCII is looked at
 * again when it ends.
 */
#include "reader/fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/ascii_word.h"
#include "reader/fold_char.h"
#include "reader/html_ascii.h"

#define ASCII_BLOCK 4096u
#define REPLACEMENT 0xfffd

/* What ASCII becomes; 0: nothing. */
static const char ascii[128] = {['\t'] = ' ',
    ['\r'] = ' ',
    ['\n'] = '\n',
    ['\v'] = '\n',
    ['\f'] = '\n',
#define SAME8(c) [c] = c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7
    SAME8(' '),
    SAME8('('),
    SAME8('0'),
    SAME8('8'),
    ['@'] = '@',
    ['A'] = 'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'g',
    'h',
    'i',
    'j',
    'k',
    'l',
    'm',
    'n',
    'o',
    'p',
    'q',
    'r',
    's',
    't',
    'u',
    'v',
    'w',
    'x',
    'y',
    'z',
    '[',
    '\\',
    ']',
    '^',
    '_',
    '`',
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'g',
    'h',
    'i',
    'j',
    'k',
    'l',
    'm',
    'n',
    'o',
    'p',
    'q',
    'r',
    's',
    't',
    'u',
    'v',
    'w',
    'x',
    'y',
    'z',
    '{',
    '|',
    '}',
    '~',
    0};

void
fold_init(struct fold *f, size_t max)
{
	*f = (struct fold){0};
	buf_init(&f->text, max);
}

void
fold_done(struct fold *f)
{
	buf_free(&f->text);
	free(f->at);
	free(f->cache);
	*f = (struct fold){0};
}

/* Room for `count` bytes more, and for their origins. */
static bool
reserve(struct fold *f, size_t count)
{
	if (buf_reserve(&f->text, count) == NULL)
		return false;
	if (f->cap < f->text.cap) {
		f->at = alloc_resize(f->at, f->text.cap, sizeof *f->at);
		f->cap = f->text.cap;
	}
	return true;
}

/* What a character that is not ASCII folds to; most texts have none. */
static const struct fold_char *
find_char(struct fold *f, uint32_t code)
{
	if (f->cache == NULL)
		f->cache = alloc_bytes(sizeof *f->cache);
	return fold_char(f->cache, code);
}

/* Open a word, with the ASCII before it. */
static void
word_begin(struct fold *f)
{
	size_t i = f->text.len;

	if (f->word)
		return;
	f->word = true;
	f->ascii = f->strict = f->loose = f->other = 0;
	for (; i > 0; i--) {
		char c = f->text.data[i - 1];

		if (ascii_is_letter(c))
			f->ascii++;
		else if (!ascii_is_digit(c))
			break;
	}
	f->word_start = i;
}

/* Whether the word that ends here was meant to be read as ASCII. */
static bool
word_is_latin(const struct fold *f)
{
	if (f->strict + f->loose == 0)
		return false;
	if (f->other == 0 && f->loose == 0)
		return true;
	return f->other < f->ascii;
}

/* One character of a word on its way into ASCII; a mark on an ASCII letter
 * goes. Returns the bytes it now takes. */
static size_t
word_char(struct fold *f, uint32_t code, char *out, bool after_ascii)
{
	const char *like = code < 0x80 ? NULL : fold_ascii_like(code);

	if (like != NULL) {
		memcpy(out, like, strlen(like));
		return strlen(like);
	}
	if (code >= 0x80 && after_ascii &&
	    find_char(f, code)->kind == FOLD_MARK)
		return 0;
	return utf8_encode(code, out);
}

/* Write the word that ends here again. It only gets shorter. */
static void
word_end(struct fold *f)
{
	size_t from = f->word_start, to = f->word_start;
	char *text = f->text.data;

	if (!f->word)
		return;
	f->word = false;
	if (!word_is_latin(f))
		return;
	while (from < f->text.len) {
		uint32_t code = 0, origin = f->at[from];
		bool after = to > 0 && (text[to - 1] & 0x80) == 0;
		char bytes[4];
		size_t n;

		from += utf8_decode(text + from, f->text.len - from, &code);
		n = word_char(f, code, bytes, after);
		memcpy(text + to, bytes, n);
		for (size_t i = 0; i < n; i++)
			f->at[to + i] = origin;
		to += n;
	}
	f->text.len = to;
}

/* A blank or a line end, if it is not one too many. */
static void
put_space(struct fold *f, char c, size_t origin)
{
	char *text = f->text.data;
	size_t *len = &f->text.len;
	bool blank = *len > 0 && text[*len - 1] == ' ';

	if (c == ' ' && (blank || *len == 0 || text[*len - 1] == '\n'))
		return;
	if (c == '\n' && blank)
		--*len;
	if (c == '\n' && *len > 1 && text[*len - 1] == '\n' &&
	    text[*len - 2] == '\n')
		return;
	f->at[*len] = (uint32_t)origin;
	text[(*len)++] = c;
}

/* The letters and digits that go on with an open word. */
static size_t
take_word(struct fold *f, const char *p, size_t n, size_t origin)
{
	size_t i = 0;

	for (; i < n && (ascii_is_letter(p[i]) || ascii_is_digit(p[i])); i++) {
		f->ascii += ascii_is_letter(p[i]);
		f->at[f->text.len] = (uint32_t)(origin + i);
		f->text.data[f->text.len++] = ascii_lower(p[i]);
	}
	/* what leaves nothing does not end it either */
	if (i < n && (p[i] & 0x80) == 0 && ascii[(unsigned char)p[i]] != 0)
		word_end(f);
	return i;
}

/* Whether eight bytes are printable ASCII with no two blanks together, none in
 * front if `blank`; then they stay, but for capitals. */
static bool
is_plain(uint64_t eight, bool blank)
{
	uint64_t none =
	    ~word_at_least(eight, ' ') | word_at_least(eight, 0x7f) | eight;
	uint64_t blanks = ~word_at_least(eight, ' ' + 1) & WORD_HIGH;

	return ((none & WORD_HIGH) |
		   (blanks & (blanks << 8 | (blank ? 0x80u : 0)))) == 0;
}

/* The same with small letters. */
static uint64_t
to_lower(uint64_t eight)
{
	uint64_t capitals =
	    word_at_least(eight, 'A') & ~word_at_least(eight, 'Z' + 1);

	return eight | capitals >> 2;
}

/* Plain ASCII from p on, at most `n` bytes, eight at a time. */
static size_t
take_plain(struct fold *f, const char *p, size_t n, size_t origin)
{
	size_t len = f->text.len, i = 0;
	char *text = f->text.data;
	uint32_t *at = f->at;

	for (; n - i >= WORD_EIGHT; i += WORD_EIGHT) {
		uint64_t eight = word_load(p + i);

		bool blank =
		    len == 0 || text[len - 1] == ' ' || text[len - 1] == '\n';

		if (!is_plain(eight, blank))
			break;
		word_store(text + len, to_lower(eight));
		for (size_t k = 0; k < WORD_EIGHT; k++)
			at[len + k] = (uint32_t)(origin + i + k);
		len += WORD_EIGHT;
	}
	f->text.len = len;
	return i;
}

/* One byte of ASCII outside of words. */
static void
take_byte(struct fold *f, char byte, size_t origin)
{
	char c = ascii[(unsigned char)byte];

	if (c > ' ') {
		f->at[f->text.len] = (uint32_t)origin;
		f->text.data[f->text.len++] = c;
	} else if (c != 0) {
		put_space(f, c, origin);
	}
}

/* ASCII from p on, `n` bytes of which there is room for. */
static size_t
take_ascii(struct fold *f, const char *p, size_t n, size_t origin)
{
	size_t i = f->word ? take_word(f, p, n, origin) : 0;

	if (f->word && i < n && (p[i] & 0x80) == 0)
		return i + 1; /* it leaves nothing, and the word goes on */
	while (i < n && (p[i] & 0x80) == 0) {
		size_t odd;

		i += take_plain(f, p + i, n - i, origin + i);
		odd = n - i < WORD_EIGHT ? n : i + WORD_EIGHT;
		for (; i < odd && (p[i] & 0x80) == 0; i++) {
			take_byte(f, p[i], origin + i);
			if (p[i] == '\n')
				odd = i + 1;
		}
	}
	return i;
}

/* Append a character as it is. */
static bool
put_bytes(struct fold *f, uint32_t code, size_t origin)
{
	char bytes[4];
	size_t n = utf8_encode(code, bytes);

	if (!reserve(f, n))
		return false;
	memcpy(f->text.data + f->text.len, bytes, n);
	for (size_t i = 0; i < n; i++)
		f->at[f->text.len++] = (uint32_t)origin;
	return true;
}

/* A mark: put together with the character before it, left out after ASCII. */
static bool
put_mark(struct fold *f, uint32_t code, size_t origin)
{
	size_t last = f->text.len;
	uint32_t before = 0, one;

	if (last == 0)
		return true;
	do
		last--;
	while (((unsigned char)f->text.data[last] & 0xc0u) == 0x80);
	(void)utf8_decode(f->text.data + last, f->text.len - last, &before);
	if (before < 0x80)
		return true;
	one = fold_compose(before, code);
	if (one == 0)
		return put_bytes(f, code, origin);
	f->text.len = last;
	return put_bytes(f, one, f->at[last]);
}

/* A folded character that is not ASCII. */
static bool
put_folded(struct fold *f, uint32_t code, enum fold_kind kind, size_t origin)
{
	switch (kind) {
	case FOLD_STRICT:
		word_begin(f);
		f->strict++;
		break;
	case FOLD_LOOSE:
		word_begin(f);
		f->loose++;
		break;
	case FOLD_LETTER:
		word_begin(f);
		f->other++;
		break;
	case FOLD_MARK:
		return put_mark(f, code, origin);
	case FOLD_OUTSIDE:
		word_end(f);
		break;
	case FOLD_JAMO:
		word_end(f);
		return f->text.len == 0 ||
			       (f->text.data[f->text.len - 1] & 0x80) == 0
			   ? put_bytes(f, code, origin)
			   : put_mark(f, code, origin);
	}
	return put_bytes(f, code, origin);
}

static bool
put_part(struct fold *f, uint32_t code, size_t origin)
{
	char byte = (char)code;

	if (code >= 0x80)
		return put_folded(
		    f, code, (enum fold_kind)find_char(f, code)->kind, origin);
	if (!reserve(f, 1))
		return false;
	(void)take_ascii(f, &byte, 1, origin);
	return true;
}

/* Emoji and dingbats. */
static bool
is_pictograph(uint32_t code)
{
	return (code >= 0x2600 && code <= 0x27bf) ||
	       (code >= 0x1f300 && code <= 0x1faff);
}

static bool
put_blank(struct fold *f, size_t origin)
{
	word_end(f);
	if (!reserve(f, 1))
		return false;
	put_space(f, ' ', origin);
	return true;
}

static bool
put_char(struct fold *f, uint32_t code, size_t origin)
{
	const struct fold_char *known;
	struct fold_char c;

	if (is_pictograph(code))
		return put_blank(f, origin);
	known = find_char(f, code);

	if (known->count == 1 && known->to[0] == code)
		return put_folded(f, code, (enum fold_kind)known->kind, origin);
	c = *known;
	for (size_t i = 0; i < c.count; i++)
		if (!put_part(f, c.to[i], origin))
			return false;
	return true;
}

/* Fold what is at p; returns the bytes taken, 0 if the text is full. */
static size_t
take(struct fold *f, const char *p, size_t n, size_t origin)
{
	size_t length;
	uint32_t code;

	if ((*p & 0x80) == 0) {
		n = n < ASCII_BLOCK ? n : ASCII_BLOCK;
		if (!reserve(f, n) && !reserve(f, n = 1))
			return 0;
		return take_ascii(f, p, n, origin);
	}
	length = utf8_decode(p, n, &code);
	if (length == 0) {
		code = REPLACEMENT;
		length = 1;
	}
	return put_char(f, code, origin) ? length : 0;
}

int
fold_text(struct fold *f, struct span source)
{
	size_t i = 0, length;
	int rc = 0;

	buf_clear(&f->text);
	f->word = false;
	f->source_bytes = source.n;
	if (source.n > UINT32_MAX)
		return -ERR_TOO_LARGE;
	while (i < source.n) {
		length = take(f, source.p + i, source.n - i, i);
		if (length == 0) {
			rc = -ERR_TOO_LARGE;
			break;
		}
		i += length;
	}
	word_end(f);
	f->text.overflow = rc != 0;
	return rc;
}

size_t
fold_origin(const struct fold *f, size_t offset)
{
	return offset < f->text.len ? f->at[offset] : f->source_bytes;
}
