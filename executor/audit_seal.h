/*
 * Signatures of the log: Ed25519 (RFC 8032) by libcrypto, and what records
 * that carry them say. Keys go from one to the next: a lineage record begins
 * with a key and signs itself with it; each checkpoint is signed by the key
 * that the one before it, or the lineage, has named, and names the next.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_SEAL_H
#define TRIZONE_EXECUTOR_AUDIT_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

#define SIGN_SEED_BYTES 32 /* the private half */
#define SIGN_KEY_BYTES 32  /* the public one */
#define SIGN_KEY_DIGITS (2 * SIGN_KEY_BYTES)
#define SIGN_BYTES 64
#define SIGN_DIGITS (2 * SIGN_BYTES)

struct signer {
	unsigned char seed[SIGN_SEED_BYTES];
	unsigned char key[SIGN_KEY_BYTES];
};

/* Load all that signing needs; before the process is locked. */
void sign_warm(void);

/* A new pair from the kernel's random bytes; or that of the seed, which is
 * there already. Wipe when done. Failures of libcrypto end the process. */
void signer_new(struct signer *signer);
void signer_complete(struct signer *signer);

void signer_sign(const struct signer *signer, struct span text,
    unsigned char signature_out[SIGN_BYTES]);

bool sign_is_good(const unsigned char key[SIGN_KEY_BYTES], struct span text,
    const unsigned char signature[SIGN_BYTES]);

/* What a lineage or checkpoint says. */
struct seal_line {
	bool lineage; /* or a checkpoint */
	bool first;   /* a lineage that begins a log */
	unsigned char key[SIGN_KEY_BYTES];
	unsigned char next[SIGN_KEY_BYTES]; /* the same, of a lineage */
	unsigned char signature[SIGN_BYTES];
	struct span text; /* that was signed */
};

/* Whether `line`, which record_check accepts, is one of them by its kind; and
 * take it apart: 0 or -ERR_SYNTAX. */
bool seal_line_is(struct span line);
int seal_line_parse(struct span line, struct seal_line *out);

/* Who may sign, as the lines so far say. All zero is the begin of a log. */
struct seal_keys {
	bool begun;
	unsigned char root[SIGN_KEY_BYTES];
	unsigned char next[SIGN_KEY_BYTES]; /* who has to sign next */
};

/* Whether a lineage or checkpoint may stand where it does and its signature is
 * good; the keys move on only then. 0; -ERR_SYNTAX; -ERR_CORRUPT: the
 * signature is not that of its text; -ERR_WRONG_STATE: another key than the
 * one named before, a first lineage that is not, a checkpoint before any. */
int seal_keys_follow(struct seal_keys *keys, const struct seal_line *line);

#endif
