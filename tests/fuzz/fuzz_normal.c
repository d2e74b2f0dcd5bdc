/*
 * Fuzz driver: any bytes through the sink of visible text, the planner's
 * normal form and the detector's folding. Each is valid UTF-8 within its
 * bound, doing it twice changes nothing, and offsets point back in order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reader/fold.h"
#include "reader/normal.h"
#include "reader/visible.h"

#define TEXT_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(bool true_here)
{
	if (!true_here)
		abort();
}

static struct span
span_of_buf(const struct buf *b)
{
	return (struct span){b->len == 0 ? "" : b->data, b->len};
}

static void
check_fold(struct span text)
{
	struct fold once, twice;

	fold_init(&once, TEXT_BYTES);
	fold_init(&twice, TEXT_BYTES);
	expect(fold_text(&once, text) == 0);
	expect(once.text.len <= text.n * 6);
	expect(utf8_check(once.text.data, once.text.len));
	for (size_t i = 0; i < once.text.len; i++)
		expect(once.at[i] < text.n &&
		       (i == 0 || once.at[i - 1] <= once.at[i]));
	expect(fold_origin(&once, once.text.len) == text.n);
	expect(fold_text(&twice, span_of_buf(&once.text)) == 0);
	expect(span_equal(span_of_buf(&once.text), span_of_buf(&twice.text)));
	fold_done(&once);
	fold_done(&twice);
}

static void
check_normal(struct span text)
{
	struct buf once, twice;

	buf_init(&once, TEXT_BYTES);
	buf_init(&twice, TEXT_BYTES);
	expect(normal_add(&once, text) == 0);
	expect(once.len <= text.n * NORMAL_GROWTH);
	expect(utf8_check(once.data, once.len));
	expect(normal_add(&twice, span_of_buf(&once)) == 0);
	expect(span_equal(span_of_buf(&once), span_of_buf(&twice)));
	check_fold(span_of_buf(&once));
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw = {(const char *)data, size};
	struct visible v;

	if (size > TEXT_BYTES / 8)
		return 0;
	check_fold(raw);
	visible_init(&v, NULL);
	visible_add(&v, raw.p, raw.n);
	visible_end(&v);
	expect(utf8_check(v.text.data, v.text.len));
	check_normal(span_of_buf(&v.text));
	visible_done(&v);
	return 0;
}
