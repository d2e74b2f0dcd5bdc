/*
 * One audit record as one line for a person. Everything in a record may have
 * been chosen by an attacker: it is made inert, and set off by quotes unless
 * it is a plain name, so that it cannot pass for another column.
 */
#include "executor/audit_show.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/inert.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

#define ELLIPSIS "\xe2\x80\xa6"
#define CLOCK_AT 11 /* hour to second of a time */
#define CLOCK_BYTES 8
#define WORD_COLUMNS 7	   /* the longest verdict or status */
#define FIRST_WIDE 0x1100u /* from here on a character may take two columns */

static bool
is_plain_name(struct span text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' || strchr(letters, text.p[i]) == NULL)
			return false;
	return text.n > 0;
}

/* With a backslash before quotes and backslashes. */
static int
add_quoted(struct buf *out, struct span text)
{
	size_t replaced = 0, start = 0;
	int rc = buf_add_byte(out, '"');

	for (size_t i = 0; i < text.n && rc == 0; i++) {
		if (text.p[i] != '"' && text.p[i] != '\\')
			continue;
		rc = inert_add(out, (struct span){text.p + start, i - start},
		    false, &replaced);
		if (rc == 0)
			rc = buf_add_byte(out, '\\');
		start = i;
	}
	if (rc == 0)
		rc = inert_add(out,
		    (struct span){text.p + start, text.n - start}, false,
		    &replaced);
	return rc != 0 ? rc : buf_add_byte(out, '"');
}

int
show_name(struct buf *out, struct span text)
{
	if (is_plain_name(text))
		return buf_add(out, text.p, text.n);
	return add_quoted(out, text);
}

/* " key=" and the text, or nothing if there is none. */
static int
add_part(struct buf *out, const char *key, struct span text)
{
	int rc;

	if (text.n == 0)
		return 0;
	rc = buf_add_format(out, " %s=", key);
	return rc != 0 ? rc : show_name(out, text);
}

static int
add_number(struct buf *out, const char *key, uint64_t value)
{
	if (value == 0)
		return 0;
	return buf_add_format(out, " %s%llu", key, (unsigned long long)value);
}

/* The verdict of a decision, the status of an outcome. */
static const char *
word_of(const struct record *record)
{
	if (record->kind == RECORD_DECISION)
		return verdict_name(record->verdict);
	if (record->kind == RECORD_OUTCOME || record->kind == RECORD_SETTLEMENT)
		return outcome_name(record->status);
	return "-";
}

static const char *
colour_of(const struct record *record)
{
	static const char *const verdicts[VERDICT_COUNT] = {
	    [VERDICT_ALLOW] = GREEN,
	    [VERDICT_ASK] = YELLOW,
	    [VERDICT_DENY] = RED};
	static const char *const outcomes[OUTCOME_COUNT] = {
	    [OUTCOME_DONE] = GREEN,
	    [OUTCOME_FAILED] = YELLOW,
	    [OUTCOME_REFUSED] = YELLOW,
	    [OUTCOME_UNKNOWN] = RED};

	if (record->kind == RECORD_DECISION)
		return verdicts[record->verdict];
	if (record->kind == RECORD_OUTCOME || record->kind == RECORD_SETTLEMENT)
		return outcomes[record->status];
	return "";
}

/* Columns before the verdict; times are short if the width is limited. */
static int
add_columns(struct buf *out, const struct show_style *style, struct span line,
    const struct record *record)
{
	struct span stamp = record_time(line);
	char session[24] = "-";

	if (style->width != 0)
		stamp = (struct span){stamp.p + CLOCK_AT, CLOCK_BYTES};
	if (record->session != 0)
		snprintf(session, sizeof session, "s%llu",
		    (unsigned long long)record->session);
	return buf_add_format(out, "%6llu %.*s %-10s %-5s ",
	    (unsigned long long)record_seq(line), (int)stamp.n, stamp.p,
	    record_kind_name(record->kind), session);
}

/* What the record is about. */
static int
add_subject(struct buf *out, const struct record *record)
{
	int rc = 0;

	if (record->capability.n != 0) {
		rc = buf_add_byte(out, ' ');
		if (rc == 0)
			rc = show_name(out, record->capability);
	}
	if (rc == 0 && record->capability_bytes > record->capability.n)
		rc = add_number(out, "bytes=", record->capability_bytes);
	if (rc == 0)
		rc = add_number(out, "msg:", record->message);
	if (rc == 0)
		rc = add_number(out, "of=", record->intent);
	if (rc == 0)
		rc = add_part(out, "to", record->destination);
	if (rc == 0 && record->destination_bytes > record->destination.n)
		rc = buf_add_text(out, ELLIPSIS);
	return rc;
}

static int
add_reasons(struct buf *out, const struct record *record)
{
	int rc = add_part(out, "rule", record->rule);

	if (rc == 0)
		rc = add_part(out, "why", record->why);
	if (rc == 0 && record->error != 0)
		rc = buf_add_format(out, " error=%s",
		    err_name(
			record->error > INT32_MAX ? 0 : (int)record->error));
	if (rc == 0)
		rc = add_part(out, "detail", record->detail);
	if (rc == 0 && record->capability.n == 0)
		rc = add_part(out, "zone", record->zone);
	return rc;
}

/* Cut what begins at `start` to `width` columns. */
static int
cut(struct buf *out, size_t start, size_t width)
{
	size_t at = start, fits = start, columns = 0, length;
	uint32_t code;

	while (at < out->len) {
		length = utf8_decode(out->data + at, out->len - at, &code);
		if (length == 0)
			bug("a line for a person that is not UTF-8");
		columns += code < FIRST_WIDE ? 1 : 2;
		if (columns > width)
			break;
		at += length;
		if (columns < width)
			fits = at;
	}
	if (at == out->len)
		return 0;
	out->len = fits;
	return buf_add_text(out, ELLIPSIS);
}

static int
add_word(struct buf *out, const struct show_style *style,
    const struct record *record)
{
	const char *colour = style->colour ? colour_of(record) : "";
	const char *plain = colour[0] == '\0' ? "" : PLAIN;

	return buf_add_format(
	    out, "%s%-*s%s", colour, WORD_COLUMNS, word_of(record), plain);
}

int
show_format(struct buf *out, const struct show_style *style, struct span line,
    const struct record *record)
{
	size_t start = out->len, used, rest;
	int rc = add_columns(out, style, line, record);

	used = out->len - start + WORD_COLUMNS;
	if (rc == 0)
		rc = add_word(out, style, record);
	rest = out->len;
	if (rc == 0)
		rc = add_subject(out, record);
	if (rc == 0)
		rc = add_reasons(out, record);
	if (rc == 0 && style->width != 0)
		rc = cut(
		    out, rest, style->width > used ? style->width - used : 0);
	return rc != 0 ? rc : buf_add_byte(out, '\n');
}
