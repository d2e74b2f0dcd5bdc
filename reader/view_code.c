/*
 * Base64, hexadecimal and numbers in a text. A run of what could be one is
 * decoded whole, and most of what comes out is no text: keys, hashes,
 * addresses. Each byte of the source is in at most one run of each kind.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/invisible.h"
#include "reader/html_ascii.h"
#include "reader/transfer.h"
#include "reader/view_part.h"

#define BASE64_LEAST 16 /* characters; shorter ones hold no sentence */
#define BASE64_PLAIN 2	/* plain words in a run, one after the other */
#define CODES_LEAST 8	/* characters */
#define TEXT_LEAST 8	/* bytes */
#define INSIDE_LEAST 16 /* of what is no prose, but may hold some */

#define D (BYTE_DIGIT | BYTE_HEX | BYTE_BASE64)
#define H (BYTE_HEX | BYTE_BASE64)
#define B BYTE_BASE64
#define U (BYTE_UPPER | B)
#define L (BYTE_LOWER | B)
const unsigned char view_class[256] = {['0'] = D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    D,
    ['A'] = BYTE_UPPER | H,
    BYTE_UPPER | H,
    BYTE_UPPER | H,
    BYTE_UPPER | H,
    BYTE_UPPER | H,
    BYTE_UPPER | H,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    U,
    ['a'] = BYTE_LOWER | H,
    BYTE_LOWER | H,
    BYTE_LOWER | H,
    BYTE_LOWER | H,
    BYTE_LOWER | H,
    BYTE_LOWER | H,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    L,
    ['\t'] = BYTE_BREAK,
    BYTE_BREAK,
    ['\f'] = BYTE_BREAK,
    BYTE_BREAK,
    [' '] = BYTE_BREAK,
    [','] = BYTE_BREAK,
    [':'] = BYTE_BREAK,
    BYTE_BREAK,
    ['+'] = B,
    ['-'] = B | BYTE_BREAK,
    ['/'] = B,
    ['_'] = B};
#undef D
#undef H
#undef B
#undef U
#undef L

static bool
is_printable(uint32_t code)
{
	return code == '\n' || code == '\t' || code == '\r' ||
	       (code >= ' ' && code != 0xfffd &&
		   invisible_class(code) != INVISIBLE_CONTROL);
}

struct span
view_text_in(struct span bytes)
{
	struct span best = {bytes.p, 0};
	size_t start = 0, i = 0;

	while (i < bytes.n) {
		uint32_t code;
		size_t length;

		if (bytes.p[i] >= ' ' && bytes.p[i] < 0x7f) {
			i++;
			continue;
		}
		length = utf8_decode(bytes.p + i, bytes.n - i, &code);
		if (length != 0 && is_printable(code)) {
			i += length;
			continue;
		}
		if (i - start > best.n)
			best = (struct span){bytes.p + start, i - start};
		start = ++i;
	}
	if (i - start > best.n)
		best = (struct span){bytes.p + start, i - start};
	return best;
}

/* UTF-16 with its high byte at `high` of each two, if that is mostly zero. */
static bool
from_utf16(struct span bytes, size_t high, struct buf *out)
{
	size_t zeros = 0;

	for (size_t i = high; i < bytes.n; i += 2)
		zeros += bytes.p[i] == '\0';
	if (bytes.n < TEXT_LEAST * 2 || zeros * 4 < bytes.n)
		return false;
	for (size_t i = 0; i + 1 < bytes.n; i += 2) {
		uint32_t code = (unsigned char)bytes.p[i + 1 - high] |
				(uint32_t)(unsigned char)bytes.p[i + high] << 8;
		char text[4];

		if (code >= 0xd800 && code < 0xe000)
			code = '?';
		(void)buf_add(out, text, utf8_encode(code, text));
	}
	return true;
}

/* Emit what of the bytes is text. */
static bool
emit_text(const struct view_job *job, enum view view, struct span bytes,
    size_t start, size_t end)
{
	struct span text = view_text_in(bytes);
	bool readable = text.n >= TEXT_LEAST && known_prose(text);

	if (!readable && (text.n < INSIDE_LEAST || text.n * 8 < bytes.n * 7))
		return false;
	view_emit(job, view, text, readable, start, end);
	return true;
}

bool
view_bytes(const struct view_job *job, enum view view, struct span bytes,
    size_t start, size_t end)
{
	struct buf wide;
	bool found;

	if (bytes.n < TEXT_LEAST)
		return false;
	if (emit_text(job, view, bytes, start, end))
		return true;
	buf_init(&wide, bytes.n * 2);
	found = (from_utf16(bytes, 1, &wide) || from_utf16(bytes, 0, &wide)) &&
		emit_text(
		    job, view, (struct span){wide.data, wide.len}, start, end);
	buf_free(&wide);
	return found;
}

/* The base64 digits of `text`, whatever is between, in the alphabet of mails;
 * `out` has room for all. */
