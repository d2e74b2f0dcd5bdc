/*
 * A labelled or unlabelled text, as a line of JSON:
 *	{"id":"a1","channel":"email","text":"...",
 *	 "source":"...","lang":"en","label":"attack"}
 * The first three are needed. A text of channel "email" that begins with a
 * header section is a whole mail (RFC 5322): up to its first blank line, at
 * least half of the lines are fields, and one of those is of a mail. Other keys
 * are ignored.
 */
#ifndef TRIZONE_READER_ROW_H
#define TRIZONE_READER_ROW_H

#include <stdbool.h>

#include "common/json.h"
#include "common/text.h"

#define ROW_MAX_BYTES (32u << 20) /* of one line; a mail has no more */

enum row_label { ROW_UNKNOWN, ROW_ATTACK, ROW_BENIGN };

struct row {
	struct span id, source, lang, channel,
	    text; /* live with the document */
	enum row_label label;
};

/* Read one line; -ERR_SYNTAX and the like, with *where (may be NULL). */
int row_read(struct json_doc *doc, struct span line, struct row *out,
    struct json_error *where);

/* Whether the row's text is a whole mail. */
bool row_is_mail(const struct row *row);

/* Whether somebody typed it to a model: channel "chat". */
bool row_is_prompt(const struct row *row);

#endif
