/*
 * firewall: which hosts an account of this machine may reach.
 */
#include "executor/command_firewall.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} parts[] = {
    {"account", command_firewall_account, "make or remove an account"},
    {"print", command_firewall_print, "what apply loads"},
    {"check", command_firewall_check, "what is wrong, here and in the rules"},
    {"apply", command_firewall_apply, "load the rules of an account"},
    {"confirm", command_firewall_confirm, "keep what apply has loaded"},
    {"test", command_firewall_test, "try the wall from within"},
    {"status", command_firewall_status, "what the kernel has of each account"},
    {"watch", command_firewall_watch, "what accounts tried and were refused"},
};

#define PARTS (sizeof parts / sizeof parts[0])

static int
print_usage(FILE *out, int status)
{
	fputs("usage: trizone-executor firewall COMMAND [OPTION...]\n"
	      "       trizone-executor firewall COMMAND --help\n\n",
	    out);
	for (size_t i = 0; i < PARTS; i++)
		fprintf(out, "  %-8s %s\n", parts[i].name, parts[i].help);
	return status;
}

int
command_firewall(int argc, char **argv)
{
	if (argc < 2)
		return print_usage(stderr, EXIT_USAGE);
	if (strcmp(argv[1], "--help") == 0)
		return print_usage(stdout, EXIT_DONE);
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	return print_usage(stderr, EXIT_USAGE);
}
