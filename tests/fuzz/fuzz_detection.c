/*
 * Any JSON as a reader's record: what is kept of its detections is JSON of
 * printable ASCII, fits its room, and passes the same check again.
 */
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"
#include "proto/detection.h"

#define ROOM 896

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a record with only these rows. */
static void
check_again(const struct buf *rows)
{
	struct json_doc doc;
	struct buf text, again;
	size_t count;

	for (size_t i = 0; i < rows->len; i++)
		if (rows->data[i] < 0x20 || rows->data[i] > 0x7e)
			bug("a detection with byte %d", rows->data[i]);
	buf_init(&text, ROOM + 100);
	buf_init(&again, ROOM + 100);
	buf_add_format(&text, "{\"injection\":[%.*s]}", (int)rows->len,
	    rows->len == 0 ? "" : rows->data);
	json_init(&doc);
	if (json_parse(&doc, (struct span){text.data, text.len}, NULL, NULL) !=
		0 ||
	    detection_read(&doc, json_root(&doc), &again, &count) != 0 ||
	    again.len != rows->len)
		bug("a detection that is none: %.*s", (int)text.len, text.data);
	json_done(&doc);
	buf_free(&text);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc;
	struct buf rows;
	size_t count;

	buf_init(&rows, ROOM);
	json_init(&doc);
	if (json_parse(&doc, (struct span){(const char *)data, size}, NULL,
		NULL) == 0 &&
	    detection_read(&doc, json_root(&doc), &rows, &count) == 0)
		check_again(&rows);
	json_done(&doc);
	buf_free(&rows);
	return 0;
}
