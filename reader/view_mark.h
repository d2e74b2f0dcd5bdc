/*
 * Where in a text a view may begin, as bits: found eight bytes at a time, for
 * in most text that is nowhere.
 */
#ifndef TRIZONE_READER_VIEW_MARK_H
#define TRIZONE_READER_VIEW_MARK_H

#include <stdint.h>

#include "common/text.h"

enum view_mark {
	MARK_BASE64, /* in a word of base64 digits that is none of a language */
	MARK_CODES,  /* a backslash, or what begins with codes of characters */
	MARK_ALONE,  /* what is not ASCII; a letter or digit with no letter or
		      * digit of ASCII before it and none at all behind it */
	MARK_COUNT
};

struct view_marks {
	uint64_t *bits[MARK_COUNT];
	size_t bytes;
};

/* The marks of a text. Free with view_marks_done. */
void view_marks_find(struct view_marks *m, struct span text);
void view_marks_done(struct view_marks *m);

/* The first mark at `at` or behind it, or the text's length. */
size_t view_marks_next(
    const struct view_marks *m, enum view_mark mark, size_t at);

#endif