static size_t
base64_digits(struct span text, char *out)
{
	size_t count = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((view_class_of(c) & BYTE_BASE64) != 0)
			out[count++] = (char)(c == '-'	 ? '+'
					      : c == '_' ? '/'
							 : c);
	}
	return count;
}

/* The bytes of so many digits, without bits that are left over. */
static size_t
decode_base64(const char *digits, size_t count, char *out)
{
	struct base64_in state = {0};
	size_t n = base64_step(&state, digits, count, out);

	return n + base64_end(&state, out + n);
}

/* A word may stand before the first digit: try each place it can start. */
static bool
try_base64(const struct view_job *job, size_t start, size_t end)
{
	struct span text = {job->text.p + start, end - start};
	char *digits = alloc_resize(NULL, text.n, 1);
	char *bytes = alloc_resize(NULL, text.n + 3, 1);
	size_t count = base64_digits(text, digits);
	bool found = false;

	for (size_t skip = 0; skip < 4 && skip < count && !found; skip++) {
		size_t n = decode_base64(digits + skip, count - skip, bytes);

		found = view_bytes(
		    job, VIEW_BASE64, (struct span){bytes, n}, start, end);
	}
	free(digits);
	free(bytes);
	return found;
}

/* The word at p in base64 digits: its length, and whether it is none of a
 * language, by its capitals or a digit beside letters. */
static size_t
base64_word(struct span text, size_t at, bool *odd_out)
{
	unsigned seen = 0, capitals = 0;
	bool inner = false;
	size_t i = at;

	for (; i < text.n; i++) {
		unsigned class = view_class_of(text.p[i]);

		if ((class & BYTE_BASE64) == 0)
			break;
		inner |= (seen & BYTE_LOWER) != 0 && (class & BYTE_UPPER) != 0;
		capitals += (class & BYTE_UPPER) != 0;
		seen |= class;
	}
	*odd_out = i - at >= 4 &&
		   (inner || ((seen & BYTE_LOWER) != 0 && capitals >= 2) ||
		       ((seen & BYTE_DIGIT) != 0 &&
			   (seen & (BYTE_LOWER | BYTE_UPPER)) != 0));
	return i - at;
}

/* Words of one run of base64. */
struct base64_run {
	size_t start, end; /* of its odd words */
	size_t digits;
	size_t plain_digits; /* of plain words behind them */
	unsigned plain;
	bool open;
};

/* A run that ends: each text up to its padding, or else all of it, as an equals
 * sign may also be a soft line break. */
static void
base64_close(const struct view_job *job, struct base64_run *r)
{
	size_t from = r->start;
	bool found = false;

	if (!r->open || r->digits < BASE64_LEAST)
		r->end = from;
	for (size_t i = from; i < r->end; i++) {
		if (i + 1 != r->end && job->text.p[i] != '=')
			continue;
		if (i + 1 - from >= BASE64_LEAST)
			found |= try_base64(job, from, i + 1);
		from = i + 1;
	}
	if (!found && r->open &&
	    memchr(job->text.p + r->start, '=', r->end - r->start) != NULL)
		(void)try_base64(job, r->start, r->end);
	*r = (struct base64_run){0};
}

static void
base64_take(const struct view_job *job, struct base64_run *r, size_t at,
    size_t length, bool odd)
{
	if (odd) {
		if (!r->open)
			*r = (struct base64_run){.start = at, .open = true};
		r->digits += r->plain_digits + length;
		r->plain_digits = r->plain = 0;
		r->end = at + length;
	} else if (r->open && ++r->plain <= BASE64_PLAIN) {
		r->plain_digits += length;
	} else {
		base64_close(job, r);
	}
}

/* The first word from `at` on, where none goes on, that may be no plain one. */
static size_t
base64_next(const struct view_job *job, size_t at)
{
	size_t i = view_marks_next(job->marks, MARK_BASE64, at);

	while (i < job->text.n && i > at &&
	       (view_class_of(job->text.p[i - 1]) & BYTE_BASE64) != 0)
		i--;
	return i;
}

void
view_base64(const struct view_job *job)
{
	struct base64_run r = {0};
	struct span text = job->text;
	size_t i = 0;

	while (i < text.n) {
		bool odd = false;
		size_t length;
		char c;

		if (!r.open) {
			i = base64_next(job, i);
			if (i == text.n)
				break;
		}
		c = text.p[i];
		length = base64_word(text, i, &odd);
		if (length != 0) {
			base64_take(job, &r, i, length, odd);
			i += length;
			continue;
		}
		/* quoted lines start with > */
		if (r.open && c != '=' && c != '>' && !ascii_is_space(c))
			base64_close(job, &r);
		i++;
	}
	base64_close(job, &r);
}

/* A prefix of hexadecimal digits: 0x, \x, x. */
static size_t
hex_prefix(const char *p, size_t n)
{
	if (n >= 2 && (p[0] == '0' || p[0] == '\\') && (p[1] | 32) == 'x')
		return 2;
	return 0;
}

/* Where what separates codes ends, after `most` bytes at the latest. */
static size_t
skip_break(struct span text, size_t at, size_t most)
{
	struct span near = text;

	if (near.n - at > most)
		near.n = at + most;
	return view_skip(near, at, BYTE_BREAK);
}

