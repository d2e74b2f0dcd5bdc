/*
 * Any bytes as a mail: the clean object has to pass the executor's check and
 * the record has to be JSON.
 */
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"
#include "common/limits.h"
#include "proto/clean.h"
#include "reader/limits.h"
#include "reader/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool warm;
	struct buf clean, record;
	struct clean_view view;
	struct json_doc doc;

	if (!warm)
		mail_warm();
	warm = true;
	buf_init(&clean, CLEAN_MAX_BYTES);
	buf_init(&record, RECORD_MAX_BYTES);
	json_init(&doc);
	if (mail_clean((struct span){(const char *)data, size}, &clean,
		&record) != 0 ||
	    json_parse(
		&doc, (struct span){clean.data, clean.len}, NULL, NULL) != 0 ||
	    clean_check(&doc, json_root(&doc), &view, NULL) != 0)
		bug("a clean object that is none");
	if (json_parse(
		&doc, (struct span){record.data, record.len}, NULL, NULL) != 0)
		bug("a record that is none");
	json_done(&doc);
	buf_free(&clean);
	buf_free(&record);
	return 0;
}
