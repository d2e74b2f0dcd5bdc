/*
 * Look-up of element names. Pure.
 */
#include "reader/html_tag.h"

#include "reader/html_ascii.h"

#define BLOCK TAG_BLOCK
#define SPECIAL TAG_SPECIAL
#define FORMAT TAG_FORMAT
#define VOID TAG_VOID
#define CLOSE_P TAG_CLOSE_P
#define BARRIER TAG_BARRIER
#define MARKER TAG_MARKER
#define BREAKOUT TAG_BREAKOUT
#define HEADING TAG_HEADING

static const struct {
	const char *name;
	unsigned flags;
} tags[HTML_TAG_COUNT] = {
    {"", 0},
#define TAG(name, text, flags) {text, flags},
#include "reader/html_tag.def"
#undef TAG
};

enum html_tag
html_tag_find(struct span name)
{
	size_t low = 1, high = HTML_TAG_COUNT;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = ascii_order(name, tags[mid].name);

		if (order == 0)
			return (enum html_tag)mid;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return HTML_UNKNOWN;
}

unsigned
html_tag_flags(enum html_tag tag)
{
	return tags[tag].flags;
}

int
html_tag_table_rank(enum html_tag tag)
{
	switch (tag) {
	case HTML_TABLE:
	case HTML_TEMPLATE:
		return 1;
	case HTML_TBODY:
	case HTML_THEAD:
	case HTML_TFOOT:
		return 2;
	case HTML_TR:
		return 3;
	default:
		return 9;
	}
}

int
html_tag_table_parent(enum html_tag tag)
{
	switch (tag) {
	case HTML_TD:
	case HTML_TH:
		return 3;
	case HTML_TR:
		return 2;
	case HTML_TBODY:
	case HTML_THEAD:
	case HTML_TFOOT:
	case HTML_CAPTION:
	case HTML_COLGROUP:
	case HTML_COL:
		return 1;
	default:
		return 0;
	}
}

bool
html_tag_is_root(enum html_tag tag)
{
	return tag == HTML_HTML || tag == HTML_BODY || tag == HTML_HEAD ||
	       tag == HTML_FRAMESET || tag == HTML_FRAME;
}
