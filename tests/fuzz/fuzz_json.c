/*
 * Any bytes as JSON: no crash, and the same value as jansson sees or a
 * documented refusal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/json_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	const char *why;

	if (json_peer_check(text, &why) == PEER_WRONG) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return 0;
}
