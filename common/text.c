/*
 * Strict UTF-8, hexadecimal, base64. Pure functions over caller's memory.
 */
#include "common/text.h"

#include <string.h>

#include "common/err.h"

struct span
span_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_is(struct span a, const char *text)
{
	return span_equal(a, span_of(text));
}

int
span_copy(struct span a, char *out, size_t room)
{
	if (a.n >= room || (a.n != 0 && memchr(a.p, '\0', a.n) != NULL))
		return -ERR_RANGE;
	if (a.n != 0)
		memcpy(out, a.p, a.n);
	out[a.n] = '\0';
	return 0;
}

size_t
utf8_decode_wide(const char *p, size_t bytes, uint32_t *code_out)
{
	const unsigned char *s = (const unsigned char *)p;
	uint32_t code, least;
	size_t length;

	if (bytes == 0)
		return 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		length = 2;
		code = s[0] & 0x1fu;
		least = 0x80;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		length = 3;
		code = s[0] & 0x0fu;
		least = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		length = 4;
		code = s[0] & 0x07u;
		least = 0x10000;
	} else {
		return 0;
	}
	if (bytes < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0u) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fu);
	}
	if (code < least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_out = code;
	return length;
}

size_t
utf8_length(const char *p, size_t bytes)
{
	uint32_t code;

	return utf8_decode(p, bytes, &code);
}

size_t
utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH (ONES * 0x80)

/* The high bit of each of eight bytes of ASCII that is not `byte`. */
static uint64_t
differ(uint64_t eight, unsigned byte)
{
	return (eight ^ ONES * byte) + ONES * 0x7f;
}

/* The high bit of each of eight bytes that is printable ASCII. */
static uint64_t
printable(uint64_t eight)
{
	return ((eight & ~HIGH) + ONES * (0x80 - ' ')) &
	       differ(eight & ~HIGH, 0x7f) & ~eight & HIGH;
}

static bool
is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

size_t
ascii_printable(const char *p, size_t bytes)
{
	size_t i = 0;
	uint64_t eight;

	for (; i + sizeof eight <= bytes; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		if (printable(eight) != HIGH)
			break;
	}
	while (i < bytes && is_printable(p[i]))
		i++;
	return i;
}

/* The high bit of each of eight bytes that is `least` or more; of those that
 * are no ASCII it says nothing. */
static uint64_t
from(uint64_t eight, unsigned least)
{
	return (eight & ~HIGH) + ONES * (0x80 - least);
}

static uint64_t
hex_digits(uint64_t eight)
{
	return ((from(eight, '0') & ~from(eight, '9' + 1)) |
		   (from(eight, 'a') & ~from(eight, 'f' + 1))) &
	       ~eight & HIGH;
}