/* Pairs of digits from `at` on: where they end, and the bytes in `out`, unless
 * it is NULL. */
static size_t
take_pairs(struct span text, size_t at, char *out, size_t *count_out)
{
	size_t i = at, end = at, count = 0;

	while (i < text.n) {
		size_t n = text.n - i, prefix = hex_prefix(text.p + i, n);
		char high, low;

		if (n < prefix + 2)
			break;
		high = text.p[i + prefix];
		low = text.p[i + prefix + 1];
		if ((view_class_of(high) & view_class_of(low) & BYTE_HEX) == 0)
			break;
		if (out != NULL)
			out[count] =
			    (char)(ascii_hex(high) << 4 | ascii_hex(low));
		count++;
		end = i + prefix + 2;
		i = skip_break(text, end, 2);
	}
	*count_out = count;
	return end;
}

/* Whether digits in pairs can start at `at`. */
static bool
may_be_hex(struct span text, size_t at)
{
	const char *p = text.p + at;
	size_t n = text.n - at;

	return n >= 2 &&
	       ((view_class_of(p[0]) & view_class_of(p[1]) & BYTE_HEX) != 0 ||
		   hex_prefix(p, n) != 0);
}

/* The number at p: two or three decimal digits or eight binary ones. Returns
 * its length, or 0. */
static size_t
take_number(struct span text, size_t at, uint32_t *value_out)
{
	uint32_t decimal = 0, binary = 0;
	bool bits = true;
	size_t n = 0;

	for (; at + n < text.n && n < 9 && ascii_is_digit(text.p[at + n]);
	     n++) {
		uint32_t digit = (uint32_t)(text.p[at + n] - '0');

		decimal = decimal * 10 + digit;
		binary = binary << 1 | (digit & 1);
		bits = bits && digit <= 1;
	}
	*value_out = n == 8 && bits ? binary : decimal;
	if ((n == 8 && bits) || n == 2 || n == 3)
		return *value_out >= ' ' && *value_out < 0x7f ? n : 0;
	return 0;
}

/* The characters that the numbers from `at` on stand for: where they end, and
 * the characters in `out`, unless it is NULL. */
static size_t
take_numbers(struct span text, size_t at, char *out, size_t *count_out)
{
	size_t i = at, end = at, count = 0, length;
	uint32_t value;

	while ((length = take_number(text, i, &value)) != 0) {
		if (out != NULL)
			out[count] = (char)value;
		count++;
		end = i + length;
		i = skip_break(text, end, 3);
		if (i == end)
			break;
	}
	*count_out = count;
	return end;
}

/* Whether each eighth binary digit from `at` on is 0, as those of ASCII are. */
static bool
is_eight(struct span text, size_t at, size_t end)
{
	for (size_t i = at; i < end; i += 8)
		if (text.p[i] != '0')
			return false;
	return (end - at) % 8 == 0;
}

/* Characters in binary digits with nothing between, of eight or seven. */
static size_t
take_bits(struct span text, size_t at, char *out, size_t *count_out)
{
	size_t end = at, size;

	while (end < text.n && (text.p[end] == '0' || text.p[end] == '1'))
		end++;
	size = is_eight(text, at, end) ? 8 : 7;
	*count_out = (end - at) / size;
	for (size_t i = 0; out != NULL && i < *count_out; i++) {
		unsigned value = 0;

		for (size_t k = 0; k < size; k++)
			value = value << 1 | (text.p[at + i * size + k] == '1');
		out[i] = (char)value;
	}
	return end;
}

typedef size_t (*take_codes)(
    struct span text, size_t at, char *out, size_t *count_out);

/* Try one kind from `at` on; returns where what could be it ends. */
static size_t
try_codes(
    const struct view_job *job, enum view view, take_codes take, size_t at)
{
	size_t count, end = take(job->text, at, NULL, &count);
	char *bytes;

	if (count < CODES_LEAST)
		return end;
	bytes = alloc_resize(NULL, count, 1);
	(void)take(job->text, at, bytes, &count);
	(void)view_bytes(job, view, (struct span){bytes, count}, at, end);
	free(bytes);
	return end;
}

void
view_codes(const struct view_job *job)
{
	struct span text = job->text;
	size_t i = 0, hex = 0, numbers = 0, bits = 0; /* where the last ended */

	while (i < text.n) {
		unsigned class;

		i = view_marks_next(job->marks, MARK_CODES, i);
		if (i == text.n)
			break;
		class = view_class_of(text.p[i]);
		if (i >= hex && may_be_hex(text, i))
			hex = try_codes(job, VIEW_HEX, take_pairs, i);
		if (i >= numbers && (class & BYTE_DIGIT) != 0)
			numbers = try_codes(job, VIEW_NUMBERS, take_numbers, i);
		if (i >= bits && (text.p[i] == '0' || text.p[i] == '1'))
			bits = try_codes(job, VIEW_NUMBERS, take_bits, i);
		i++;
	}
}
