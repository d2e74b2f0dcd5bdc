/*
 * macOS is no guest: its machines start Linux.
 */
#include "common/guest.h"

#include <string.h>

#include "common/err.h"

bool
guest_is_asked(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "guest") == 0;
}

void
guest_begin(void)
{
	die(EXIT_UNAVAILABLE, "guest: only as the first process of a Linux "
			      "machine");
}

_Noreturn void
guest_run(int (*run)(int argc, char **argv), int argc, char **argv)
{
	(void)run;
	(void)argc;
	(void)argv;
	bug("a guest on macOS");
}
