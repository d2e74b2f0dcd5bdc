/*
 * The list of formatting that goes on. Runs in the reader's worker; fixed
 * size, and when it is full it errs on the side of hiding.
 */
#include "reader/html_format.h"

#include <string.h>

#define SAME_MOST 3 /* of equal ones the standard keeps three */

/* How many of this name stand here without any attribute. */
static unsigned
count_bare(
    const struct html_formats *formats, enum html_tag tag, unsigned level)
{
	unsigned count = 0;

	for (size_t i = 0; i < formats->count; i++)
		if (formats->at[i].tag == tag &&
		    formats->at[i].level == level &&
		    (formats->at[i].own.flags & OWN_BARE) != 0)
			count++;
	return count;
}

static void
take_out(struct html_formats *formats, size_t i)
{
	memmove(&formats->at[i], &formats->at[i + 1],
	    (formats->count - i - 1) * sizeof formats->at[0]);
	formats->count--;
}

/* Make room for one: another without styles goes. Without such a one `own` is
 * joined with the last. False if there is no room to be used. */
static bool
make_room(
    struct html_formats *formats, const struct html_own *own, size_t *place)
{
	size_t i = 0;

	formats->lost = true;
	if (html_own_plain(own))
		return false;
	while (i < formats->count && !html_own_plain(&formats->at[i].own))
		i++;
	if (i == formats->count) {
		html_own_merge(&formats->at[i - 1].own, own);
		return false;
	}
	take_out(formats, i);
	if (*place > i)
		--*place;
	return true;
}

void
html_format_keep(struct html_formats *formats, const struct html_format *format,
    size_t place)
{
	if ((format->own.flags & OWN_BARE) != 0 &&
	    count_bare(formats, format->tag, format->level) >= SAME_MOST)
		return;
	if (place > formats->count)
		place = formats->count;
	if (formats->count == FORMATS_MOST &&
	    !make_room(formats, &format->own, &place))
		return;
	memmove(&formats->at[place + 1], &formats->at[place],
	    (formats->count - place) * sizeof formats->at[0]);
	formats->at[place] = *format;
	formats->count++;
}

bool
html_format_forget(
    struct html_formats *formats, enum html_tag tag, unsigned level)
{
	for (size_t i = formats->count; i > 0; i--) {
		const struct html_format *format = &formats->at[i - 1];

		if (format->level != level)
			return false;
		if (format->tag != tag)
			continue;
		if (!formats->lost || html_own_plain(&format->own))
			take_out(formats, i - 1);
		return true;
	}
	return false;
}

void
html_format_drop(struct html_formats *formats, unsigned level)
{
	while (
	    formats->count > 0 && formats->at[formats->count - 1].level > level)
		formats->count--;
}
