/*
 * Fuzz driver: any text through the whole detector. The first byte says who
 * wrote to whom and whether it was hidden; a form feed begins another text of
 * the same item.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reader/detect.h"

#define TEXT_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is new since there were `before` spans is inside the text. */
static void
check(const struct detect *d, size_t before, struct span text)
{
	if (!(d->score >= 0 && d->score <= 1) || d->suspect != (d->sum > 0) ||
	    d->span_count > DETECT_SPANS)
		abort();
	for (size_t i = before; i < d->span_count; i++) {
		const struct detect_span *s = &d->spans[i];

		if (s->start > s->end || s->end > text.n ||
		    s->view > VIEW_COUNT || !(s->score > 0.5) ||
		    s->score > d->score || (s->rules & ~d->rules) != 0 ||
		    !utf8_check(text.p + s->start, s->end - s->start))
			abort();
		if (i > before && s->view == s[-1].view &&
		    s->view == VIEW_COUNT && s->start <= s[-1].end)
			abort();
	}
}

static void
look(struct span text, unsigned how, struct detect *d)
{
	detect_begin(d, (how & 1) != 0 ? DETECT_PROMPT : DETECT_CONTENT);
	while (text.n != 0) {
		const char *end = memchr(text.p, '\f', text.n);
		struct span part = text;
		size_t before = d->span_count;

		if (end != NULL)
			part.n = (size_t)(end - text.p);
		detect_add(
		    d, part, (how & 2) != 0 ? DETECT_HIDDEN : DETECT_SEEN);
		check(d, before, part);
		text.p += part.n + (end != NULL);
		text.n -= part.n + (end != NULL);
	}
	detect_done(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct detect first, second;
	size_t replaced = 0;
	struct buf text;

	if (size == 0 || size > TEXT_BYTES)
		return 0;
	detect_warm();
	buf_init(&text, size * 3);
	if (utf8_add_repaired(
		&text, (const char *)data + 1, size - 1, &replaced) != 0)
		abort();
	look((struct span){text.data, text.len}, data[0], &first);
	look((struct span){text.data, text.len}, data[0], &second);
	if (first.score != second.score || first.rules != second.rules ||
	    first.span_count != second.span_count ||
	    memcmp(first.keywords, second.keywords, sizeof first.keywords) !=
		0 ||
	    memcmp(first.spans, second.spans,
		first.span_count * sizeof first.spans[0]) != 0)
		abort();
	buf_free(&text);
	return 0;
}
