/*
 * One audit record: from a typed entry to one line, and back.
 *
 * A line is a JSON object of printable ASCII and a newline. Its first members
 * stand at fixed byte offsets, so that a chain is checked without a JSON
 * parser:
 *
 *   {"hash":"<64 hex>","prev":"<64 hex>","seq":"<16 hex>",
 *    "time":"2026-01-02T03:04:05.678Z","kind":"<name>",...}
 *
 * hash is SHA-256 over the line's bytes from the quote before prev up to, but
 * without, the newline; prev is the hash of the line before, 64 zeros in the
 * first; seq counts from 1. The whole format is described in audit(5).
 */
#ifndef TRIZONE_EXECUTOR_RECORD_H
#define TRIZONE_EXECUTOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/sha256.h"
#include "common/text.h"
#include "executor/audit_seal.h"
#include "executor/order.h"
#include "executor/policy.h"

#define RECORD_HASH_AT 9    /* first digit of hash */
#define RECORD_HASHED_AT 75 /* the quote before prev; the hash starts here */
#define RECORD_PREV_AT 83   /* first digit of prev */
#define RECORD_SEQ_AT 156   /* first digit of seq */
#define RECORD_TIME_AT 182  /* first digit of the year */
#define RECORD_KIND_AT 216  /* first letter of the kind */

#define RECORD_HASH_DIGITS (2 * SHA256_BYTES)
#define RECORD_SEQ_DIGITS 16
#define RECORD_TIME_BYTES 24

/* Bytes kept of a detail: the attestation of a start fits. */
#define RECORD_DETAIL_MAX 1024

/* Newline included: six bytes for each of the 1,516 text bytes a record can
 * have, and less than 1,144 for all the rest. */
#define RECORD_LINE_MAX 10240

/* Largest number in a line: every JSON reader holds it exactly. */
#define RECORD_NUMBER_MAX ((UINT64_C(1) << 53) - 1)

enum record_kind {
#define RECORD(identifier, name, fields) RECORD_##identifier,
#include "executor/record.def"
#undef RECORD
	RECORD_KIND_COUNT
};

/*
 * What happened, as told by a process that may be in an attacker's hands: the
 * strings may hold any bytes and have any length, the numbers any value.
 * Members that the kind does not have are ignored, body excepted.
 */
struct record {
	enum record_kind kind;
	uint64_t intent;  /* that an outcome or a settlement belongs to */
	uint64_t request; /* 0: none */
	uint64_t session; /* 0: none */
	struct span zone; /* kept: NAME_MAX_BYTES, as capability and rule */
	struct span capability;	   /* as it was asked for */
	uint64_t capability_bytes; /* its true length if the sender cut it */
	uint32_t number;	   /* of the capability, or NO_CAPABILITY */
	uint32_t effects;	   /* enum effect bits, 0: not known */
	/* As destination.h makes it; kept: ENTRY_DESTINATION_MAX, in which each
	 * byte that is not printable ASCII stands as %XX. */
	struct span destination;
	uint64_t destination_bytes; /* its true length if it was cut */
	enum verdict verdict;
	enum outcome status;
	struct span rule;
	struct span why;    /* kept: WHY_MAX_BYTES */
	uint32_t error;	    /* enum err, 0: none */
	uint64_t message;   /* inbox id, written as the handle; 0: none */
	uint64_t grant;	    /* 0: none */
	uint64_t bytes;	    /* size the record speaks of */
	struct span detail; /* kept: RECORD_DETAIL_MAX */
	/* SHA-256 of the arguments or the body the record speaks of, borrowed;
	 * NULL: none. Never in the line: only its salted commitment is. */
	const unsigned char *body;
	/* SHA256_BYTES that name a row of the side store, borrowed; NULL:
	 * none. In the line as they are. */
	const unsigned char *inputs;
	/* Of lineages and checkpoints: public keys, and who signs. */
	const unsigned char *key, *next;
	const struct signer *signer;
};

/* What the auditor itself adds. */
struct record_head {
	uint64_t seq;
	uint64_t time_ms;	     /* since 1970, UTC */
	const unsigned char *prev;   /* SHA256_BYTES */
	const unsigned char *commit; /* SHA256_BYTES, or NULL: none */
};

/* "decision"; NULL if there is no such kind. And back: RECORD_KIND_COUNT. */
const char *record_kind_name(enum record_kind kind);
enum record_kind record_kind_find(struct span name);

/* Whether records of this kind can carry a commitment. */
bool record_commits(enum record_kind kind);

/* Append one line, newline included, and give its hash. A string that is
 * longer than what is kept of it is cut between characters and its true
 * length is written behind it; a byte that is not UTF-8 becomes U+FFFD; all
 * but printable ASCII is escaped. Errors, with `out` as it was: -ERR_RANGE (no
 * such kind, verdict or status, a number over RECORD_NUMBER_MAX, a time
 * outside the years 1970 to 9999, a commitment for a kind that has none),
 * -ERR_TOO_LARGE (no room in `out`). */
int record_add(struct buf *out, struct sha256 *digest,
    const struct record_head *head, const struct record *record,
    unsigned char hash_out[SHA256_BYTES]);

/* Whether `line` (without its newline) has the shape every line has: length,
 * front, printable ASCII, closing brace. Pure. 0 or -ERR_SYNTAX. */
int record_check(struct span line);

/* The hash a line should have. `line` is one that record_check accepts, as
 * below. */
void record_hash(struct sha256 *digest, struct span line,
    unsigned char hash_out[SHA256_BYTES]);

/* Members at fixed places. */
uint64_t record_seq(struct span line);
struct span record_time(struct span line);
bool record_is(struct span line, enum record_kind kind);

/* Sequence of the intent the outcome `line` belongs to; 0 if it names none. */
uint64_t record_intent(struct span line);

/* Whether `line` is an outcome that says `unknown`. */
bool record_is_unknown(struct span line);

/* Sequence of the intent whose unknown outcome the settlement `line` settles;
 * 0 if it is none. */
uint64_t record_settles(struct span line);

/* The last record that the removal `line` says is removed; 0 if it is none. */
uint64_t record_removes(struct span line);

/* The grant the intent `line` names; 0 if it is none or names none. */
uint64_t record_grant(struct span line);

/* The time of a record, "2026-01-02T03:04:05.678Z" without a NUL, of
 * milliseconds since 1970 (up to the end of the year 9999). */
void record_time_write(uint64_t time_ms, char out[RECORD_TIME_BYTES]);

/* 16 lower-case digits to a number. 0 or -ERR_SYNTAX. */
int record_seq_parse(struct span digits, uint64_t *seq_out);

/* Take a line apart. Strings in *record_out live as long as `doc` keeps this
 * parse; body is NULL. Members this version does not know are passed over. 0
 * or the error of json_parse, -ERR_MISSING_KEY, -ERR_TYPE, -ERR_RANGE. */
int record_parse(
    struct json_doc *doc, struct span line, struct record *record_out);

/* Its error in words, whatever number a log has there; for 0 too. */
const char *record_error_text(const struct record *record);

#endif
