/*
 * SHA-256 (FIPS 180-4) through OpenSSL. Nothing has to be loaded for it.
 */
#ifndef TRIZONE_COMMON_SHA256_H
#define TRIZONE_COMMON_SHA256_H

#include <stddef.h>

#define SHA256_BYTES 32

struct sha256; /* a running digest */

/* Free with sha256_free; NULL is fine there. Failure ends the process. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *digest);

/* Start anew, add bytes, get the result (and be ready for sha256_start). */
void sha256_start(struct sha256 *digest);
void sha256_add(struct sha256 *digest, const void *bytes, size_t count);
void sha256_end(struct sha256 *digest, unsigned char out[SHA256_BYTES]);

/* Digest of one piece of memory. */
void sha256_of(
    const void *bytes, size_t count, unsigned char out[SHA256_BYTES]);

#endif
