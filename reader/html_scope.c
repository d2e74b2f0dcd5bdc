/*
 * Searches down the stack of open elements. Runs in the reader's worker; each
 * costs at most a walk over STACK_DEPTH small entries.
 */
#include "reader/html_scope.h"

static bool
is_barrier(const struct html_kind *e, enum scope scope)
{
	switch (scope) {
	case SCOPE_DEFAULT:
		return (e->flags & TAG_BARRIER) != 0;
	case SCOPE_BUTTON:
		return (e->flags & TAG_BARRIER) != 0 || e->tag == HTML_BUTTON;
	case SCOPE_LIST:
		return (e->flags & TAG_BARRIER) != 0 || e->tag == HTML_OL ||
		       e->tag == HTML_UL;
	case SCOPE_TABLE:
		return e->tag == HTML_TABLE || e->tag == HTML_TEMPLATE;
	case SCOPE_ALL:
		return false;
	}
	return false;
}

size_t
html_scope_find(
    const struct html_stack *st, enum html_tag tag, enum scope scope)
{
	if (st->open[tag] == 0)
		return 0;
	for (size_t i = st->depth; i > 0; i--) {
		const struct html_kind *e = &st->kind[i];

		if (e->tag == tag && e->html)
			return i;
		if (is_barrier(e, scope))
			return 0;
	}
	return 0;
}

size_t
html_scope_heading(const struct html_stack *st)
{
	for (size_t i = st->depth; i > 0; i--) {
		if (st->kind[i].flags & TAG_HEADING)
			return i;
		if (is_barrier(&st->kind[i], SCOPE_DEFAULT))
			return 0;
	}
	return 0;
}
