#include "reader/object.h"

#include "reader/limits.h"
#include "reader/normal.h"

static struct span
link_part(const struct visible *v, uint32_t start, uint32_t bytes)
{
	if (bytes == 0)
		return SPAN("");
	return (struct span){v->link_bytes.data + start, bytes};
}

/* Without the blank lines before and the blanks behind. */
static struct span
trim(struct span text)
{
	size_t i = 0;

	while (text.n != 0 &&
	       (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
		text.n--;
	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\n')) {
		if (text.p[i++] != '\n')
			continue;
		text = (struct span){text.p + i, text.n - i};
		i = 0;
	}
	return text;
}

void
object_body(struct clean *c, const struct visible *body)
{
	const struct visible *v = body;
	struct buf form;

	buf_init(&form, MAIL_TEXT_BYTES);
	clean_set_body(c,
	    trim(normal_form(&form, (struct span){v->text.data, v->text.len})),
	    v->text_dropped);
	for (size_t i = 0; i < v->link_count; i++)
		clean_add_link(c,
		    normal_form(&form, link_part(v, v->links[i].text_start,
					   v->links[i].text_bytes)),
		    link_part(v, v->links[i].url_start, v->links[i].url_bytes));
	clean_lost_links(c, v->links_dropped);
	buf_free(&form);
}

void
object_hidden(
    struct clean *c, const struct visible *head, const struct visible *body)
{
	for (enum hidden i = 0; i < HIDDEN_COUNT; i++) {
		uint64_t runs = body->hidden_runs[i];
		uint64_t chars = body->hidden_chars[i];

		if (head != NULL) {
			runs += head->hidden_runs[i];
			chars += head->hidden_chars[i];
		}
		if (runs != 0)
			clean_add_hidden(c, hidden_name(i), runs, chars);
	}
}
