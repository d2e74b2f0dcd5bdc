/*
 * What is known of a log from outside of it: receipts, which callers got for
 * their records, and anchors, a file of lines
 *
 *   lineage <16 digits: seq> <64 digits: hash> <64 digits: key>
 *   head <seq> <hash> <key>
 *
 * The first is a start of the service, the second the last record at a time.
 * In an export of the system log (or journal) they stand behind the tag
 * "trizone-audit:" or "trizone-audit[123]:", in a file of kind notify they are
 * the text of a JSON object. Other lines are passed over.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_PROOF_H
#define TRIZONE_EXECUTOR_AUDIT_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"
#include "common/text.h"
#include "executor/audit_seal.h"

#define PROOFS_FILE_MAX (256u << 20)
#define PROOFS_SYSLOG_TAG "trizone-audit"

struct proof {
	uint64_t seq;
	unsigned char hash[SHA256_BYTES];
	unsigned char key[SIGN_KEY_BYTES]; /* of an anchor */
	bool lineage;
};

/* All zero is an empty list. */
struct proofs {
	struct proof *rows;
	size_t count, at; /* the first `at` have been looked at */
	bool anchors;	  /* a file of anchors was read */
};

void proofs_done(struct proofs *proofs);

/* Add a receipt, "<16 digits>:<64 digits>"; -ERR_SYNTAX. */
int proofs_add_receipt(struct proofs *proofs, struct span text);

/* Add all anchors of a file. -ERR_NOT_FOUND, -ERR_PEER, -ERR_TOO_LARGE,
 * -ERR_IO. */
int proofs_add_file(struct proofs *proofs, const char *path);

/* Add all receipts of a file, one a line. The same, and -ERR_SYNTAX. */
int proofs_add_receipts(struct proofs *proofs, const char *path);

/* Before the first record: sorts, and begins anew. */
void proofs_begin(struct proofs *proofs);

/* What is known of the record with that sequence, which grows from call to
 * call: 1 it is this one, 0 nothing, -ERR_WRONG_STATE: it is another. Anchors
 * are told of a lineage before it is on disk, so that others of one sequence
 * are starts which came to nothing if one of them is this one.
 * *lineage_out: an anchor calls it a lineage with that key. */
int proofs_see(struct proofs *proofs, uint64_t seq,
    const unsigned char hash[SHA256_BYTES],
    const unsigned char key[SIGN_KEY_BYTES], bool *lineage_out);

/* Whether something is known of a later record than any that was seen. */
bool proofs_left(const struct proofs *proofs, uint64_t last);

#endif
