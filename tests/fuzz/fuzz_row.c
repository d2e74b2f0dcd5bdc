/*
 * Fuzz driver: any line as a row, and a row through the reader to its score.
 */
#include <stdint.h>
#include <stdlib.h>

#include "reader/mail.h"
#include "reader/score.h"
#include "reader/text.h"

#define LINE_BYTES (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc;
	struct row row;

	if (size > LINE_BYTES)
		return 0;
	mail_warm();
	text_warm();
	json_init(&doc);
	if (row_read(&doc, (struct span){(const char *)data, size}, &row,
		NULL) == 0) {
		struct score one = score_row(&row), two = score_row(&row);

		if (!(one.score >= 0 && one.score <= 1) ||
		    one.score != two.score || one.suspect != two.suspect ||
		    row.label > ROW_BENIGN ||
		    (row_is_mail(&row) && row_is_prompt(&row)))
			abort();
	}
	json_done(&doc);
	return 0;
}
