/*
 * policy: what can be done with a policy without a service.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/command.h"

static const char usage[] =
    "usage: trizone-executor policy replay --candidate FILE --identity FILE\n"
    "       trizone-executor policy replay --help\n";

int
command_policy(int argc, char **argv)
{
	bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

	if (argc >= 2 && strcmp(argv[1], "replay") == 0)
		return policy_replay_main(argc - 1, argv + 1);
	fputs(usage, help ? stdout : stderr);
	return help ? EXIT_DONE : EXIT_USAGE;
}
