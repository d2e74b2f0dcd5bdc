/*
 * Other readings of a text, for the detector: what it says once it is decoded,
 * turned round or put together. A view is made only where something readable
 * comes out, so that an ordinary mail has none or very few.
 *
 * How to use it, after fold_text(&f, text):
 *
 *	bool all = view_each(text, &f, take, with);
 *
 * and in take() fold `decoded` (a fold of its own) and score it as any text.
 */
#ifndef TRIZONE_READER_VIEW_H
#define TRIZONE_READER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"
#include "reader/fold.h"

#define VIEW_DEPTH 3 /* encodings inside encodings */
#define VIEW_COUNT_MAX 4096
#define VIEW_SPARE_BYTES (64u << 10)

enum view {
#define VIEW(name, text) VIEW_##name,
#include "reader/view.def"
#undef VIEW
	VIEW_COUNT
};

/* The view's name: "base64". */
const char *view_name(enum view view);

/* A view, valid UTF-8 but perhaps with control characters, made from the bytes
 * `start` to before `end` of the source. Of nested encodings `view` is the
 * innermost. Valid during the call. */
typedef void (*view_take)(
    void *with, enum view view, struct span decoded, size_t start, size_t end);

/*
 * All views of `text`, the planner's text or any valid UTF-8 (else none), of
 * which `fold` is the folded form. Linear in time; decoded is at most twice the
 * text and VIEW_SPARE_BYTES, taken at most VIEW_COUNT_MAX times. False if a
 * bound left views out, which no ordinary text makes happen, or the text is not
 * valid.
 */
bool view_each(
    struct span text, const struct fold *fold, view_take take, void *with);

/* Build the tables, before a process that forks for each text does. */
void view_warm(void);

#endif
