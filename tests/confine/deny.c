/*
 * Run a command with some system calls refused, as container engines do, or
 * with "=" all but some, as systemd's SystemCallFilter= does:
 *
 *	deny [=]CALL[,CALL...] COMMAND [ARGUMENT...]
 *
 * "~" does not refuse: the calls do nothing and say they did.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int only = argc > 1 && argv[1][0] == '=';
	int fake = argc > 1 && argv[1][0] == '~';
	scmp_filter_ctx list =
	    seccomp_init(only ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	char *name, *rest;

	if (argc < 3 || list == NULL)
		return 64;
	rest = argv[1] + only + fake;
	while ((name = strsep(&rest, ",")) != NULL) {
		int number = seccomp_syscall_resolve_name(name);

		if (only && number < 0)
			continue; /* of another architecture, or newer */
		if (number == __NR_SCMP_ERROR ||
		    seccomp_rule_add(list,
			only ? SCMP_ACT_ALLOW
			     : SCMP_ACT_ERRNO(fake ? 0 : EPERM),
			number, 0) != 0) {
			fprintf(stderr, "deny: no call %s\n", name);
			return 64;
		}
	}
	if (seccomp_load(list) != 0) {
		perror("deny");
		return 71;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 71;
}
