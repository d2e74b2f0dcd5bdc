/*
 * macOS has no lists of system calls; what it has is Seatbelt (seatbelt.h).
 */
#include "common/err.h"
#include "common/filter.h"

int
filter_make(const struct lock_profile *profile, bool probed, struct filter *out)
{
	(void)profile;
	(void)probed;
	*out = (struct filter){0};
	return -ERR_UNAVAILABLE;
}

int
filter_make_last(struct filter *out)
{
	*out = (struct filter){0};
	return -ERR_UNAVAILABLE;
}

void
filter_done(struct filter *filter)
{
	(void)filter;
}

int
filter_install(const struct filter *filter)
{
	(void)filter;
	return 0;
}

void
filter_catch(void)
{
}
