/*
 * Fuzz driver: any bytes through the HTML renderer. Whatever comes in, the
 * visible text and the links are valid UTF-8 within their limits.
 */
#include <stdint.h>
#include <stdlib.h>

#include "reader/html.h"

#define TEXT_BYTES 4096 /* small, so that the limits are reached too */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct visible_limits limits = {.text_bytes = TEXT_BYTES,
	    .links = 20,
	    .link_bytes = 200,
	    .record_bytes = TEXT_BYTES};
	struct visible v;

	visible_init(&v, &limits);
	html_render((const char *)data, size, &v);
	if (v.text.len > TEXT_BYTES || v.link_count > limits.links ||
	    !utf8_check(v.text.data, v.text.len) ||
	    !utf8_check(v.link_bytes.data, v.link_bytes.len) ||
	    !utf8_check(v.record.data, v.record.len))
		abort();
	visible_done(&v);
	return 0;
}
