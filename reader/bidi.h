/*
 * The order a person saw: text between a directional override and its end
 * (UAX 9) is shown from right to left, and is read the way it is shown. Only
 * explicit controls are followed; a script's own direction is its readers'.
 */
#ifndef TRIZONE_READER_BIDI_H
#define TRIZONE_READER_BIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define BIDI_DEPTH 8 /* levels that count; deeper ones change nothing */

struct bidi {
	struct {
		size_t start; /* where its text starts */
		bool backwards, forced, isolate;
	} level[BIDI_DEPTH];
	size_t depth;
	size_t beyond; /* levels that are open and not kept */
};

/* A control of class INVISIBLE_BIDI at the end of `text`, which holds valid
 * UTF-8 from the level's start on; what it ends is put in order, in place. */
void bidi_control(struct bidi *b, uint32_t code, struct buf *text);

/* A line ends, or the text: so do all levels. */
void bidi_end(struct bidi *b, struct buf *text);

/* Reverse the characters of valid UTF-8. */
void bidi_reverse(char *p, size_t n);

#endif
