/*
 * policy replay: what was decided is decided again under another policy. Runs
 * outside the service as the operator, with his identity; believes of the
 * store what opens with it and what the audit names, and lists the rest as
 * undecidable.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "executor/command.h"
#include "executor/command_policy.h"
#include "executor/replay.h"

const char policy_replay_usage[] =
    "usage: trizone-executor policy replay --candidate FILE --identity FILE\n"
    "           [--config FILE] [--store DIR] [--since TIME] [--json]\n"
    "Decide again what was decided, under the policy in the candidate FILE,\n"
    "and print what would be decided in another way: newly allowed first,\n"
    "then newly asked, newly denied, and what cannot be decided any more.\n"
    "--identity  the age identity of the configuration's audit recipient\n"
    "--store     the folder of segments, else that of the configuration\n"
    "--since     UTC, as 2026-01-02T03:04:05 or the first part of it\n"
    "Exit status: 0 nothing is newly allowed; 1 something is; 65 a part of\n"
    "the store is damaged, or sealed for somebody else; 69 there is no store;\n"
    "77 not permitted; 78 the candidate or the configuration is not good.\n";

struct options {
	const char *candidate, *identity, *config, *store, *since;
	bool json;
};

static bool
read_options(int argc, char **argv, struct options *out, int *status_out)
{
	static const struct option known[] = {
	    {"candidate", required_argument, NULL, 'p'},
	    {"identity", required_argument, NULL, 'i'},
	    {"config", required_argument, NULL, 'c'},
	    {"store", required_argument, NULL, 'd'},
	    {"since", required_argument, NULL, 's'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	*out = (struct options){.config = CONFIG_DEFAULT_PATH};
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			out->candidate = optarg;
			break;
		case 'i':
			out->identity = optarg;
			break;
		case 'c':
			out->config = optarg;
			break;
		case 'd':
			out->store = optarg;
			break;
		case 's':
			out->since = optarg;
			break;
		case 'j':
			out->json = true;
			break;
		default:
			fputs(policy_replay_usage,
			    option == 'h' ? stdout : stderr);
			*status_out = option == 'h' ? EXIT_DONE : EXIT_USAGE;
			return false;
		}
	}
	*status_out = EXIT_USAGE;
	if (optind == argc && out->candidate != NULL && out->identity != NULL)
		return true;
	fputs(policy_replay_usage, stderr);
	return false;
}

/* Of the operator, but not the service's: a draft anywhere will do. */
static struct policy *
read_candidate(const char *path)
{
	struct policy *policy = NULL;
	struct json_error where;
	char reason[1024];
	struct buf text;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		die(EXIT_CONFIG, "%s: %s", path, strerror(errno));
	buf_init(&text, POLICY_MAX_BYTES);
	rc = io_read_all(fd, &text);
	close(fd);
	if (rc != 0)
		die(EXIT_CONFIG, "%s: %s", path, err_text(rc));
	if (policy_parse((struct span){text.data, text.len}, &policy, &where) !=
	    0) {
		config_error_text(path, &where, reason, sizeof reason);
		die(EXIT_CONFIG, "%s", reason);
	}
	buf_free(&text);
	return policy;
}

static char *
store_path(const struct options *options)
{
	struct config *config;
	char *path;

	if (options->store != NULL)
		return alloc_string(options->store);
	config = config_or_die(options->config, EXIT_CONFIG);
	path = alloc_format("%s/" INPUTS_FOLDER, config->audit);
	config_free(config);
	return path;
}

/*
 * Printing.
 */
static void
print_side(const char *verdict, const char *rule)
{
	printf("%s by ", verdict);
	print_inert(span_of(rule));
}

static void
print_change(const struct replay_change *c)
{
	char when[32];

	format_time(c->time_ms, when);
	printf("%-13s %s  record %llu, session %lld, ",
	    replay_class_name(c->group), when, (unsigned long long)c->sequence,
	    (long long)c->session);
	print_inert(span_of(c->capability));
	printf(": ");
	if (c->group == REPLAY_UNDECIDABLE) {
		printf("%s\n", c->reason);
		return;
	}
	print_side(verdict_name(c->was), c->was_rule);
	printf(" -> ");
	print_side(verdict_name(c->now), c->now_rule);
	putchar('\n');
}

static void
print_change_json(const struct replay_change *c)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 65536);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_text(&w, "class", replay_class_name(c->group));
	json_put_integer(&w, "record", (int64_t)c->sequence);
	json_put_integer(&w, "time_ms", c->time_ms);
	json_put_integer(&w, "session", c->session);
	json_put_text(&w, "capability", c->capability);
	if (c->group == REPLAY_UNDECIDABLE) {
		json_put_text(&w, "reason", c->reason);
	} else {
		json_put_text(&w, "was", verdict_name(c->was));
		json_put_text(&w, "was_rule", c->was_rule);
		json_put_text(&w, "now", verdict_name(c->now));
		json_put_text(&w, "now_rule", c->now_rule);
	}
	json_close(&w, '}');
	buf_add_byte(&out, '\n');
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static void
print_changes(const struct replay *r, bool json)
{
	for (int group = 0; group < REPLAY_UNCHANGED; group++)
		for (size_t i = 0; i < r->change_count; i++) {
			if (r->changes[i].group != (enum replay_class)group)
				continue;
			if (json)
				print_change_json(&r->changes[i]);
			else
				print_change(&r->changes[i]);
		}
}

static void
print_sums(const struct replay *r, bool json)
{
	uint64_t all = 0;

	for (int i = 0; i < REPLAY_CLASS_COUNT; i++)
		all += r->counts[i];
	if (json) {
		printf("{\"class\":\"sum\",\"decisions\":%llu",
		    (unsigned long long)all);
		for (int i = 0; i < REPLAY_CLASS_COUNT; i++)
			printf(",\"%s\":%llu",
			    replay_class_name((enum replay_class)i),
			    (unsigned long long)r->counts[i]);
		printf(",\"compared_with_audit\":%s,\"damaged\":%s}\n",
		    r->with_log ? "true" : "false",
		    r->damaged ? "true" : "false");
		return;
	}
	printf("%llu decisions:", (unsigned long long)all);
	for (int i = 0; i < REPLAY_CLASS_COUNT; i++)
		printf("%s %llu %s", i == 0 ? "" : ",",
		    (unsigned long long)r->counts[i],
		    replay_class_name((enum replay_class)i));
	putchar('\n');
	if (r->left_off != 0)
		printf("%llu more are counted, but not listed\n",
		    (unsigned long long)r->left_off);
	if (!r->with_log)
		puts("There is no audit beside the store: rows that are "
		     "missing or were put there do not show.");
}

int
policy_replay_main(int argc, char **argv)
{
	struct options options;
	struct replay replay;
	char reason[1024];
	char *path;
	int status, rc;

	if (!read_options(argc, argv, &options, &status))
		return status;
	path = store_path(&options);
	rc = replay_open(&replay, path, options.identity, options.since, reason,
	    sizeof reason);
	if (rc != 0)
		die(rc == -ERR_PEER    ? EXIT_NOT_PERMITTED
		    : rc == -ERR_RANGE ? EXIT_USAGE
				       : EXIT_UNAVAILABLE,
		    "%s", reason);
	replay.policy = read_candidate(options.candidate);
	replay_run(&replay);
	print_changes(&replay, options.json);
	print_sums(&replay, options.json);
	status = replay.counts[REPLAY_ALLOWED] != 0 ? EXIT_FOUND
		 : replay.damaged		    ? EXIT_DATA
						    : EXIT_DONE;
	replay_close(&replay);
	free(path);
	return status;
}
