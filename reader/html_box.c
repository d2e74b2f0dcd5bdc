/*
 * Boxes that cut what does not fit: how much text a person can see in them.
 * Runs in the reader's worker; fixed size.
 */
#include "reader/html_ascii.h"
#include "reader/html_render.h"

#define ENDLESS (INT64_C(1) << 40)
#define LINE_PERMILLE 1150  /* of the font size; the usual height of a line */
#define LETTER_PERMILLE 300 /* of the font size; a narrow letter */
#define PART_PERMILLE 650   /* of a line that must be seen to read it */

/* Whether an element is such a box: its height is fixed, or its lines are not
 * broken. One of a fixed height may be cut by another around it, unless it
 * grows with its contents as parts of tables do. */
static bool
is_box(const struct html_element *element)
{
	const struct html_own *own = &element->own;

	if (element->look.font <= 0)
		return false;
	if ((own->flags & OWN_CUT) != 0)
		return own->height > 0 || own->lines > 0 ||
		       element->look.nowrap;
	return element->look.cut && own->height > 0 &&
	       (element->flags & TAG_BLOCK) != 0 &&
	       element->tag != HTML_TABLE &&
	       html_tag_table_parent(element->tag) == 0;
}

void
render_box_open(struct render *r, const struct html_element *element)
{
	const struct html_own *own = &element->own;
	int64_t font = element->look.font;
	struct box *box;

	render_box_take(r, own->down > 0 ? own->down : 0, 0);
	if (own->height > font * 2)
		render_box_take(r, own->height - font * 2, 0);
	if (!is_box(element))
		return;
	if (r->boxes++ >= BOXES)
		return;
	box = &r->box[r->boxes - 1];
	*box = (struct box){.element = element,
	    .height = own->height > 0 ? own->height : ENDLESS,
	    .line = font * LINE_PERMILLE / 1000 + 1,
	    .wraps = !element->look.nowrap};
	if (own->lines > 0)
		box->height = box->line * own->lines;
	if (box->height < box->line)
		box->height = box->line;
	if (element->tag == HTML_DETAILS)
		box->height -= box->line; /* its own summary */
	box->line_bytes = (own->width > 0 ? own->width : WINDOW) * 1000 /
			      (font * LETTER_PERMILLE) +
			  1;
	box->bytes = box->line_bytes;
}

void
render_box_close(struct render *r, const struct html_element *element)
{
	if (r->boxes > BOXES)
		r->boxes -= is_box(element);
	else if (r->boxes > 0 && r->box[r->boxes - 1].element == element)
		r->boxes--;
}

void
render_box_take(struct render *r, int64_t height, unsigned lines)
{
	for (size_t i = 0; i < r->boxes && i < BOXES; i++) {
		struct box *box = &r->box[i];

		if (lines > 0 && box->begun && r->flow.breaks == 0)
			continue; /* it ends a line that is counted */
		box->height -= height + lines * box->line;
	}
}

static void
begin_line(struct box *box)
{
	if (box->begun)
		box->height -= box->line;
	box->begun = true;
	box->bytes = box->line_bytes;
}

/* Take the room of a text in one line, or in as many as it needs. */
static bool
take_text(struct box *box, int64_t bytes)
{
	bool seen = box->bytes > 0;

	box->bytes -= bytes;
	if (box->wraps && box->bytes <= 0) {
		int64_t lines = -box->bytes / box->line_bytes + 1;

		box->height -= lines * box->line;
		box->bytes += lines * box->line_bytes;
		seen = true;
	}
	return seen;
}

static bool
fits(struct box *box, const struct render *r, struct span text, bool pre)
{
	bool room = true;

	if (!box->begun || r->flow.breaks > 0)
		begin_line(box);
	for (size_t i = 0; pre && i < text.n; i++)
		if (text.p[i] == '\n')
			begin_line(box);
	room = box->height * 1000 >= box->line * PART_PERMILLE;
	return take_text(box, (int64_t)text.n) && room;
}

bool
render_box_fits(struct render *r, struct span text, bool pre)
{
	bool all = true;

	if (r->boxes == 0)
		return true;
	if (r->boxes > BOXES)
		return false;
	if (ascii_trim(text).n == 0)
		return true;
	for (size_t i = 0; i < r->boxes; i++)
		all = fits(&r->box[i], r, text, pre) && all;
	return all;
}
