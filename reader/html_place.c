/*
 * Looks of elements in their places. Runs in the reader's worker; a look-up in
 * a table walks over its few open parts.
 *
 * What stands in a table and outside its cells goes before the table ("foster
 * parenting", WHATWG HTML, 13.2.6.1) and looks as text there does. Here it
 * must be seen in both places.
 */
#include "reader/html_place.h"

#include "reader/html_foreign.h"

/* Whether the element holds cells, and no text of its own. */
static bool
is_frame(enum html_tag tag)
{
	return html_tag_table_rank(tag) <= 3 && tag != HTML_TEMPLATE;
}

/* The look around what stands on `depth`, if it is no part of a table. */
static struct html_look
around(const struct html_stack *st, size_t depth)
{
	struct html_look look = st->at[depth].look;
	size_t table = depth;

	if (!is_frame(st->at[depth].tag) || look.unseen != HIDDEN_COUNT)
		return look;
	while (table > 0 && is_frame(st->at[table].tag) &&
	       st->at[table].tag != HTML_TABLE)
		table--;
	return table > 0 ? st->at[table - 1].look : look;
}

const struct html_look *
html_stack_look(const struct html_stack *st)
{
	return st->deep > 0 ? &st->deep_look : &st->at[st->depth].look;
}

enum hidden
html_place_reason(const struct html_stack *st)
{
	enum hidden reason =
	    st->deep > 0 ? st->deep_look.unseen : around(st, st->depth).unseen;

	return reason != HIDDEN_COUNT ? reason
				      : foreign_reason(&st->at[st->depth]);
}

/* The first <summary> is seen although its <details> is closed. */
struct html_look
html_place_element(const struct html_stack *st, size_t depth)
{
	const struct html_element *e = &st->at[depth];
	struct html_own open = e[-1].own;
	struct html_look parent = e[-1].look;

	if (e->tag == HTML_SUMMARY && e->summary &&
	    open.reason == HIDDEN_CLOSED) {
		open.reason = HIDDEN_COUNT;
		parent = html_look_inside(&e[-2].look, &open);
	} else if (html_tag_table_parent(e->tag) == 0) {
		parent = around(st, depth - 1);
	}
	return html_look_inside(&parent, &e->own);
}
