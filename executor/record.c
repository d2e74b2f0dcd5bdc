/*
 * Audit records: a typed entry becomes one line. Runs in the auditor, on
 * entries from a broker that may be in an attacker's hands; so everything is
 * checked, cut and escaped here, and nothing a string holds can end the string
 * or the line. Never touches a file.
 */
#include "executor/record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "executor/record_field.h"
#include "proto/message.h"

/* What every line begins with: 0 stands for a decimal digit, # for a
 * hexadecimal one. */
#define HEX16 "################"
#define HEX64 HEX16 HEX16 HEX16 HEX16
static const char front[] = "{\"hash\":\"" HEX64 "\",\"prev\":\"" HEX64
			    "\",\"seq\":\"" HEX16 "\",\"time\":\""
			    "0000-00-00T00:00:00.000Z\",\"kind\":\"";

_Static_assert(sizeof front - 1 == RECORD_KIND_AT, "front of a line");

#define KIND_LETTERS_MAX 16
#define TIME_MAX_MS UINT64_C(253402300799999) /* end of the year 9999 */
#define DECIMAL_BYTES 20		      /* of a 64-bit number */

#define OF(member) offsetof(struct record, member)

const struct record_field record_fields[FIELD_COUNT] = {
    {"intent", FIELD_SEQUENCE, OF(intent), 0, 0},
    {"key", FIELD_REFERENCE, OF(key), 0, 0},
    {"next", FIELD_REFERENCE, OF(next), 0, 0},
    {"request", FIELD_U64, OF(request), 0, 0},
    {"session", FIELD_U64, OF(session), 0, 0},
    {"zone", FIELD_TEXT, OF(zone), NAME_MAX_BYTES, 0},
    {"capability", FIELD_TEXT, OF(capability), NAME_MAX_BYTES, 0},
    {"number", FIELD_U32, OF(number), 0, NO_CAPABILITY},
    {"effects", FIELD_U32, OF(effects), 0, 0},
    {"destination", FIELD_PLAIN, OF(destination), ENTRY_DESTINATION_MAX, 0},
    {"verdict", FIELD_VERDICT_NAME, OF(verdict), 0, 0},
    {"status", FIELD_STATUS_NAME, OF(status), 0, 0},
    {"rule", FIELD_TEXT, OF(rule), NAME_MAX_BYTES, 0},
    {"why", FIELD_TEXT, OF(why), WHY_MAX_BYTES, 0},
    {"error", FIELD_U32, OF(error), 0, 0},
    {"handle", FIELD_MESSAGE, OF(message), 0, 0},
    {"grant", FIELD_U64, OF(grant), 0, 0},
    {"bytes", FIELD_U64, OF(bytes), 0, UINT64_MAX},
    {"commit", FIELD_COMMITMENT, 0, 0, 0},
    {"inputs", FIELD_REFERENCE, OF(inputs), 0, 0},
    {"detail", FIELD_TEXT, OF(detail), RECORD_DETAIL_MAX, 0},
    {"sig", FIELD_SIGNATURE, 0, 0, 0},
};

static const struct {
	const char *name;
	uint32_t fields; /* bits, as enum record_field_id */
} kinds[RECORD_KIND_COUNT] = {
#define HAS(field) (1u << FIELD_##field)
#define RECORD(identifier, kind_name, kind_fields) {kind_name, kind_fields},
#include "executor/record.def"
#undef RECORD
#undef HAS
};

const char *
record_kind_name(enum record_kind kind)
{
	return (unsigned)kind < RECORD_KIND_COUNT ? kinds[kind].name : NULL;
}

enum record_kind
record_kind_find(struct span name)
{
	unsigned kind = 0;

	while (kind < RECORD_KIND_COUNT && !span_is(name, kinds[kind].name))
		kind++;
	return (enum record_kind)kind;
}

bool
record_has(enum record_kind kind, enum record_field_id id)
{
	return (unsigned)kind < RECORD_KIND_COUNT &&
	       (kinds[kind].fields & 1u << id) != 0;
}

bool
record_commits(enum record_kind kind)
{
	return record_has(kind, FIELD_COMMIT);
}

