/*
 * status: what runs, as the broker sees it.
 */
#include <getopt.h>
#include <stdio.h>

#include "common/err.h"
#include "executor/command.h"

static const char usage[] =
    "usage: trizone-executor status [--config FILE] [--json]\n"
    "What runs: zones and their channels, couriers, the inbox, and what the\n"
    "broker really achieved in locking itself.\n"
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

int
command_status(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	int status;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	config = config_or_die(options.config, EXIT_CONFIG);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	client_begin(client, METHOD_STATUS);
	ask_or_die(client, &answer);
	if (options.json) {
		struct span raw = json_raw(answer.doc, answer.result);

		printf("%.*s\n", (int)raw.n, raw.p);
	} else {
		print_list(&answer, "zones", "zone");
		print_list(&answer, "couriers", "courier");
		print_members(answer.doc,
		    json_get(answer.doc, answer.result, "inbox"), "inbox");
		print_members(answer.doc,
		    json_get(answer.doc, answer.result, "attestation"),
		    "locked");
	}
	client_close(client);
	config_free(config);
	return EXIT_DONE;
}