size_t
hex_length(const char *p, size_t bytes)
{
	size_t i = 0;
	uint64_t eight;

	for (; i + sizeof eight <= bytes; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		if (hex_digits(eight) != HIGH)
			break;
	}
	while (i < bytes &&
	       ((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
		i++;
	return i;
}

size_t
ascii_unescaped(const char *p, size_t bytes)
{
	size_t i = 0;
	uint64_t eight;

	for (; i + sizeof eight <= bytes; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		if ((printable(eight) & differ(eight & ~HIGH, '"') &
			differ(eight & ~HIGH, '\\')) != HIGH)
			break;
	}
	while (i < bytes && is_printable(p[i]) && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* Bytes of leading ASCII, eight at a time. */
static size_t
ascii_run(const char *p, size_t bytes)
{
	size_t i = 0;
	uint64_t word;

	while (i + sizeof word <= bytes) {
		memcpy(&word, p + i, sizeof word);
		if ((word & HIGH) != 0)
			break;
		i += sizeof word;
	}
	while (i < bytes && (unsigned char)p[i] < 0x80)
		i++;
	return i;
}

bool
utf8_check(const char *p, size_t bytes)
{
	size_t i = 0, length;

	while (i < bytes) {
		i += ascii_run(p + i, bytes - i);
		if (i == bytes)
			break;
		length = utf8_length(p + i, bytes - i);
		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

size_t
utf8_count(const char *p, size_t bytes)
{
	size_t count = 0, i = 0;
	uint64_t eight;

	for (; i + sizeof eight <= bytes; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		/* 1 in each byte that is no continuation, 10xxxxxx; then
		 * their sum, in the top byte */
		eight = (~(eight >> 7) | eight >> 6) & ONES;
		count += eight * ONES >> 56;
	}
	for (; i < bytes; i++)
		if (((unsigned char)p[i] & 0xc0u) != 0x80)
			count++;
	return count;
}

size_t
utf8_prefix(const char *p, size_t bytes, size_t chars)
{
	size_t i = 0, length;

	while (i < bytes && chars-- > 0) {
		length = utf8_length(p + i, bytes - i);
		if (length == 0)
			break;
		i += length;
	}
	return i;
}

/* Length of the maximal ill-formed part at s: one byte, or the start of a
 * character that is cut (Unicode, section 3.9, "maximal subpart"). */
static size_t
bad_length(const unsigned char *s, size_t bytes)
{
	size_t want;
	unsigned char low = 0x80, high = 0xbf;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		want = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		want = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		want = 4;
	else
		return 1;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < want; i++) {
		if (i >= bytes || s[i] < low || s[i] > high)
			return i;
		low = 0x80;
		high = 0xbf;
	}
	return want;
}

int
utf8_add_repaired(
    struct buf *out, const char *p, size_t bytes, size_t *replaced_out)
{
	size_t i = 0, start = 0, length;
	int rc = 0;

	while (i < bytes && rc == 0) {
		i += ascii_run(p + i, bytes - i);
		if (i == bytes)
			break;
		length = utf8_length(p + i, bytes - i);
		if (length != 0) {
			i += length;
			continue;
		}
		rc = buf_add(out, p + start, i - start);
		if (rc == 0)
			rc = buf_add(out, "\xef\xbf\xbd", 3);
		++*replaced_out;
		i += bad_length((const unsigned char *)p + i, bytes - i);
		start = i;
	}
	if (rc == 0 && i > start)
		rc = buf_add(out, p + start, i - start);
	return rc;
}

/* Two digits for each byte: "000102" to "feff". */
#define HEX_ROW(d)                                                             \
	d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9" d "a" d    \
	  "b" d "c" d "d" d "e" d "f"
static const char hex_pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2")
    HEX_ROW("3") HEX_ROW("4") HEX_ROW("5") HEX_ROW("6") HEX_ROW("7")
	HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b") HEX_ROW("c")
	    HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

void
hex_encode(const void *bytes, size_t count, char *out)
{
	const unsigned char *s = bytes;

	for (size_t i = 0; i < count; i++)
		memcpy(out + 2 * i, hex_pairs + (size_t)2 * s[i], 2);
	out[2 * count] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
hex_decode(struct span text, void *out, size_t count)
{
	unsigned char *to = out;

	if (text.n != count * 2)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < text.n; i++)
		if (hex_value(text.p[i]) < 0)
			return -ERR_SYNTAX;
	for (size_t i = 0; i < count; i++)
		to[i] = (unsigned char)(hex_value(text.p[2 * i]) << 4 |
					hex_value(text.p[2 * i + 1]));
	return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_add(struct buf *out, const void *bytes, size_t count)
{
	const unsigned char *s = bytes;
	size_t want = (count + 2) / 3 * 4;
	char *to = buf_reserve(out, want);

	if (to == NULL)
		return -ERR_TOO_LARGE;
	for (size_t i = 0; i < count; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16;

		if (i + 1 < count)
			v |= (uint32_t)s[i + 1] << 8;
		if (i + 2 < count)
			v |= s[i + 2];
		*to++ = base64_digits[v >> 18];
		*to++ = base64_digits[v >> 12 & 63];
		*to++ = i + 1 < count ? base64_digits[v >> 6 & 63] : '=';
		*to++ = i + 2 < count ? base64_digits[v & 63] : '=';
	}
	out->len += want;
	return 0;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int
base64_decode_add(struct buf *out, struct span text)
{
	size_t pad = 0, made = 0;
	char *to;

	if (text.n % 4 != 0)
		return -ERR_SYNTAX;
	if (text.n == 0)
		return 0;
	while (pad < 2 && text.p[text.n - 1 - pad] == '=')
		pad++;
	to = buf_reserve(out, text.n / 4 * 3 - pad);
	if (to == NULL)
		return -ERR_TOO_LARGE;
	for (size_t i = 0; i < text.n; i += 4) {
		size_t keep = i + 4 == text.n ? 3 - pad : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k <= keep ? base64_value(text.p[i + k]) : 0;

			if (d < 0)
				return -ERR_SYNTAX;
			v = v << 6 | (uint32_t)d;
		}
		if ((keep == 1 && (v & 0xffff) != 0) ||
		    (keep == 2 && (v & 0xff) != 0))
			return -ERR_SYNTAX;
		for (size_t k = 0; k < keep; k++)
			to[made++] = (char)(v >> (16 - 8 * k));
	}
	out->len += made;
	return 0;
}
