/*
 * SHA-256 over libcrypto. Used by every process that names bytes by hash.
 *
 * By its own calls, which OpenSSL 3 calls deprecated: EVP would read OpenSSL's
 * configuration and set up all algorithms of its provider first, 2 MiB in each
 * process, for the same code.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/sha256.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"

struct sha256 {
	SHA256_CTX context;
};

struct sha256 *
sha256_new(void)
{
	struct sha256 *digest = alloc_bytes(sizeof *digest);

	sha256_start(digest);
	return digest;
}

void
sha256_free(struct sha256 *digest)
{
	free(digest);
}

void
sha256_start(struct sha256 *digest)
{
	if (SHA256_Init(&digest->context) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot start");
}

void
sha256_add(struct sha256 *digest, const void *bytes, size_t count)
{
	if (SHA256_Update(&digest->context, bytes, count) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot go on");
}

void
sha256_end(struct sha256 *digest, unsigned char out[SHA256_BYTES])
{
	if (SHA256_Final(out, &digest->context) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot end");
}

void
sha256_of(const void *bytes, size_t count, unsigned char out[SHA256_BYTES])
{
	struct sha256 digest;

	sha256_start(&digest);
	sha256_add(&digest, bytes, count);
	sha256_end(&digest, out);
}
