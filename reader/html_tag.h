/*
 * The table of elements.
 */
#ifndef TRIZONE_READER_HTML_TAG_H
#define TRIZONE_READER_HTML_TAG_H

#include <stdbool.h>

#include "common/text.h"

enum html_tag {
	HTML_UNKNOWN,
#define TAG(name, text, flags) HTML_##name,
#include "reader/html_tag.def"
#undef TAG
	HTML_TAG_COUNT
};

/* What the stack of open elements must know (WHATWG HTML, 13.2.4.2). */
enum html_tag_flag {
	TAG_BLOCK = 1,	    /* starts and ends a line */
	TAG_SPECIAL = 2,    /* the standard's list of special elements */
	TAG_FORMAT = 4,	    /* goes on behind its parent */
	TAG_VOID = 8,	    /* has no contents */
	TAG_CLOSE_P = 16,   /* its start ends an open paragraph */
	TAG_BARRIER = 32,   /* end tags do not look behind it */
	TAG_MARKER = 64,    /* formatting does not go into or out of it */
	TAG_BREAKOUT = 128, /* its start ends svg and math */
	TAG_HEADING = 256
};

/* The element of that name, in any case; HTML_UNKNOWN if there is no row. */
enum html_tag html_tag_find(struct span name);

unsigned html_tag_flags(enum html_tag tag);

/* How near to its table a part stands: 1 the table itself (or a template), 2
 * a section, 3 a row, 9 anything else. */
int html_tag_table_rank(enum html_tag tag);

/* The rank of what a part of a table may stand in; 0: it is no part. */
int html_tag_table_parent(enum html_tag tag);

/* Tags that open and close nothing: the root is open from the start, and pages
 * of frames have no text. */
bool html_tag_is_root(enum html_tag tag);

#endif
