/*
 * reload: rules, schemas, limits and reasons anew, while the service runs.
 */
#include <stdio.h>

#include "common/err.h"
#include "executor/command.h"

#define RELOAD_MS 60000 /* more than the parent takes at the longest */

static const char usage[] =
    "usage: trizone-executor reload [--config FILE] [--json]\n"
    "Have the running service read its policy anew: rules, argument schemas,\n"
    "limits, floor and reasons. Anything else needs a restart. If it cannot\n"
    "be taken, the policy that was in force stays.\n"
    "Exit status: 0 it is in force; 69 it needs a restart; 75 no service, or\n"
    "it is busy; 78 the file is not good.\n";

static int
refused(const struct client_answer *answer)
{
	fputs("not reloaded: ", stderr);
	fprintf(stderr, "%.*s\n", (int)answer->text.n, answer->text.p);
	switch (-answer->error) {
	case ERR_CONFIG:
		return EXIT_CONFIG;
	case ERR_BUSY:
		return EXIT_TEMPORARY;
	default:
		return EXIT_UNAVAILABLE;
	}
}

static void
print_taken(const struct client_answer *answer, bool json)
{
	const struct json_node *hash =
	    json_get(answer->doc, answer->result, "sha256");
	struct span raw = json_raw(answer->doc, answer->result);

	if (json)
		printf("%.*s\n", (int)raw.n, raw.p);
	else if (hash != NULL && hash->type == JSON_STRING)
		printf("in force: policy with sha256 %.*s\n",
		    (int)hash->value.string.n, hash->value.string.p);
}

int
command_reload(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	int status, rc;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	config = config_or_die(options.config, EXIT_CONFIG);
	if (reload_is_alone(config)) {
		status = reload_alone(config, options.json);
		config_free(config);
		return status;
	}
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	client_begin(client, METHOD_POLICY_RELOAD);
	rc = client_ask(client, RELOAD_MS, &answer);
	if (rc != 0)
		die(EXIT_TEMPORARY, "no answer: %s", err_text(rc));
	if (answer.result == NULL)
		status = refused(&answer);
	else {
		receipt_keep(&answer);
		print_taken(&answer, options.json);
		status = EXIT_DONE;
	}
	client_close(client);
	config_free(config);
	return status;
}
