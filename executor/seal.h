/*
 * Sealing bytes under a key (AES-256-GCM of libcrypto): who has not the key
 * can neither read nor change them. Runs in the auditor and in the operator's
 * own commands. Failures of libcrypto end the process.
 */
#ifndef TRIZONE_EXECUTOR_SEAL_H
#define TRIZONE_EXECUTOR_SEAL_H

#include <stddef.h>

#include "common/text.h"

#define SEAL_KEY_BYTES 32
#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES 16 /* a sealed text is so much longer */

/* Load all that sealing needs; before the process is locked. */
void seal_warm(void);

/* Random bytes of the kernel, at most 256. */
void seal_random(void *out, size_t count);

/* Seal `plain` into `out`, which has room for SEAL_TAG_BYTES more. `bound`
 * (may be empty) is not in it, but has to be the same at seal_open. A pair of
 * key and nonce must never seal two texts. */
void seal_close(const unsigned char key[SEAL_KEY_BYTES],
    const unsigned char nonce[SEAL_NONCE_BYTES], struct span bound,
    struct span plain, unsigned char *out);

/* Open it into `out`, which has room for sealed.n - SEAL_TAG_BYTES. 0, or
 * -ERR_CORRUPT: another key, nonce or `bound`, or a bit is not as it was; then
 * nothing in `out` is to be used. */
int seal_open(const unsigned char key[SEAL_KEY_BYTES],
    const unsigned char nonce[SEAL_NONCE_BYTES], struct span bound,
    struct span sealed, unsigned char *out);

/* Replace a key by the next in its row, which is found from it by SHA-256; not
 * the other way round. */
void seal_next_key(unsigned char key[SEAL_KEY_BYTES]);

#endif
