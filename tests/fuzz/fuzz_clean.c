/*
 * Any JSON as a clean object: the check has to end with yes or no, and a yes
 * keeps the limits that others build on.
 */
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "proto/clean.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clean_view view;
	struct json_error where;
	struct json_doc doc;
	size_t chars = 0;

	json_init(&doc);
	if (json_parse(&doc, (struct span){(const char *)data, size}, NULL,
		&where) == 0 &&
	    clean_check(&doc, json_root(&doc), &view, &where) == 0 &&
	    (!clean_text_valid(view.body, true, &chars) ||
		chars > CLEAN_BODY_CHARS || view.to->count > CLEAN_ADDRESSES ||
		(view.from.address.n != 0 &&
		    !clean_address_valid(view.from.address))))
		bug("the check lets something through");
	json_done(&doc);
	return 0;
}
