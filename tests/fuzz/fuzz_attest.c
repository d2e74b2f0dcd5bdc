/*
 * What a zone attests against what can be required of it. Whatever it says,
 * the answer names only what was asked for, and more needs are never met by
 * saying less.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/lock.h"

#define ALL (NEED_BIT(NEED_COUNT) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc;
	uint32_t all = 0;

	json_init(&doc);
	if (json_parse(&doc, (struct span){(const char *)data, size}, NULL,
		NULL) == 0 &&
	    json_root(&doc)->type == JSON_OBJECT) {
		all = lock_unmet(&doc, json_root(&doc), ALL, NULL, 0);
		if ((all & ~ALL) != 0)
			abort();
		for (unsigned i = 0; i < NEED_COUNT; i++) {
			uint32_t one = lock_unmet(
			    &doc, json_root(&doc), NEED_BIT(i), NULL, 0);

			if ((one & NEED_BIT(i)) != (all & NEED_BIT(i)) ||
			    (one & ~(NEED_BIT(i) | NEED_BIT(NEED_PROFILE))) !=
				0)
				abort();
		}
	}
	json_done(&doc);
	return 0;
}
