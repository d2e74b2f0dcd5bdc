/*
 * Files written into a text by uuencode (POSIX): "begin 644 name", lines, and
 * "end".
 */
#ifndef TRIZONE_READER_UU_H
#define TRIZONE_READER_UU_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/text.h"

/* A block of a text. */
struct uu_block {
	size_t start, end; /* of its lines */
	struct span name;  /* any bytes */
	bool whole;	   /* its content had room */
};

/* The first block at or behind `from`: a line "begin" with a mode and a name,
 * lines of content that hold what they say, all the same but the last, and
 * "end". Its content replaces what `out` held. False if there is no other
 * block. *broken becomes true where lines only begin like one: a text may do
 * that, so they stay text. */
bool uu_next(struct span text, size_t from, struct uu_block *block,
    struct buf *out, bool *broken);

/* Where the content behind the first line "begin" starts; 0 if there is no
 * such line. */
size_t uu_content(struct span text);

#endif
