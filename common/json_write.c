/*
 * JSON writer. Escapes what RFC 8259 demands, and also U+007F, U+2028 and
 * U+2029, which some readers take for line ends or control characters.
 */
#include <stdio.h>

#include "common/json.h"

void
json_write_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

static void
before_value(struct json_writer *w)
{
	if (w->comma)
		buf_add_byte(w->out, ',');
	w->comma = true;
}

void
json_open(struct json_writer *w, char bracket)
{
	before_value(w);
	buf_add_byte(w->out, bracket);
	w->comma = false;
}

void
json_close(struct json_writer *w, char bracket)
{
	buf_add_byte(w->out, bracket);
	w->comma = true;
}

/* What stands for the character at p in a string, or NULL for itself;
 * *length_out is how many bytes of the text it covers. */
static const char *
escaped(const char *p, size_t bytes, char out[8], size_t *length_out)
{
	unsigned char c = (unsigned char)*p;

	*length_out = 1;
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		break;
	}
	if (c < 0x20 || c == 0x7f) {
		snprintf(out, 8, "\\u%04x", c);
		return out;
	}
	if (c == 0xe2 && bytes >= 3 && (unsigned char)p[1] == 0x80 &&
	    ((unsigned char)p[2] & 0xfe) == 0xa8) {
		*length_out = 3;
		return (unsigned char)p[2] == 0xa8 ? "\\u2028" : "\\u2029";
	}
	return NULL;
}

static void
add_quoted(struct json_writer *w, struct span text)
{
	size_t start = 0, i = 0, length;
	char room[8];

	if (text.n == 0) { /* its pointer may be NULL */
		buf_add_text(w->out, "\"\"");
		return;
	}
	buf_add_byte(w->out, '"');
	while (i < text.n) {
		const char *stand_in;

		i += ascii_unescaped(text.p + i, text.n - i);
		if (i == text.n)
			break;
		stand_in = escaped(text.p + i, text.n - i, room, &length);
		if (stand_in == NULL) {
			i++;
			continue;
		}
		buf_add(w->out, text.p + start, i - start);
		buf_add_text(w->out, stand_in);
		i += length;
		start = i;
	}
	buf_add(w->out, text.p + start, i - start);
	buf_add_byte(w->out, '"');
}

void
json_key(struct json_writer *w, const char *key)
{
	json_key_span(w, span_of(key));
}

void
json_key_span(struct json_writer *w, struct span key)
{
	before_value(w);
	add_quoted(w, key);
	buf_add_byte(w->out, ':');
	w->comma = false;
}

void
json_string(struct json_writer *w, struct span text)
{
	before_value(w);
	add_quoted(w, text);
}

void
json_text(struct json_writer *w, const char *text)
{
	json_string(w, span_of(text));
}

void
json_integer(struct json_writer *w, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[20];
	size_t at = sizeof digits;

	before_value(w);
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		digits[--at] = '-';
	buf_add(w->out, digits + at, sizeof digits - at);
}

void
json_boolean(struct json_writer *w, bool value)
{
	before_value(w);
	buf_add_text(w->out, value ? "true" : "false");
}

void
json_null(struct json_writer *w)
{
	before_value(w);
	buf_add_text(w->out, "null");
}

void
json_real(struct json_writer *w, double value)
{
	before_value(w);
	buf_add_format(w->out, "%.17g", value);
}

void
json_raw_value(struct json_writer *w, struct span json)
{
	before_value(w);
	buf_add(w->out, json.p, json.n);
}

void
json_put_string(struct json_writer *w, const char *key, struct span text)
{
	json_key(w, key);
	json_string(w, text);
}

void
json_put_text(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_text(w, text);
}

void
json_put_integer(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_integer(w, value);
}

void
json_put_boolean(struct json_writer *w, const char *key, bool value)
{
	json_key(w, key);
	json_boolean(w, value);
}

void
json_put_raw(struct json_writer *w, const char *key, struct span json)
{
	json_key(w, key);
	json_raw_value(w, json);
}
