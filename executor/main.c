/*
 * trizone-executor: one binary for the service's roles and the operator's
 * commands.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/start.h"
#include "executor/command.h"
#include "executor/manager.h"
#include "executor/role.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
    {"init", command_init, "write a first configuration, policy and keys"},
    {"check", command_check, "say in words what a configuration means"},
    {"run", command_run, "the service"},
    {"policy", command_policy, "decide again under another policy"},
    {"reload", command_reload, "another policy while it runs"},
    {"firewall", command_firewall, "which hosts an account may reach"},
    {"attach", command_attach, "connect a zone's socket to a command"},
    {"zones", command_zones, "what is configured of each zone, for scripts"},
    {"deliver", command_deliver, "raw bytes on stdin into the spool"},
    {"inbox", command_inbox, "list, show, release, drop what came in"},
    {"review", command_review, "decide about what waits for a person"},
    {"session", command_session, "list planner sessions and their legs"},
    {"task", command_task, "your own words for a session"},
    {"policy", command_policy, "write, lint, explain and test a policy"},
    {"audit", command_audit, "show and verify the audit log"},
    {"backup", command_backup, "audit, inbox and queue into one file"},
    {"restore", command_restore, "put a backup back"},
    {"status", command_status, "what runs"},
    {"doctor", command_doctor, "what is missing and how to mend it"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void
print_usage(FILE *out)
{
	fputs("usage: trizone-executor COMMAND [OPTION...]\n"
	      "       trizone-executor COMMAND --help\n"
	      "       trizone-executor --help | --version\n\n",
	    out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
}

/* The roles get exactly the descriptors they were started with. */
static int
run_role(enum role role)
{
	static int (*const bodies[ROLE_COUNT])(void) = {
	    [ROLE_BROKER] = broker_main,
	    [ROLE_AUDITOR] = auditor_main,
	    [ROLE_COURIER] = courier_main,
	    [ROLE_RESOLVER] = resolver_main,
	    [ROLE_BLOCKED] = listener_main,
	};

	start_process(role_name(role), FD_CONTROL + ROLE_DESCRIPTORS_MAX);
	return bodies[role]();
}

int
main(int argc, char **argv)
{
	enum role role = role_of_arguments(argc, argv);
	bool serves = argc > 1 && strcmp(argv[1], "run") == 0;

	if (role != ROLE_COUNT)
		return run_role(role);
	start_process("executor", manager_begin(serves));
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("trizone-executor " TRIZONE_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "trizone-executor: no such command: %s\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
