/*
 * Text: borrowed views, strict UTF-8, hexadecimal and base64.
 */
#ifndef TRIZONE_COMMON_TEXT_H
#define TRIZONE_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"

/* A view of bytes somebody else owns; not NUL-terminated. */
struct span {
	const char *p;
	size_t n;
};

#define SPAN(literal) ((struct span){literal, sizeof(literal) - 1})

struct span span_of(const char *text); /* of a NUL-terminated string */
bool span_equal(struct span a, struct span b);
bool span_is(struct span a, const char *text);
static inline bool
span_starts(struct span a, const char *prefix)
{
	size_t n = strlen(prefix); /* known when compiled, mostly */

	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

/* Copy into `out` of `room` bytes with a NUL; -ERR_RANGE if it does not fit
 * or holds a NUL. */
int span_copy(struct span a, char *out, size_t room);

/* Length in bytes of the UTF-8 character at p (1 to 4), or 0 if the bytes are
 * not one: overlong, surrogate, above U+10FFFF, cut (RFC 3629). */
size_t utf8_length(const char *p, size_t bytes);

/* Decode the character at p; returns its length or 0, as above. The first is
 * for what is not ASCII. */
size_t utf8_decode_wide(const char *p, size_t bytes, uint32_t *code_out);
static inline size_t
utf8_decode(const char *p, size_t bytes, uint32_t *code_out)
{
	if (bytes == 0 || (*p & 0x80) != 0)
		return utf8_decode_wide(p, bytes, code_out);
	*code_out = (unsigned char)*p;
	return 1;
}

/* Bytes at the start that are printable ASCII, 0x20 to 0x7e. */
size_t ascii_printable(const char *p, size_t bytes);

/* The same without the quotation mark and the backslash, which JSON escapes. */
size_t ascii_unescaped(const char *p, size_t bytes);

/* Bytes at the start that are hexadecimal digits as hex_encode writes them. */
size_t hex_length(const char *p, size_t bytes);

/* Encode `code` into out[4]; returns the length. `code` must be valid. */
size_t utf8_encode(uint32_t code, char out[4]);

/* Whether all of it is valid UTF-8. */
bool utf8_check(const char *p, size_t bytes);

/* Number of characters in valid UTF-8. */
size_t utf8_count(const char *p, size_t bytes);

/* The longest prefix of valid UTF-8 that has at most `chars` characters;
 * returns its length in bytes. */
size_t utf8_prefix(const char *p, size_t bytes, size_t chars);

/* Append `bytes` of any bytes as UTF-8: each maximal ill-formed part becomes
 * one U+FFFD. Adds the number of replacements to *replaced_out. */
int utf8_add_repaired(
    struct buf *out, const char *p, size_t bytes, size_t *replaced_out);

/* 2 * bytes hexadecimal digits and a NUL into out. */
void hex_encode(const void *bytes, size_t count, char *out);

/* Exactly count * 2 lower-case digits into count bytes; -ERR_SYNTAX. */
int hex_decode(struct span text, void *out, size_t count);

/* Base64 (RFC 4648 section 4, padded). Append to out. Decoding accepts only
 * the one canonical form; -ERR_SYNTAX otherwise. */
int base64_add(struct buf *out, const void *bytes, size_t count);
int base64_decode_add(struct buf *out, struct span text);

#endif
