/*
 * Fuzz driver: the views of any text. Each is valid UTF-8 from inside the
 * source, and all of them keep to the bounds.
 */
#include <stdint.h>
#include <stdlib.h>

#include "reader/view.h"

#define TEXT_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t source, bytes, views;
};

static void
take(void *with, enum view view, struct span decoded, size_t start, size_t end)
{
	struct seen *s = with;

	s->bytes += decoded.n;
	if (view_name(view) == NULL || start > end || end > s->source ||
	    decoded.n == 0 || !utf8_check(decoded.p, decoded.n) ||
	    ++s->views > VIEW_COUNT_MAX ||
	    s->bytes > s->source * 2 + VIEW_SPARE_BYTES)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = {.source = size};
	struct fold f;
	struct span text = {(const char *)data, size};

	if (size > TEXT_BYTES)
		return 0;
	fold_init(&f, size * FOLD_GROWTH);
	if (fold_text(&f, text) != 0)
		abort();
	(void)view_each(text, &f, take, &seen);
	fold_done(&f);
	return 0;
}
