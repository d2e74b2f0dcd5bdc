/*
 * Formatting that goes on although its element is closed (WHATWG HTML,
 * 13.2.4.3, the list of active formatting elements without those that are
 * still open): <p><b></p> makes the next paragraph bold, or hidden.
 */
#ifndef TRIZONE_READER_HTML_FORMAT_H
#define TRIZONE_READER_HTML_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "reader/html_look.h"
#include "reader/html_tag.h"

#define FORMATS_MOST 8 /* each text may reopen all of them */

struct html_format {
	enum html_tag tag;
	unsigned level; /* markers (cells and the like) around it */
	struct html_own own;
};

struct html_formats {
	struct html_format at[FORMATS_MOST];
	size_t count;
	bool lost; /* one did not fit: those with styles stay for good */
};

/* Keep one, at `place` (0 to count), since the innermost is closed first. One
 * that does not fit and has styles is joined with the last. */
void html_format_keep(struct html_formats *formats,
    const struct html_format *format, size_t place);

/* The last of that name on this level ends. False if there is none. */
bool html_format_forget(
    struct html_formats *formats, enum html_tag tag, unsigned level);

/* Drop those of levels above this one. */
void html_format_drop(struct html_formats *formats, unsigned level);

#endif
