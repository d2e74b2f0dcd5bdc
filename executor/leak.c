/*
 * The leak meter. Runs in the broker; believes its caller.
 */
#include "executor/leak.h"

#include <string.h>

/* leak->count if it has none. */
static uint32_t
index_of(const struct leak *leak, const unsigned char key[COUNT_KEY_BYTES])
{
	uint32_t i = 0;

	while (i < leak->count &&
	       memcmp(leak->at[i].key, key, COUNT_KEY_BYTES) != 0)
		i++;
	return i;
}

const struct leak_row *
leak_find(const struct leak *leak, const unsigned char key[COUNT_KEY_BYTES])
{
	uint32_t i = index_of(leak, key);

	return i == leak->count ? NULL : &leak->at[i];
}

uint64_t
leak_to(const struct leak *leak, const struct count_keys *keys)
{
	uint32_t room = LEAK_DESTINATIONS - leak->count;
	uint64_t most = 0;

	if (keys->too_many)
		return AMOUNT_UNKNOWN;
	for (uint32_t i = 0; i < keys->destinations; i++) {
		const struct leak_row *row =
		    leak_find(leak, keys->destination[i]);

		if (row == NULL && room-- == 0)
			return AMOUNT_UNKNOWN;
		if (row != NULL && row->bytes > most)
			most = row->bytes;
	}
	return most;
}

void
leak_add(struct leak *leak, const struct count_keys *keys,
    destination_labels labels, uint64_t bytes, uint32_t fields)
{
	leak->bytes += bytes;
	leak->fields += fields;
	for (uint32_t i = 0; i < keys->destinations; i++) {
		uint32_t at = index_of(leak, keys->destination[i]);
		struct leak_row *row = &leak->at[at];

		if (at == LEAK_DESTINATIONS)
			continue;
		if (at == leak->count) {
			leak->count++;
			*row = (struct leak_row){0};
			memcpy(row->key, keys->destination[i], sizeof row->key);
			memcpy(row->label, labels[i], sizeof row->label);
		}
		row->bytes += bytes;
		row->fields += fields;
	}
}