static int
add_decimal(struct buf *out, uint64_t value)
{
	char digits[DECIMAL_BYTES];
	size_t at = sizeof digits;

	if (value > RECORD_NUMBER_MAX)
		return -ERR_RANGE;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	return buf_add(out, digits + at, sizeof digits - at);
}

static int
add_number(struct buf *out, uint64_t value, uint64_t none)
{
	if (value == none)
		return buf_add_text(out, "null");
	return add_decimal(out, value);
}

/* Printable ASCII that needs no escapes. */
static int
add_quoted(struct buf *out, const char *text, size_t count)
{
	int rc = buf_add_byte(out, '"');

	if (rc == 0)
		rc = buf_add(out, text, count);
	return rc != 0 ? rc : buf_add_byte(out, '"');
}

/* A name from one of our own tables; NULL stands for a number without one. */
static int
add_name(struct buf *out, const char *name)
{
	if (name == NULL)
		return -ERR_RANGE;
	return add_quoted(out, name, strlen(name));
}

static int
add_message(struct buf *out, uint64_t message)
{
	char handle[HANDLE_MAX_BYTES];

	if (message == 0)
		return buf_add_text(out, "null");
	if (message > RECORD_NUMBER_MAX)
		return -ERR_RANGE;
	handle_format((int64_t)message, handle);
	return add_quoted(out, handle, strlen(handle));
}

static int
add_commitment(struct buf *out, const unsigned char *commit)
{
	char digits[RECORD_HASH_DIGITS + 1];

	if (commit == NULL)
		return buf_add_text(out, "null");
	hex_encode(commit, SHA256_BYTES, digits);
	return add_quoted(out, digits, RECORD_HASH_DIGITS);
}

static int
add_key(struct buf *out, const char *key, const char *suffix)
{
	int rc = buf_add(out, ",\"", 2);

	if (rc == 0)
		rc = buf_add_text(out, key);
	if (rc == 0)
		rc = buf_add_text(out, suffix);
	return rc != 0 ? rc : buf_add(out, "\":", 2);
}

/* The length of a text that is already cut. */
static uint64_t
cut_before(const struct record_field *field, const struct record *record)
{
	if (field->offset == OF(capability))
		return record->capability_bytes;
	return field->offset == OF(destination) ? record->destination_bytes : 0;
}

/* The string, and its true length if it is not all there. */
static int
add_text(struct buf *out, const struct record_field *field,
    const struct record *record, const struct span *untrusted_text)
{
	uint64_t true_bytes = untrusted_text->n;
	size_t kept;
	int rc =
	    field->type == FIELD_PLAIN
		? record_add_plain(out, *untrusted_text, field->most, &kept)
		: record_add_string(out, *untrusted_text, field->most, &kept);

	if (cut_before(field, record) > true_bytes)
		true_bytes = cut_before(field, record);
	if (rc != 0 || true_bytes == kept)
		return rc;
	rc = add_key(out, field->key, "_bytes");
	return rc != 0 ? rc : add_decimal(out, true_bytes);
}

static int
add_value(struct buf *out, const struct record_field *field,
    const struct record *record, const unsigned char *commit)
{
	const void *at = (const char *)record + field->offset;

	switch (field->type) {
	case FIELD_SEQUENCE:
		return buf_add_format(
		    out, "\"%016llx\"", (unsigned long long)record->intent);
	case FIELD_U64:
		return add_number(out, *(const uint64_t *)at, field->none);
	case FIELD_U32:
		return add_number(out, *(const uint32_t *)at, field->none);
	case FIELD_TEXT:
	case FIELD_PLAIN:
		return add_text(out, field, record, at);
	case FIELD_VERDICT_NAME:
		return add_name(out, (unsigned)record->verdict < VERDICT_COUNT
					 ? verdict_name(record->verdict)
					 : NULL);
	case FIELD_STATUS_NAME:
		return add_name(out, (unsigned)record->status < OUTCOME_COUNT
					 ? outcome_name(record->status)
					 : NULL);
	case FIELD_MESSAGE:
		return add_message(out, record->message);
	case FIELD_COMMITMENT:
		return add_commitment(out, commit);
	case FIELD_REFERENCE:
		return add_commitment(out, *(const unsigned char *const *)at);
	case FIELD_SIGNATURE:
		break; /* over the line: see add_signature */
	}
	bug("record field of no type");
}

