/*
 * Boxes of a fixed height that cut what does not fit: how much text a person
 * can see in them. Runs in the reader's worker; fixed size.
 */
#include "reader/html_ascii.h"
#include "reader/html_render.h"

#define WINDOW 100000	    /* hundredths of a px, where no width is given */
#define LINE_PERMILLE 1150  /* of the font size; the usual height of a line */
#define LINE_PART 350	    /* of a line that must be seen to read it */
#define LETTER_PERMILLE 300 /* of the font size; a narrow letter */

void
render_box_open(struct render *r, const struct html_element *element)
{
	const struct html_own *own = &element->own;
	int64_t font = element->look.font, width;
	struct box *box;

	if ((own->flags & OWN_CUT) == 0 || own->height <= 0 || font <= 0)
		return;
	if (r->boxes++ >= BOXES)
		return;
	box = &r->box[r->boxes - 1];
	width = own->width > 0 ? own->width : WINDOW;
	box->element = element;
	box->begun = false;
	box->lines = ((int64_t)own->height * 1000000 / (font * LINE_PERMILLE) +
			 LINE_PART) /
		     1000;
	if (box->lines < 1)
		box->lines = 1;
	box->bytes = box->lines * (width * 1000 / (font * LETTER_PERMILLE) + 1);
}

void
render_box_close(struct render *r, const struct html_element *element)
{
	if (r->boxes > BOXES) {
		const struct html_own *own = &element->own;

		if ((own->flags & OWN_CUT) != 0 && own->height > 0 &&
		    element->look.font > 0)
			r->boxes--;
	} else if (r->boxes > 0 && r->box[r->boxes - 1].element == element) {
		r->boxes--;
	}
}

/* Line ends that come before or in a text. */
static int64_t
line_ends(const struct render *r, struct span text, bool pre)
{
	int64_t count = (int64_t)r->flow.breaks;

	for (size_t i = 0; pre && i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

bool
render_box_fits(struct render *r, struct span text, bool pre)
{
	int64_t ends;
	bool fits = true;

	if (r->boxes == 0)
		return true;
	if (r->boxes > BOXES)
		return false;
	if (ascii_trim(text).n == 0)
		return true;
	ends = line_ends(r, text, pre);
	for (size_t i = 0; i < r->boxes; i++) {
		struct box *box = &r->box[i];

		if (!box->begun)
			box->lines--;
		else
			box->lines -= ends;
		box->begun = true;
		fits = fits && box->lines >= 0 && box->bytes > 0;
		box->bytes -= (int64_t)text.n;
	}
	return fits;
}
