/*
 * macOS has no lists of system calls; what it has is Seatbelt (seatbelt.h).
 */
#include "common/call_list.h"
#include "common/err.h"

int
call_list_make(
    const struct lock_profile *profile, bool probed, struct call_list *out)
{
	(void)profile;
	(void)probed;
	*out = (struct call_list){0};
	return -ERR_UNAVAILABLE;
}

int
call_list_last(struct call_list *out)
{
	*out = (struct call_list){0};
	return -ERR_UNAVAILABLE;
}

void
call_list_done(struct call_list *filter)
{
	(void)filter;
}

int
call_list_install(const struct call_list *filter)
{
	(void)filter;
	return 0;
}

void
call_list_catch(void)
{
}
