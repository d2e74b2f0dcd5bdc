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
	struct seen seen = {0};
	size_t replaced = 0;
	struct span text;
	struct fold f;
	struct buf b;

	if (size > TEXT_BYTES)
		return 0;
	buf_init(&b, size * 3);
	if (utf8_add_repaired(&b, (const char *)data, size, &replaced) != 0)
		abort();
	text = (struct span){b.data, b.len};
	seen.source = text.n;
	fold_init(&f, text.n * FOLD_GROWTH);
	if (fold_text(&f, text) != 0)
		abort();
	(void)view_each(text, &f, take, &seen);
	fold_done(&f);
	buf_free(&b);
	return 0;
}
