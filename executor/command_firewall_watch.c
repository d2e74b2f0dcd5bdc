/*
 * firewall watch: what accounts were refused, from the audit, and live. Runs
 * as whoever may read the log; believes nothing of it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_walk.h"
#include "executor/command.h"
#include "executor/command_firewall.h"

#define FOLLOW_MS 200 /* a person does not notice it */
#define CLOCK_AT 11   /* of a record's time: hours, minutes, seconds */
#define CLOCK_BYTES 8

static const char usage[] =
    "usage: trizone-executor firewall watch [--since TIME] [--json]\n"
    "           [--config FILE]\n"
    "What accounts tried and were refused, as it happens: user, address, port\n"
    "and the name that was asked for. --since 5m, 2h, today, or a time as\n"
    "audit show takes it: what is in the audit from then on, and no more.\n"
    "--json: the records of the audit, one a line.\n"
    "Exit status: 0; 69 there is no audit yet; 77 you may not read it.\n";

struct watch {
	struct audit_walk *walk;
	struct json_doc doc;
	bool json;
};

static struct span
text_member(const struct watch *w, const char *key)
{
	const struct json_node *node =
	    json_get(&w->doc, json_root(&w->doc), key);

	if (node == NULL || node->type != JSON_STRING)
		return SPAN("-");
	return node->value.string;
}

static int64_t
number_member(const struct watch *w, const char *key)
{
	const struct json_node *node =
	    json_get(&w->doc, json_root(&w->doc), key);

	return node != NULL && node->type == JSON_INTEGER ? node->value.integer
							  : 0;
}

/* "12:00:01 moltbot tcp 192.0.2.1 443 www.example.com 3 times: why" */
static void
print_words(struct watch *w, const struct audit_item *item)
{
	struct span time = record_time(item->line), name;
	int64_t port, count, left_out;

	if (json_parse(&w->doc, item->record.detail, NULL, NULL) != 0 ||
	    json_root(&w->doc)->type != JSON_OBJECT)
		return;
	port = number_member(w, "port");
	count = number_member(w, "count");
	left_out = number_member(w, "left_out");
	name = text_member(w, "name");
	printf("%.*s ", CLOCK_BYTES, time.p + CLOCK_AT);
	print_inert(text_member(w, "user"));
	putchar(' ');
	print_inert(text_member(w, "protocol"));
	putchar(' ');
	print_inert(text_member(w, "address"));
	if (port != 0)
		printf(" %" PRId64, port);
	if (!span_is(name, "-")) {
		putchar(' ');
		print_inert(name);
	}
	if (count > 1)
		printf(" %" PRId64 " times", count);
	fputs(": ", stdout);
	print_inert(item->record.why);
	if (left_out != 0)
		printf(" (and %" PRId64
		       " more attempts that are not on record)",
		    left_out);
	putchar('\n');
}

static int
print_all(struct watch *w)
{
	struct audit_item item;
	int rc;

	while ((rc = audit_walk_next(w->walk, &item)) == 1) {
		if (w->json)
			printf("%.*s\n", (int)item.line.n, item.line.p);
		else
			print_words(w, &item);
	}
	return fflush(stdout) == 0 ? rc : -ERR_IO;
}

/* False once nobody reads on. */
static bool
wait_more(void)
{
	struct pollfd end = {.fd = STDOUT_FILENO};

	return poll(&end, 1, FOLLOW_MS) <= 0 ||
	       (end.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

static int
follow(struct watch *w, const struct audit_filter *filter, const char *path,
    bool live)
{
	struct audit_walk_options options = {
	    .filter = filter, .use_index = !live};
	int rc = audit_walk_open(path, &options, &w->walk);

	if (rc != 0)
		return rc;
	json_init(&w->doc);
	rc = print_all(w);
	while (rc == 0 && live && wait_more())
		rc = print_all(w);
	if (rc == 0 && !live)
		rc = audit_walk_end(w->walk);
	json_done(&w->doc);
	audit_walk_close(w->walk);
	return rc;
}

static int
status_of(int error, const char *path)
{
	if (error == 0 || error == -ERR_IO)
		return error == 0 ? EXIT_DONE : EXIT_SYSTEM;
	fprintf(stderr, "%s: %s\n", path, err_text(error));
	if (error == -ERR_PEER)
		return EXIT_NOT_PERMITTED;
	return error == -ERR_NOT_FOUND ? EXIT_UNAVAILABLE : EXIT_SYSTEM;
}

/* Take "--since TIME" out of the arguments; NULL: it was not there. */
static const char *
take_since(int *argc, char **argv)
{
	for (int i = 1; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], "--since") != 0)
			continue;
		memmove(argv + i, argv + i + 2,
		    (size_t)(*argc - i - 1) * sizeof *argv);
		*argc -= 2;
		return value;
	}
	return NULL;
}

int
command_firewall_watch(int argc, char **argv)
{
	struct watch watch = {.json = false};
	struct common_options options;
	struct audit_filter filter;
	struct config *config;
	const char *since = take_since(&argc, argv);
	int status;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	audit_filter_init(&filter);
	filter.kind = RECORD_BLOCKED;
	if (audit_time_parse(since == NULL ? "now" : since,
		(uint64_t)clock_utc_ms(), filter.since) != 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	watch.json = options.json;
	status =
	    status_of(follow(&watch, &filter, config->audit, since == NULL),
		config->audit);
	config_free(config);
	return status;
}
