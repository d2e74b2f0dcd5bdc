/*
 * Base64 as mails have it (RFC 2045, 6.8), in pieces. It reads what other
 * programs read: what is no letter of it is passed over, and said.
 */
#ifndef TRIZONE_READER_TRANSFER_H
#define TRIZONE_READER_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct base64_in {
	uint32_t bits;	/* of letters that do not make three bytes yet */
	unsigned count; /* of those letters, 0 to 3 */
	bool padded;	/* "=" was there */
	bool odd;	/* something programs read in different ways: bytes that
			   are no letters, letters behind "=", a cut end */
};

/* Decode `count` bytes into `out`, which has room for count / 4 * 3 + 3;
 * returns how many came out. Begin with a zeroed state. */
size_t base64_step(
    struct base64_in *state, const char *in, size_t count, char *out);

/* What is left at the end: up to 2 bytes. */
size_t base64_end(struct base64_in *state, char out[2]);

#endif
