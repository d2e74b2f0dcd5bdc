/*
 * Media queries as on a screen of usual width in light colours.
 */
#ifndef TRIZONE_READER_HTML_MEDIA_H
#define TRIZONE_READER_HTML_MEDIA_H

#include "common/text.h"
#include "reader/html_css.h"

/* In order: the lesser of two is "and", the greater is "or". */
enum media { MEDIA_NO, MEDIA_MAYBE, MEDIA_YES };

/* A list of media queries up to '{', ';' or the end, which is in *token. What
 * depends on the reader's device, or is not understood, is MEDIA_MAYBE. */
enum media media_list(struct css *css, struct css_token *token);

/* Whether a media attribute applies. */
enum media media_attribute(struct span media);

/* What an @supports rule asks for (CSS Conditional Level 3, 6): MEDIA_NO if a
 * screen has no use for its rules, else MEDIA_MAYBE, since some mail programs
 * do not read it. Reads up to and with a '{' or ';'. */
enum media media_supports(struct css *css, struct css_token *token);

#endif
