/*
 * The operator's record. Runs in the worker; the bytes it keeps are hostile,
 * so they go through UTF-8 repair and JSON escapes, and whoever shows them
 * has to make them inert for his terminal.
 */
#include "reader/record.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/sha256.h"
#include "reader/limits.h"

#define ROW_FRAME 64 /* JSON around the two strings of a row */
#define TAIL_BYTES                                                             \
	(128 + RECORD_INJECTION_BYTES) /* what has to fit behind the last row  \
					*/
#define ESCAPE_GROWTH 6		       /* \u001f for one byte */

void
record_init(struct record *r)
{
	*r = (struct record){0};
	buf_init(&r->notes, RECORD_NOTES_BYTES);
	buf_init(&r->injection, RECORD_INJECTION_BYTES);
}

void
record_done(struct record *r)
{
	buf_free(&r->notes);
	buf_free(&r->injection);
}

void
record_note(struct record *r, enum finding finding, struct span detail)
{
	const char *name = finding_name(finding);
	size_t replaced = 0, start = r->notes.len;

	if (detail.n > RECORD_DETAIL_BYTES)
		detail.n = RECORD_DETAIL_BYTES;
	if (r->notes.max - r->notes.len < RECORD_DETAIL_BYTES) {
		r->dropped++;
		return;
	}
	if (buf_add_text(&r->notes, name) != 0 ||
	    buf_add_byte(&r->notes, '\t') != 0 ||
	    utf8_add_repaired(&r->notes, detail.p, detail.n, &replaced) != 0 ||
	    buf_add_byte(&r->notes, '\n') != 0) {
		r->notes.len = start;
		r->dropped++;
		return;
	}
	start += strlen(name) + 1;
	for (size_t i = start; i + 1 < r->notes.len; i++)
		if ((unsigned char)r->notes.data[i] < 0x20)
			r->notes.data[i] = ' ';
}

void
record_injection(
    struct record *r, const struct detect_span *span, struct span bytes)
{
	struct json_writer w;
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], score[16];
	size_t start = r->injection.len;

	sha256_of(bytes.p, bytes.n, hash);
	hex_encode(hash, sizeof hash, hex);
	(void)snprintf(score, sizeof score, "%.4f", span->score);
	json_write_init(&w, &r->injection);
	w.comma = start != 0;
	json_open(&w, '{');
	json_key(&w, "rules");
	json_open(&w, '[');
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if ((span->rules >> i & 1) != 0)
			json_text(&w, detect_rule_name(i));
	json_close(&w, ']');
	json_put_raw(&w, "score", span_of(score));
	json_put_text(
	    &w, "where", span->where == DETECT_HIDDEN ? "hidden" : "seen");
	json_put_text(&w, "view", detect_view_name(span->view));
	json_put_text(&w, "sha256", hex);
	json_close(&w, '}');
	if (r->injection.overflow) {
		r->injection.overflow = false;
		r->injection.len = start;
		r->dropped++;
	}
}

/* Bytes of a JSON string at most. */
static size_t
json_cost(struct span text)
{
	size_t sum = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			sum += ESCAPE_GROWTH;
		else if (c == 0xe2) /* U+2028 and U+2029 are escaped */
			sum += ESCAPE_GROWTH - 2;
		else
			sum += c == '"' || c == '\\' ? 2 : 1;
	}
	return sum;
}

/* One line as {"KEY":name,"VALUE":detail}; false if it has no room. */
static bool
write_line(
    struct json_writer *w, struct span line, const char *key, const char *value)
{
	const char *tab = memchr(line.p, '\t', line.n);
	struct span name = line, detail = {line.p, 0};

	if (tab != NULL) {
		name.n = (size_t)(tab - line.p);
		detail = (struct span){tab + 1, line.n - name.n - 1};
	}
	if (w->out->len + name.n + json_cost(detail) + ROW_FRAME + TAIL_BYTES >
	    RECORD_MAX_BYTES)
		return false;
	json_open(w, '{');
	json_put_string(w, key, name);
	json_put_string(w, value, detail);
	json_close(w, '}');
	return true;
}

/* All lines of a text; the number of lines without room. */
static uint64_t
write_lines(
    struct json_writer *w, struct span text, const char *key, const char *value)
{
	uint64_t dropped = 0;

	while (text.n != 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct span line = text;

		if (end != NULL)
			line.n = (size_t)(end - text.p);
		if (!write_line(w, line, key, value))
			dropped++;
		if (end == NULL)
			break;
		text.p += line.n + 1;
		text.n -= line.n + 1;
	}
	return dropped;
}

int
record_write(const struct record *r, const char *channel,
    const struct span *hidden, size_t count, uint64_t dropped, struct buf *out)
{
	struct json_writer w;
	struct span notes = {r->notes.data, r->notes.len};

	dropped += r->dropped;
	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_integer(&w, "v", 1);
	json_put_text(&w, "channel", channel);
	json_key(&w, "notes");
	json_open(&w, '[');
	dropped += write_lines(&w, notes, "finding", "detail");
	json_close(&w, ']');
	json_key(&w, "hidden");
	json_open(&w, '[');
	for (size_t i = 0; i < count; i++)
		dropped += write_lines(&w, hidden[i], "reason", "excerpt");
	json_close(&w, ']');
	json_key(&w, "injection");
	json_open(&w, '[');
	json_raw_value(&w, (struct span){r->injection.data, r->injection.len});
	json_close(&w, ']');
	json_put_integer(
	    &w, "dropped", dropped > INT32_MAX ? INT32_MAX : (int64_t)dropped);
	json_close(&w, '}');
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
