/*
 * The leak meter. Runs in the broker; believes its caller.
 */
#include "executor/leak.h"

#include <string.h>

static struct leak_row *
row_of(struct leak *leak, const unsigned char key[COUNT_KEY_BYTES])
{
	for (uint32_t i = 0; i < leak->count; i++)
		if (memcmp(leak->at[i].key, key, COUNT_KEY_BYTES) == 0)
			return &leak->at[i];
	return NULL;
}

const struct leak_row *
leak_find(const struct leak *leak, const unsigned char key[COUNT_KEY_BYTES])
{
	for (uint32_t i = 0; i < leak->count; i++)
		if (memcmp(leak->at[i].key, key, COUNT_KEY_BYTES) == 0)
			return &leak->at[i];
	return NULL;
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
		struct leak_row *row = row_of(leak, keys->destination[i]);

		if (row == NULL && leak->count < LEAK_DESTINATIONS) {
			row = &leak->at[leak->count++];
			*row = (struct leak_row){0};
			memcpy(row->key, keys->destination[i], sizeof row->key);
			memcpy(row->label, labels[i], sizeof row->label);
		}
		if (row == NULL)
			continue;
		row->bytes += bytes;
		row->fields += fields;
	}
}
