/*
 * SHA-256 over libcrypto. Used by every process that names bytes by hash.
 */
#include "common/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"

struct sha256 {
	EVP_MD_CTX *context;
};

/* Fetched once per process; read-only afterwards. */
static EVP_MD *algorithm;

static const EVP_MD *
fetched(void)
{
	if (algorithm == NULL)
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (algorithm == NULL)
		die(EXIT_SYSTEM, "libcrypto has no SHA256");
	return algorithm;
}

void
sha256_warm(void)
{
	unsigned char unused[SHA256_BYTES];

	sha256_of("", 0, unused);
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *digest = alloc_bytes(sizeof *digest);

	digest->context = EVP_MD_CTX_new();
	if (digest->context == NULL)
		die(EXIT_SYSTEM, "out of memory for a digest");
	sha256_start(digest);
	return digest;
}

void
sha256_free(struct sha256 *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void
sha256_start(struct sha256 *digest)
{
	if (EVP_DigestInit_ex2(digest->context, fetched(), NULL) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot start");
}

void
sha256_add(struct sha256 *digest, const void *bytes, size_t count)
{
	if (EVP_DigestUpdate(digest->context, bytes, count) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot go on");
}

void
sha256_end(struct sha256 *digest, unsigned char out[SHA256_BYTES])
{
	if (EVP_DigestFinal_ex(digest->context, out, NULL) != 1)
		die(EXIT_SYSTEM, "SHA256 cannot end");
}

void
sha256_of(const void *bytes, size_t count, unsigned char out[SHA256_BYTES])
{
	if (EVP_Digest(bytes, count, out, NULL, fetched(), NULL) != 1)
		die(EXIT_SYSTEM, "SHA256 failed");
}
