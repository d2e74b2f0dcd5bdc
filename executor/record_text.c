/*
 * The strings of a record. Runs in the auditor on texts that an attacker may
 * have chosen: none can end its string, or take more room than it may.
 */
#include "executor/record_field.h"

/* \u0041, or two of them for a character above U+FFFF (RFC 8259, 7). */
static int
add_escape(struct buf *out, uint32_t code)
{
	uint32_t rest;

	if (code < 0x10000)
		return buf_add_format(out, "\\u%04x", (unsigned)code);
	rest = code - 0x10000;
	return buf_add_format(out, "\\u%04x\\u%04x",
	    (unsigned)(0xd800 + (rest >> 10)),
	    (unsigned)(0xdc00 + (rest & 0x3ff)));
}

static int
add_character(struct buf *out, uint32_t code)
{
	int rc = 0;

	if (code == '"' || code == '\\')
		rc = buf_add_byte(out, '\\');
	if (rc == 0 && code >= 0x20 && code < 0x7f)
		return buf_add_byte(out, (char)code);
	return rc != 0 ? rc : add_escape(out, code);
}

/* Bytes from `i` on that stand for themselves, at most up to `most`. */
static size_t
plain_run(struct span text, size_t i, size_t most)
{
	size_t n = i;

	while (n < text.n && n < most && text.p[n] >= 0x20 &&
	       text.p[n] < 0x7f && text.p[n] != '"' && text.p[n] != '\\')
		n++;
	return n - i;
}

/* No JSON reader of ours takes NUL, so it is made inert too. */
int
record_add_string(
    struct buf *out, struct span untrusted_text, size_t most, size_t *kept_out)
{
	size_t i = 0, length;
	uint32_t code;
	int rc = buf_add_byte(out, '"');

	for (; rc == 0 && i < untrusted_text.n; i += length) {
		length = plain_run(untrusted_text, i, most);
		if (length != 0) {
			rc = buf_add(out, untrusted_text.p + i, length);
			continue;
		}
		length = utf8_decode(
		    untrusted_text.p + i, untrusted_text.n - i, &code);
		if (length == 0 || code == 0) {
			length = 1;
			code = 0xfffd;
		}
		if (i + length > most)
			break;
		rc = add_character(out, code);
	}
	*kept_out = i;
	return rc != 0 ? rc : buf_add_byte(out, '"');
}

int
record_add_plain(
    struct buf *out, struct span untrusted_text, size_t most, size_t *kept_out)
{
	size_t i = 0, used = 0;
	int rc = buf_add_byte(out, '"');

	for (; rc == 0 && i < untrusted_text.n; i++) {
		unsigned char c = (unsigned char)untrusted_text.p[i];
		bool plain = plain_run(untrusted_text, i, i + 1) != 0;

		used += plain ? 1 : 3;
		if (used > most)
			break;
		rc = plain ? buf_add_byte(out, (char)c)
			   : buf_add_format(out, "%%%02X", (unsigned)c);
	}
	*kept_out = i;
	return rc != 0 ? rc : buf_add_byte(out, '"');
}
