/*
 * AES-256-GCM over libcrypto's EVP interface.
 */
#include "executor/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/sha256.h"

static const char next_label[] = "trizone: the next segment's key";

/* Fetched once per process; read-only afterwards. */
static EVP_CIPHER *cipher;

static const EVP_CIPHER *
fetched(void)
{
	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (cipher == NULL)
		die(EXIT_SYSTEM, "libcrypto has no AES-256-GCM");
	return cipher;
}

void
seal_random(void *out, size_t count)
{
	if (getentropy(out, count) != 0)
		die_errno("no random bytes");
}

static EVP_CIPHER_CTX *
begin(const unsigned char *key, const unsigned char *nonce, int encrypt)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	if (context == NULL || EVP_CipherInit_ex2(context, fetched(), key,
				   nonce, encrypt, NULL) != 1)
		die(EXIT_SYSTEM, "AES-256-GCM cannot start");
	return context;
}

static int
length_of(struct span text)
{
	if (text.n > INT_MAX)
		bug("a text too long to be sealed");
	return (int)text.n;
}

/* A NULL pointer in place of the output or input means something else there. */
static const unsigned char *
bytes_of(struct span text)
{
	return (const unsigned char *)(text.n == 0 ? "" : text.p);
}

static void
update(EVP_CIPHER_CTX *context, struct span bound, struct span in,
    unsigned char *out)
{
	int got;

	if ((bound.n != 0 && EVP_CipherUpdate(context, NULL, &got,
				 bytes_of(bound), length_of(bound)) != 1) ||
	    EVP_CipherUpdate(context, out, &got, bytes_of(in), length_of(in)) !=
		1)
		die(EXIT_SYSTEM, "AES-256-GCM cannot go on");
}

void
seal_close(const unsigned char key[SEAL_KEY_BYTES],
    const unsigned char nonce[SEAL_NONCE_BYTES], struct span bound,
    struct span plain, unsigned char *out)
{
	EVP_CIPHER_CTX *context = begin(key, nonce, 1);
	int got;

	update(context, bound, plain, out);
	if (EVP_CipherFinal_ex(context, out + plain.n, &got) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES,
		out + plain.n) != 1)
		die(EXIT_SYSTEM, "AES-256-GCM cannot end");
	EVP_CIPHER_CTX_free(context);
}

int
seal_open(const unsigned char key[SEAL_KEY_BYTES],
    const unsigned char nonce[SEAL_NONCE_BYTES], struct span bound,
    struct span sealed, unsigned char *out)
{
	unsigned char tag[SEAL_TAG_BYTES], last[SEAL_TAG_BYTES];
	EVP_CIPHER_CTX *context;
	struct span text = sealed;
	int got, rc;

	if (sealed.n < SEAL_TAG_BYTES)
		return -ERR_CORRUPT;
	text.n -= SEAL_TAG_BYTES;
	memcpy(tag, sealed.p + text.n, sizeof tag);
	context = begin(key, nonce, 0);
	update(context, bound, text, out);
	if (EVP_CIPHER_CTX_ctrl(
		context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) != 1)
		die(EXIT_SYSTEM, "AES-256-GCM takes no tag");
	rc = EVP_CipherFinal_ex(context, last, &got) == 1 ? 0 : -ERR_CORRUPT;
	EVP_CIPHER_CTX_free(context);
	if (rc != 0)
		wipe(out, text.n);
	return rc;
}

void
seal_next_key(unsigned char key[SEAL_KEY_BYTES])
{
	unsigned char text[sizeof next_label - 1 + SEAL_KEY_BYTES];

	memcpy(text, next_label, sizeof next_label - 1);
	memcpy(text + sizeof next_label - 1, key, SEAL_KEY_BYTES);
	sha256_of(text, sizeof text, key);
	wipe(text, sizeof text);
}

void
seal_warm(void)
{
	unsigned char key[SEAL_KEY_BYTES] = {0}, nonce[SEAL_NONCE_BYTES] = {0};
	unsigned char out[SEAL_TAG_BYTES];

	seal_close(key, nonce, (struct span){0}, (struct span){0}, out);
	seal_next_key(key);
}
