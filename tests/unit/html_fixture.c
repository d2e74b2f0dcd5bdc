/*
 * What the tests of HTML share: see the header.
 */
#include "html_fixture.h"

#include <string.h>

struct visible v;

void
setup(void)
{
	visible_init(&v, NULL);
}

void
teardown(void)
{
	visible_done(&v);
}

void
render(const char *html)
{
	html_render(html, strlen(html), &v);
}

void
render_filled(struct buf *html, const char *piece)
{
	while (buf_add_text(html, piece) == 0)
		continue;
	teardown();
	setup();
	html_render(html->data, html->len, &v);
	buf_free(html);
}

bool
holds(const struct buf *b, const char *word)
{
	return b->len != 0 &&
	       memmem(b->data, b->len, word, strlen(word)) != NULL;
}

bool
shows_secret(const char *html)
{
	render(html);
	return holds(&v.text, "SECRET");
}