static int
add_fields(
    struct buf *out, const struct record *record, const unsigned char *commit)
{
	int rc = 0;

	for (unsigned id = 0; id < FIELD_COUNT && rc == 0; id++) {
		const struct record_field *field = &record_fields[id];

		if (!record_has(record->kind, (enum record_field_id)id) ||
		    field->type == FIELD_SIGNATURE)
			continue;
		rc = add_key(out, field->key, "");
		if (rc == 0)
			rc = add_value(out, field, record, commit);
	}
	return rc;
}

static void
put_digits(char *to, unsigned value, size_t count)
{
	while (count-- > 0) {
		to[count] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
record_time_write(uint64_t time_ms, char out[RECORD_TIME_BYTES])
{
	time_t seconds = (time_t)(time_ms / 1000);
	char text[] = "0000-00-00T00:00:00.000Z";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		bug("time of a record");
	put_digits(text, (unsigned)tm.tm_year + 1900, 4);
	put_digits(text + 5, (unsigned)tm.tm_mon + 1, 2);
	put_digits(text + 8, (unsigned)tm.tm_mday, 2);
	put_digits(text + 11, (unsigned)tm.tm_hour, 2);
	put_digits(text + 14, (unsigned)tm.tm_min, 2);
	put_digits(text + 17, (unsigned)tm.tm_sec, 2);
	put_digits(text + 20, (unsigned)(time_ms % 1000), 3);
	memcpy(out, text, RECORD_TIME_BYTES);
}

static int
add_front(struct buf *out, const struct record_head *head)
{
	char line[sizeof front];
	unsigned char seq[8];

	memcpy(line, front, sizeof front);
	for (size_t i = 0; i < sizeof seq; i++)
		seq[i] = (unsigned char)(head->seq >> (56 - 8 * i));
	hex_encode(head->prev, SHA256_BYTES, line + RECORD_PREV_AT);
	hex_encode(seq, sizeof seq, line + RECORD_SEQ_AT);
	line[RECORD_PREV_AT + RECORD_HASH_DIGITS] = '"';
	line[RECORD_SEQ_AT + RECORD_SEQ_DIGITS] = '"';
	record_time_write(head->time_ms, line + RECORD_TIME_AT);
	return buf_add(out, line, sizeof front - 1);
}

/* Of the line from the quote before prev up to here. */
static int
add_signature(struct buf *out, size_t start, const struct signer *signer)
{
	struct span text = {out->data + start + RECORD_HASHED_AT,
	    out->len - start - RECORD_HASHED_AT};
	unsigned char signature[SIGN_BYTES];
	char digits[SIGN_DIGITS + 1];
	int rc;

	signer_sign(signer, text, signature);
	hex_encode(signature, sizeof signature, digits);
	rc = add_key(out, record_fields[FIELD_SIG].key, "");
	return rc != 0 ? rc : add_quoted(out, digits, SIGN_DIGITS);
}

static int
add_line(struct buf *out, const struct record_head *head,
    const struct record *record)
{
	size_t start = out->len;
	int rc = add_front(out, head);

	if (rc == 0)
		rc = buf_add_text(out, kinds[record->kind].name);
	if (rc == 0)
		rc = buf_add_byte(out, '"');
	if (rc == 0)
		rc = add_fields(out, record, head->commit);
	if (rc == 0 && record_has(record->kind, FIELD_SIG))
		rc = add_signature(out, start, record->signer);
	return rc != 0 ? rc : buf_add(out, "}\n", 2);
}

int
record_add(struct buf *out, struct sha256 *digest,
    const struct record_head *head, const struct record *record,
    unsigned char hash_out[SHA256_BYTES])
{
	char digits[RECORD_HASH_DIGITS + 1];
	size_t start = out->len;
	struct span line;
	int rc;

	if ((unsigned)record->kind >= RECORD_KIND_COUNT ||
	    head->time_ms > TIME_MAX_MS ||
	    (head->commit != NULL && !record_commits(record->kind)) ||
	    (record->signer == NULL && record_has(record->kind, FIELD_SIG)))
		return -ERR_RANGE;
	rc = add_line(out, head, record);
	if (rc != 0) {
		out->len = start;
		return rc;
	}
	line = (struct span){out->data + start, out->len - start - 1};
	if (line.n >= RECORD_LINE_MAX)
		bug("a record of %zu bytes", line.n);
	record_hash(digest, line, hash_out);
	hex_encode(hash_out, SHA256_BYTES, digits);
	memcpy(out->data + start + RECORD_HASH_AT, digits, RECORD_HASH_DIGITS);
	return 0;
}

static bool
all_hex(const char *p, size_t count)
{
	return hex_length(p, count) == count;
}

static bool
time_fits(const char *p)
{
	const char *shape = front + RECORD_TIME_AT;

	for (size_t i = 0; i < RECORD_TIME_BYTES; i++)
		if (shape[i] == '0' ? (unsigned char)(p[i] - '0') > 9
				    : p[i] != shape[i])
			return false;
	return true;
}

/* What is the same in every line, from `from` up to `to`. */
static bool
same(const char *p, size_t from, size_t to)
{
	return memcmp(p + from, front + from, to - from) == 0;
}

static bool
front_fits(const char *p)
{
	return same(p, 0, RECORD_HASH_AT) &&
	       same(p, RECORD_HASH_AT + RECORD_HASH_DIGITS, RECORD_PREV_AT) &&
	       same(p, RECORD_PREV_AT + RECORD_HASH_DIGITS, RECORD_SEQ_AT) &&
	       same(p, RECORD_SEQ_AT + RECORD_SEQ_DIGITS, RECORD_TIME_AT) &&
	       same(p, RECORD_TIME_AT + RECORD_TIME_BYTES, RECORD_KIND_AT) &&
	       all_hex(p + RECORD_HASH_AT, RECORD_HASH_DIGITS) &&
	       all_hex(p + RECORD_PREV_AT, RECORD_HASH_DIGITS) &&
	       all_hex(p + RECORD_SEQ_AT, RECORD_SEQ_DIGITS) &&
	       time_fits(p + RECORD_TIME_AT);
}

/* The kind's letters and the quote behind them. */
static bool
kind_fits(struct span line)
{
	size_t i = RECORD_KIND_AT, letters = 0;

	while (i < line.n && line.p[i] >= 'a' && line.p[i] <= 'z') {
		i++;
		letters++;
	}
	return letters > 0 && letters <= KIND_LETTERS_MAX && i + 1 < line.n &&
	       line.p[i] == '"';
}

int
record_check(struct span line)
{
	if (line.n < RECORD_KIND_AT || line.n >= RECORD_LINE_MAX ||
	    !front_fits(line.p) || !kind_fits(line) ||
	    line.p[line.n - 1] != '}')
		return -ERR_SYNTAX;
	return ascii_printable(line.p + RECORD_KIND_AT,
		   line.n - RECORD_KIND_AT) == line.n - RECORD_KIND_AT
		   ? 0
		   : -ERR_SYNTAX;
}

void
record_hash(struct sha256 *digest, struct span line,
    unsigned char hash_out[SHA256_BYTES])
{
	sha256_start(digest);
	sha256_add(
	    digest, line.p + RECORD_HASHED_AT, line.n - RECORD_HASHED_AT);
	sha256_end(digest, hash_out);
}

int
record_seq_parse(struct span digits, uint64_t *seq_out)
{
	unsigned char bytes[RECORD_SEQ_DIGITS / 2];
	uint64_t seq = 0;
	int rc = hex_decode(digits, bytes, sizeof bytes);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < sizeof bytes; i++)
		seq = seq << 8 | bytes[i];
	*seq_out = seq;
	return 0;
}

uint64_t
record_seq(struct span line)
{
	struct span digits = {line.p + RECORD_SEQ_AT, RECORD_SEQ_DIGITS};
	uint64_t seq = 0;

	if (record_seq_parse(digits, &seq) != 0)
		bug("record_seq of a line that was not checked");
	return seq;
}

struct span
record_time(struct span line)
{
	return (struct span){line.p + RECORD_TIME_AT, RECORD_TIME_BYTES};
}

bool
record_is(struct span line, enum record_kind kind)
{
	struct span rest = {line.p + RECORD_KIND_AT, line.n - RECORD_KIND_AT};
	const char *name = kinds[kind].name;

	return span_starts(rest, name) && rest.p[strlen(name)] == '"';
}

const char *
record_error_text(const struct record *record)
{
	return err_text((int)(record->error & INT32_MAX));
}
