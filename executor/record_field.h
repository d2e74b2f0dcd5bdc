/*
 * The fields of audit records, for record.c and record_parse.c only.
 */
#ifndef TRIZONE_EXECUTOR_RECORD_FIELD_H
#define TRIZONE_EXECUTOR_RECORD_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "executor/record.h"

/* In the order they have in a line. */
enum record_field_id {
	FIELD_INTENT, /* first: found at a fixed place behind the kind */
	FIELD_KEY,    /* the same, and in other kinds */
	FIELD_NEXT,
	FIELD_REQUEST,
	FIELD_SESSION,
	FIELD_ZONE,
	FIELD_CAPABILITY,
	FIELD_NUMBER,
	FIELD_EFFECTS,
	FIELD_DESTINATION,
	FIELD_VERDICT,
	FIELD_STATUS,
	FIELD_RULE,
	FIELD_WHY,
	FIELD_ERROR,
	FIELD_HANDLE,
	FIELD_GRANT,
	FIELD_BYTES,
	FIELD_COMMIT,
	FIELD_INPUTS,
	FIELD_DETAIL,
	FIELD_SIG, /* last: over all before it */
	FIELD_COUNT
};

enum record_field_type {
	FIELD_SEQUENCE, /* 16 digits */
	FIELD_U64,	/* a number; null for the field's `none` */
	FIELD_U32,	/* the same */
	FIELD_TEXT,	/* a string; cut at `most` bytes */
	FIELD_PLAIN,	/* the same, each byte one that needs no escape */
	FIELD_VERDICT_NAME,
	FIELD_STATUS_NAME,
	FIELD_MESSAGE,	  /* "msg:17"; null for 0 */
	FIELD_COMMITMENT, /* 64 digits or null; not in struct record */
	FIELD_REFERENCE,  /* the same, of `inputs` and keys; not parsed */
	FIELD_SIGNATURE	  /* 128 digits; not parsed */
};

struct record_field {
	const char *key;
	enum record_field_type type;
	size_t offset; /* in struct record */
	size_t most;
	uint64_t none;
};

/* Indexed by enum record_field_id. */
extern const struct record_field record_fields[FIELD_COUNT];

/* Append a JSON string of at most `most` bytes of `untrusted_text`; *kept_out
 * is how many bytes of it that took. -ERR_TOO_LARGE: no room in `out`. */
int record_add_string(
    struct buf *out, struct span untrusted_text, size_t most, size_t *kept_out);

/* The same of a text that should need no escapes: what does stands as %XX, so
 * that the string takes at most `most` bytes. */
int record_add_plain(
    struct buf *out, struct span untrusted_text, size_t most, size_t *kept_out);

/* Whether records of that kind have that field. */
bool record_has(enum record_kind kind, enum record_field_id id);

#endif
