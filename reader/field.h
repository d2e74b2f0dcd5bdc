/*
 * Blanks, comments and quoted strings of structured header fields (RFC 5322,
 * 3.2). Pure; each takes what it reads off the front of the text.
 */
#ifndef TRIZONE_READER_FIELD_H
#define TRIZONE_READER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"

/* Blank, tabulator or an end of line: folding has not been undone. */
bool field_is_blank(char c);

/* Skip blanks alone, or take them off both ends. */
void field_skip_space(struct span *text);
struct span field_trim(struct span text);

/* The name that a line of a header begins with; empty if it is no field. A name
 * has no blank and no control in it, but there may be blanks behind it (RFC
 * 5322, 4.5), and bytes beyond ASCII in it; all within MAIL_LINE_BYTES, as the
 * MIME parser gives up where it has to look for the colon much longer. */
struct span field_name(struct span line);

/* Whether it is the line that mailbox files have before each mail. */
bool field_is_mbox(struct span line);

/* Take `n` bytes, of which there are that many, off the front. */
void field_advance(struct span *text, size_t n);

/* Skip blanks and comments, which may hold comments and quoted pairs. A
 * comment without an end goes to the end of the text. */
void field_skip_blanks(struct span *text);

/* Length of the quoted string at the front, where a '"' is, with both quotes.
 * Without an end: of all there is, and *whole_out, which may be NULL, is
 * false. */
size_t field_quoted(struct span text, bool *whole_out);

#endif
