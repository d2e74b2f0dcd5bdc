/*
 * Any bytes as a header text, as an address list, as parameters: what comes
 * out is UTF-8 within its bounds, and masks come off again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/charset.h"
#include "reader/limits.h"
#include "reader/mime.h"
#include "reader/param.h"
#include "reader/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_utf8(const struct buf *text)
{
	if (text->len > text->max ||
	    (text->len != 0 && !utf8_check(text->data, text->len)))
		bug("text that is not UTF-8");
}

static void
take(void *with, const char *name, const char *address)
{
	struct buf *out = with;

	buf_clear(out);
	(void)words_unmask(span_of(name), out);
	buf_clear(out);
	(void)words_unmask(span_of(address), out);
}

static void
try_masks(struct span raw, struct buf *masked, struct buf *out)
{
	char *again;

	if (words_mask(raw, masked) != 0)
		return;
	(void)words_unmask((struct span){masked->data, masked->len}, out);
	if (out->len != raw.n ||
	    (raw.n != 0 && memcmp(out->data, raw.p, raw.n) != 0))
		bug("a mask that does not come off");
	again = alloc_text(masked->data, masked->len);
	if (masked->len < MAIL_FIELD_BYTES) {
		struct mime *m = mime_new(SPAN("\n"));

		mime_addresses(m, again, take, out);
		mime_free(m);
	}
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = {(const char *)data, size};
	static bool warm;
	struct buf out, masked;
	uint64_t findings = 0;

	if (!warm) {
		charset_warm();
		mime_warm();
	}
	warm = true;
	buf_init(&out, MAIL_HEADER_TEXT);
	buf_init(&masked, 4 * MAIL_FIELD_BYTES);
	words_decode(raw, &out, &findings);
	check_utf8(&out);
	(void)param_text(raw, "filename", &out, &findings);
	check_utf8(&out);
	buf_free(&out);
	buf_init(&out, 4 * MAIL_FIELD_BYTES);
	try_masks(raw, &masked, &out);
	buf_free(&out);
	buf_free(&masked);
	return 0;
}
