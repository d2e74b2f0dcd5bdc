/*
 * Differential check of common/json.c against jansson, for the unit test and
 * the fuzz driver.
 */
#ifndef TRIZONE_TESTS_FUZZ_JSON_PEER_H
#define TRIZONE_TESTS_FUZZ_JSON_PEER_H

#include "common/text.h"

enum json_peer {
	PEER_BOTH,     /* both accept, and the values are equal */
	PEER_NEITHER,  /* both refuse */
	PEER_STRICTER, /* only we refuse, by a documented rule */
	PEER_WRONG     /* anything else */
};

/* Parse `text` with both and compare; also writes our value, and compares
 * what both read from that. *why_out says what is wrong, or is "". */
enum json_peer json_peer_check(struct span text, const char **why_out);

#endif
