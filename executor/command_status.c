/*
 * status: what runs, as the broker sees it.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/command.h"
#include "executor/metrics.h"

static const char usage[] =
    "usage: trizone-executor status [--config FILE] [--json | --metrics]\n"
    "What runs: zones and their channels, couriers, the inbox, and how each\n"
    "process is locked in. --metrics: in the text format of Prometheus.\n"
    "Exit status: 0 it runs; 75 it does not.\n";

/* One line "label  a=1 b=2" of an object's members. */
static void
print_members(const struct json_doc *doc, const struct json_node *object,
    const char *label)
{
	const struct json_node *key;

	if (object == NULL)
		return;
	printf("%-12s", label);
	for (key = json_first(doc, object); key != NULL;
	     key = json_next(doc, object, key)) {
		struct span raw = json_raw(doc, json_value(key));

		if (json_value(key)->type == JSON_OBJECT)
			continue; /* print_attested has it */
		if (json_value(key)->type == JSON_INTEGER &&
		    json_value(key)->value.integer == 0 && label[0] == 'i')
			continue; /* empty states say nothing */
		print_inert(key->value.string);
		putchar('=');
		print_inert(json_value(key)->type == JSON_STRING
				? json_value(key)->value.string
				: raw);
		putchar(' ');
	}
	putchar('\n');
}

static void
print_list(
    const struct client_answer *answer, const char *key, const char *label)
{
	const struct json_node *list =
	    json_get(answer->doc, answer->result, key);
	const struct json_node *at;

	for (at = json_first(answer->doc, list); at != NULL;
	     at = json_next(answer->doc, list, at))
		print_members(answer->doc, at, label);
}

static int64_t
number_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	return node != NULL && node->type == JSON_INTEGER ? node->value.integer
							  : 0;
}

/* Nobody works there; what waits for it may be late mail. */
static void
print_absent(const struct client_answer *answer)
{
	const struct json_doc *doc = answer->doc;
	const struct json_node *list = json_get(doc, answer->result, "zones");
	const struct json_node *at;
	char time[32];

	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		int64_t since = number_of(doc, at, "absent_ms");

		if (since <= 0)
			continue;
		format_time(since, time);
		fputs("zone ", stdout);
		print_inert(json_span(json_get(doc, at, "zone")));
		printf(" absent since %s: %lld mails wait\n", time,
		    (long long)number_of(doc, at, "waiting"));
	}
}

static void
print_text(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	if (node == NULL)
		return;
	print_inert(node->type == JSON_STRING ? node->value.string
					      : json_raw(doc, node));
}

/* What a process attests, in words; a zone's are its own. */
static void
print_locks(const struct json_doc *doc, const struct json_node *a)
{
	static const char *const members[][2] = {{"user", "uid"},
	    {"calls", "calls"}, {"landlock", "landlock"},
	    {"namespaces", "namespaces"}, {"own root", "own_root"},
	    {"network", "network"}, {"cgroup", "cgroup"}, {"probes", "probes"}};
	const struct json_node *gap = json_get(doc, a, "gap");

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		printf("%s%s ", i == 0 ? "" : ", ", members[i][0]);
		print_text(doc, a, members[i][1]);
	}
	putchar('\n');
	if (gap != NULL && gap->type == JSON_STRING &&
	    gap->value.string.n != 0) {
		printf("%-12s not had: ", "");
		print_inert(gap->value.string);
		putchar('\n');
	}
}

static void
print_attested(const struct client_answer *answer, const char *key,
    const char *name, const char *member)
{
	const struct json_doc *doc = answer->doc;
	const struct json_node *list = json_get(doc, answer->result, key);
	const struct json_node *at;

	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		const struct json_node *a =
		    member == NULL ? at : json_get(doc, at, member);

		if (a == NULL)
			continue;
		printf("locked      ");
		print_text(doc, at, name);
		printf(": ");
		print_locks(doc, a);
	}
}

/* Take "--metrics" out of the arguments; whether it was there. */
static bool
take_metrics(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--metrics") != 0)
			continue;
		memmove(
		    argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof *argv);
		(*argc)--;
		return true;
	}
	return false;
}

static void
print_metrics(const struct client_answer *answer)
{
	struct buf out;

	buf_init(&out, METRICS_MAX_BYTES);
	if (metrics_add(&out, answer->doc, answer->result) != 0)
		die(EXIT_SYSTEM, "the answer is too large");
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static void
print_all(const struct client_answer *answer)
{
	const struct json_doc *doc = answer->doc;

	print_list(answer, "zones", "zone");
	print_absent(answer);
	print_list(answer, "couriers", "courier");
	print_members(doc, json_get(doc, answer->result, "policy"), "policy");
	print_members(doc, json_get(doc, answer->result, "calls"), "calls");
	print_members(doc, json_get(doc, answer->result, "reviews"), "reviews");
	print_members(doc, json_get(doc, answer->result, "audit"), "audit");
	print_members(
	    doc, json_get(doc, answer->result, "decision_inputs"), "replay");
	print_members(doc, json_get(doc, answer->result, "inbox"), "inbox");
	print_attested(answer, "processes", "role", NULL);
	print_attested(answer, "zones", "zone", "attestation");
}

int
command_status(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	bool metrics = take_metrics(&argc, argv);
	int status;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	if (metrics && options.json) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	if (reload_is_alone(config)) {
		puts(options.json ? "{\"zones\":[]}"
				  : "it runs, without zones: see firewall "
				    "status");
		config_free(config);
		return EXIT_DONE;
	}
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	client_begin(client, METHOD_STATUS);
	ask_or_die(client, &answer);
	if (options.json) {
		struct span raw = json_raw(answer.doc, answer.result);

		printf("%.*s\n", (int)raw.n, raw.p);
	} else if (metrics) {
		print_metrics(&answer);
	} else {
		print_all(&answer);
	}
	client_close(client);
	config_free(config);
	return EXIT_DONE;
}
