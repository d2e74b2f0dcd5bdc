/*
 * run and check: load configuration and policy; serve, or say what they mean.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/err.h"
#include "executor/command.h"
#include "executor/parent.h"

static const char run_usage[] =
    "usage: trizone-executor run [--config FILE]\n"
    "Serve in the foreground until SIGTERM or SIGINT.\n";

static const char check_usage[] =
    "usage: trizone-executor check [--config FILE] [--json]\n"
    "Validate configuration and policy and say in words what they mean.\n"
    "Exit status: 0 good; 78 not, with file, line and column.\n";

int
command_run(int argc, char **argv)
{
	struct common_options options;
	struct setup setup;
	struct parent_setup parent;
	char reason[1024], path[PATH_MAX];
	int status;

	if (!options_only(argc, argv, run_usage, &options, &status))
		return status;
	if (setup_load(options.config, &setup, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	parent = (struct parent_setup){.config = setup.config,
	    .policy = setup.policy,
	    .config_text = {setup.config_text.data, setup.config_text.len},
	    .policy_text = {setup.policy_text.data, setup.policy_text.len},
	    .config_path = realpath(options.config, path)};
	status = parent_run(&parent);
	setup_free(&setup);
	return status;
}

/* A capability that the configuration leaves without a reader. */
static void
warn_of_readers(const struct setup *setup, struct buf *out)
{
	size_t count = policy_capability_count(setup->policy);

	if (config_reader(setup->config, CHANNEL_TEXT) != NULL)
		return;
	for (uint32_t i = 0; i < count; i++) {
		const struct capability *c =
		    policy_capability(setup->policy, i);

		if (c->method->content)
			buf_add_format(out,
			    "warning: every call of %s is refused, as no zone "
			    "reads what it brings back: add \"text\" to the "
			    "channel of a reader\n",
			    c->name);
	}
}

static void
print_meaning(const struct setup *setup, bool json)
{
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	if (json) {
		buf_add_text(&out, "{\"config\":");
		config_print_json(setup->config, &out);
		buf_add_text(&out, ",\"policy\":");
		policy_print_json(setup->policy, &out);
		buf_add_text(&out, "}\n");
	} else {
		config_print(setup->config, &out);
		buf_add_byte(&out, '\n');
		policy_print(setup->policy, &out);
		warn_of_readers(setup, &out);
	}
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

int
command_check(int argc, char **argv)
{
	struct common_options options;
	struct setup setup;
	char reason[1024];
	int status;

	if (!options_only(argc, argv, check_usage, &options, &status))
		return status;
	if (setup_load(options.config, &setup, reason, sizeof reason) != 0) {
		fprintf(stderr, "%s\n", reason);
		return EXIT_CONFIG;
	}
	print_meaning(&setup, options.json);
	setup_free(&setup);
	return EXIT_DONE;
}
