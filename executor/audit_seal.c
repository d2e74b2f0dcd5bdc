/*
 * Ed25519 over libcrypto's EVP interface, and the lines that are signed. Runs
 * in the auditor and in `audit verify`, on lines that may be forged.
 */
#include "executor/audit_seal.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/record.h"
#include "executor/seal.h"

#define KEY_LEAD "\",\"key\":\""
#define NEXT_LEAD "\",\"next\":\""
#define FIRST_LEAD "\",\"why\":\"first\""
#define SIG_LEAD ",\"sig\":\""
#define SIG_TAIL "\"}"

static EVP_PKEY *
private_key(const struct signer *signer)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, signer->seed, SIGN_SEED_BYTES);

	if (key == NULL)
		die(EXIT_SYSTEM, "libcrypto has no Ed25519");
	return key;
}

void
signer_complete(struct signer *signer)
{
	size_t length = SIGN_KEY_BYTES;
	EVP_PKEY *key = private_key(signer);

	if (EVP_PKEY_get_raw_public_key(key, signer->key, &length) != 1)
		die(EXIT_SYSTEM, "Ed25519 gives no public key");
	EVP_PKEY_free(key);
}

void
signer_new(struct signer *signer)
{
	seal_random(signer->seed, sizeof signer->seed);
	signer_complete(signer);
}

static EVP_MD_CTX *
context_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL)
		die(EXIT_SYSTEM, "out of memory for a signature");
	return context;
}

void
signer_sign(const struct signer *signer, struct span text,
    unsigned char signature_out[SIGN_BYTES])
{
	EVP_MD_CTX *context = context_new();
	EVP_PKEY *key = private_key(signer);
	size_t length = SIGN_BYTES;

	if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, signature_out, &length,
		(const unsigned char *)text.p, text.n) != 1)
		die(EXIT_SYSTEM, "Ed25519 cannot sign");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

bool
sign_is_good(const unsigned char key[SIGN_KEY_BYTES], struct span text,
    const unsigned char signature[SIGN_BYTES])
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, key, SIGN_KEY_BYTES);
	EVP_MD_CTX *context = context_new();
	bool good = false;

	if (public != NULL &&
	    EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1)
		good = EVP_DigestVerify(context, signature, SIGN_BYTES,
			   (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return good;
}

void
sign_warm(void)
{
	unsigned char signature[SIGN_BYTES];
	struct signer signer;

	signer_new(&signer);
	signer_sign(&signer, SPAN("warm"), signature);
	if (!sign_is_good(signer.key, SPAN("warm"), signature))
		die(EXIT_SYSTEM, "Ed25519 does not work");
	wipe(&signer, sizeof signer);
}

bool
seal_line_is(struct span line)
{
	return record_is(line, RECORD_CHECKPOINT) ||
	       record_is(line, RECORD_LINEAGE);
}

/* Take `lead` and as many bytes in hexadecimal off the front of *rest. */
static int
take_hex(struct span *rest, const char *lead, unsigned char *out, size_t bytes)
{
	size_t skip = strlen(lead);
	int rc;

	if (!span_starts(*rest, lead) || rest->n < skip + 2 * bytes)
		return -ERR_SYNTAX;
	rc = hex_decode((struct span){rest->p + skip, 2 * bytes}, out, bytes);
	rest->p += skip + 2 * bytes;
	rest->n -= skip + 2 * bytes;
	return rc;
}

int
seal_line_parse(struct span line, struct seal_line *out)
{
	const size_t end = sizeof SIG_LEAD - 1 + SIGN_DIGITS;
	struct span rest = {line.p + RECORD_KIND_AT, line.n - RECORD_KIND_AT};
	struct span sig = {line.p + line.n - end - 2, end + 2};
	size_t name;
	int rc;

	*out = (struct seal_line){.lineage = record_is(line, RECORD_LINEAGE)};
	name = strlen(record_kind_name(
	    out->lineage ? RECORD_LINEAGE : RECORD_CHECKPOINT));
	if (rest.n < name + end + 2)
		return -ERR_SYNTAX;
	rest.p += name;
	rest.n -= name + end + 2;
	out->text = (struct span){
	    line.p + RECORD_HASHED_AT, line.n - RECORD_HASHED_AT - end - 2};
	rc = take_hex(&rest, KEY_LEAD, out->key, SIGN_KEY_BYTES);
	if (rc == 0 && !out->lineage)
		rc = take_hex(&rest, NEXT_LEAD, out->next, SIGN_KEY_BYTES);
	if (rc == 0)
		rc = take_hex(&sig, SIG_LEAD, out->signature, SIGN_BYTES);
	if (rc != 0 || !span_is(sig, SIG_TAIL))
		return -ERR_SYNTAX;
	out->first = out->lineage && span_starts(rest, FIRST_LEAD);
	if (out->lineage)
		memcpy(out->next, out->key, SIGN_KEY_BYTES);
	return 0;
}

int
seal_keys_follow(struct seal_keys *keys, const struct seal_line *line)
{
	if (!sign_is_good(line->key, line->text, line->signature))
		return -ERR_CORRUPT;
	if (line->lineage ? line->first == keys->begun
			  : !keys->begun || memcmp(line->key, keys->next,
						SIGN_KEY_BYTES) != 0)
		return -ERR_WRONG_STATE;
	if (!keys->begun)
		memcpy(keys->root, line->key, SIGN_KEY_BYTES);
	keys->begun = true;
	memcpy(keys->next, line->next, SIGN_KEY_BYTES);
	return 0;
}
