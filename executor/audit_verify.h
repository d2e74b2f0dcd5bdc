/*
 * Checking the chain of a log, streaming, in constant memory and without a
 * JSON parser. What a chain alone cannot show is that records are missing at
 * its end, or that all of it was written anew: a receipt (sequence and hash
 * of a record, given out when it was written) shows both.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_VERIFY_H
#define TRIZONE_EXECUTOR_AUDIT_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"
#include "common/text.h"

enum damage {
	DAMAGE_NONE,
	DAMAGE_MALFORMED, /* not a line of this format */
	DAMAGE_HASH,	  /* the line's bytes do not match its hash */
	DAMAGE_SEQUENCE,  /* a record is missing, doubled or moved */
	DAMAGE_PREV,	  /* it does not follow the record before it */
	DAMAGE_TORN,	  /* the last line has no newline */
	DAMAGE_RECEIPT,	  /* a receipt's record is missing or another */
	DAMAGE_COUNT
};

struct verify_result {
	uint64_t count;	      /* good records before the first bad one */
	uint64_t first, last; /* their sequences; 0: none */
	uint64_t bytes;	      /* their lines */
	unsigned char head[SHA256_BYTES]; /* hash of the last one */
	enum damage damage;
	uint64_t bad_record; /* counted from 1; 0: none is bad */
	uint64_t bad_offset; /* where its line begins */
	uint64_t torn_bytes; /* with DAMAGE_TORN: how much of it is there */
};

/* A chain that is followed record by record. */
struct chain {
	struct sha256 *digest; /* borrowed */
	uint64_t last;	       /* 0: before the first record */
	unsigned char head[SHA256_BYTES];
};

/* "hash"; and a clause that says what it means. */
const char *damage_name(enum damage damage);
const char *damage_text(enum damage damage);

/* Before the first record of a log. */
void chain_init(struct chain *chain, struct sha256 *digest);

/* Whether `line` (without newline) is the chain's next record; the chain
 * moves on only if it is. */
enum damage chain_next(struct chain *chain, struct span line);

/* Check a regular file; `each` (may be NULL) sees every good record, and a
 * value other than 0 from it ends the work. 0: the file was read to its end or
 * to the first damage, which is in *result; else -ERR_IO or what `each`
 * returned. */
int audit_verify_fd(int fd,
    int (*each)(void *context, struct span line, uint64_t offset),
    void *context, struct verify_result *result);

/* The same for a path. Also -ERR_NOT_FOUND, -ERR_PEER (no permission),
 * -ERR_NOT_REGULAR, -ERR_SYSTEM. */
int audit_verify(const char *path,
    int (*each)(void *context, struct span line, uint64_t offset),
    void *context, struct verify_result *result);

/* Open a log for reading; errors as audit_verify. Close with close(2). */
int audit_open_read(const char *path, int *fd_out);

/* `audit verify`: argv[0] is the command's name, `default_dir` may be
 * NULL: then the arguments must name a log. Returns an exit status: 0,
 * 1 damage found, 64 usage, 69 no such log, 71 it could not be read, 77 not
 * permitted. */
int audit_verify_main(int argc, char **argv, const char *default_dir);

#endif
