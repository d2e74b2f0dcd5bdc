/*
 * The leak meter of one session: bytes and number of values that left while it
 * had seen others' words or private data, and were not the operator's own, by
 * destination. What leaves may be what was read; nobody can tell, so all of it
 * counts, and nothing is given back. Pure.
 */
#ifndef TRIZONE_EXECUTOR_LEAK_H
#define TRIZONE_EXECUTOR_LEAK_H

#include "executor/limit.h"

#define LEAK_DESTINATIONS 64u

struct leak_row {
	unsigned char key[COUNT_KEY_BYTES];
	char label[DESTINATION_LABEL_BYTES];
	uint64_t bytes;
	uint32_t fields;
};

struct leak {
	uint64_t bytes; /* once, to however many they went */
	uint32_t fields;
	uint32_t count;
	struct leak_row at[LEAK_DESTINATIONS];
};

/* Bytes to the one of the destinations that got most. AMOUNT_UNKNOWN: there
 * are more than the meter has room for. */
uint64_t leak_to(const struct leak *leak, const struct count_keys *keys);

/* Count a call. What has no row any more is in the session's sum only. */
void leak_add(struct leak *leak, const struct count_keys *keys,
    destination_labels labels, uint64_t bytes, uint32_t fields);

/* The row of a key, NULL if there is none. */
const struct leak_row *leak_find(
    const struct leak *leak, const unsigned char key[COUNT_KEY_BYTES]);

#endif
