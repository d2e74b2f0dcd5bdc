/*
 * HTML to what a person sees.
 */
#ifndef TRIZONE_READER_HTML_H
#define TRIZONE_READER_HTML_H

#include <stddef.h>

#include "reader/visible.h"

/* Render a whole document (or a piece of one) into `v`: visible text, links,
 * and what was hidden with its reason. Never fails, whatever the bytes are;
 * they should be UTF-8, what is not becomes U+FFFD. Time is linear in `bytes`
 * (rules times elements is bounded by a budget, see html_sheet.h); memory is
 * about 300 KiB plus what `v` holds, and one copy of the longest attribute. */
void html_render(const char *html, size_t bytes, struct visible *v);

#endif
