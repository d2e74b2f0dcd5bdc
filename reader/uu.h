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
	bool whole;	   /* there is an end, and all lines are right */
};

/* The first block at or behind `from`: a line "begin" with a mode and a name,
 * and a line of it behind. Its content replaces what `out` held; a block that
 * has no room there is not whole. False if there is no other block. */
bool uu_next(
    struct span text, size_t from, struct uu_block *block, struct buf *out);

/* Where the content behind the first line "begin" starts; 0 if there is no
 * such line. */
size_t uu_content(struct span text);

#endif
