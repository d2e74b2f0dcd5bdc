/*
 * What the tests of HTML share: one buffer of visible text for each test.
 */
#ifndef TRIZONE_TESTS_HTML_FIXTURE_H
#define TRIZONE_TESTS_HTML_FIXTURE_H

#include <stdbool.h>

#include "common/buf.h"
#include "reader/html.h"

extern struct visible v;

/* Before and after each test. */
void setup(void);
void teardown(void);

/* Add the page to the buffer. */
void render(const char *html);

/* Fill the page up to its limit with a piece, render it into the emptied
 * buffer, and free it. */
void render_filled(struct buf *html, const char *piece);

/* Whether `word` is in a buffer. */
bool holds(const struct buf *b, const char *word);

/* Whether SECRET is visible in the page. */
bool shows_secret(const char *html);

#endif
