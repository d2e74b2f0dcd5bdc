/*
 * Checking a log, streaming, in constant memory and without a JSON parser:
 * the chain of hashes, and the signatures of its checkpoints from the root on.
 * What neither can show is that records are missing at its end, nor that a
 * start after a crash was one: receipts and anchors (audit_proof.h) show both.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_VERIFY_H
#define TRIZONE_EXECUTOR_AUDIT_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"
#include "common/text.h"
#include "executor/audit_proof.h"
#include "executor/audit_reader.h"
#include "executor/audit_seal.h"
#include "executor/record.h"

enum damage {
	DAMAGE_NONE,
	DAMAGE_MALFORMED,  /* not a line of this format */
	DAMAGE_HASH,	   /* the line's bytes do not match its hash */
	DAMAGE_SEQUENCE,   /* chain_next only: one of the next three */
	DAMAGE_REORDERED,  /* the record that belongs here comes later */
	DAMAGE_DUPLICATED, /* the record was there already */
	DAMAGE_CUT,	   /* records are missing in the middle */
	DAMAGE_SPLICED,	   /* it does not follow the record before it */
	DAMAGE_SIGNATURE,  /* a lineage or checkpoint signed wrongly */
	DAMAGE_KEY,	   /* or with another key than was named before */
	DAMAGE_ROOT,	   /* it begins with another key than the root */
	DAMAGE_START,	   /* a start after a crash that no anchor knows */
	DAMAGE_TORN,	   /* the last write was cut short */
	DAMAGE_TAIL,	   /* a receipt's record is missing at the end */
	DAMAGE_RECEIPT,	   /* a receipt's record is another */
	DAMAGE_COUNT
};

/* A chain that is followed record by record. */
struct chain {
	struct sha256 *digest; /* borrowed */
	uint64_t last;	       /* 0: before the first record */
	unsigned char head[SHA256_BYTES];
	char head_digits[RECORD_HASH_DIGITS];
};

struct verify_result {
	uint64_t count;	      /* good records that are there */
	uint64_t first, last; /* their sequences; 0: none */
	uint64_t bytes;	      /* their lines */
	uint64_t removed;     /* that retention took, from the begin on */
	unsigned char head[SHA256_BYTES]; /* hash of the last one */
	struct seal_keys keys;		  /* root, and who signs next */
	uint64_t sealed;    /* last lineage or checkpoint; 0: none */
	uint64_t starts;    /* lineages behind the first: after crashes */
	uint64_t lone;	    /* of them without an anchor */
	uint64_t lone_last; /* the last such one */
	uint64_t proved;    /* last record that a receipt or anchor knows */
	uint64_t end_segment, end_offset; /* where the next record goes */
	enum damage damage;
	uint64_t bad_record; /* sequence that belongs there; 0: none is bad */
	uint64_t bad_segment, bad_offset; /* where its line begins */
	uint64_t torn_bytes; /* with DAMAGE_TORN: how much of it is there */
	bool
	    changing; /* the bad line was another a moment before: look again */
};

/* What is known of a log from elsewhere; both may be NULL. */
struct verify_known {
	const unsigned char *root; /* SIGN_KEY_BYTES */
	struct proofs *proofs;
};

/* "changed"; and a clause that says what it means. */
const char *damage_name(enum damage damage);
const char *damage_text(enum damage damage);

/* Before the first record of a log. */
void chain_init(struct chain *chain, struct sha256 *digest);

/* Whether `line` (without newline) is the chain's next record; the chain
 * moves on only if it is. */
enum damage chain_next(struct chain *chain, struct span line);

/* The same for a line of a stub, behind which records are missing. */
enum damage chain_skip(struct chain *chain, struct span line);

/* Check a log from its begin; `each` (may be NULL) sees every good record, and
 * a value other than 0 from it ends the work. `known` may be NULL. 0: the log
 * was read to its end or to the first damage, which is in *result; else an
 * error of audit_reader_next or what `each` returned. */
int audit_verify_reader(struct audit_reader *reader,
    const struct verify_known *known,
    int (*each)(void *context, struct span line, uint64_t place), void *context,
    struct verify_result *result);

/* The same for a folder or file; errors also of audit_reader_open. */
int audit_verify(const char *path,
    int (*each)(void *context, struct span line, uint64_t place), void *context,
    struct verify_result *result);

/* `audit verify` and `audit root`: argv[0] is the command's name,
 * `default_dir` may be NULL: then the arguments must name a log. Return an
 * exit status: 0, 1 damage found, 64 usage, 69 no such log, 71 it could not be
 * read, 77 not permitted. */
int audit_verify_main(int argc, char **argv, const char *default_dir);
int audit_root_main(int argc, char **argv, const char *default_dir);

#endif
