/*
 * task: the operator's own words for a session. They are read from standard
 * input, as arguments are everybody's to see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"
#include "common/limits.h"
#include "executor/command.h"

static const char usage[] =
    "usage: trizone-executor task [--config FILE] [--json] SESSION < WORDS\n"
    "Give the session of that number (see session list) a task. Values in\n"
    "your words count as yours when the policy asks where a value came from.\n"
    "Exit status: 0 given; 65 no words, not UTF-8 or too many; 64 usage.\n";

static void
read_words(struct buf *words)
{
	int rc;

	buf_init(words, TASK_MAX_BYTES);
	rc = io_read_all(STDIN_FILENO, words);
	if (rc == -ERR_TOO_LARGE)
		die(EXIT_DATA, "a task has at most %d bytes", TASK_MAX_BYTES);
	if (rc != 0)
		die(EXIT_SYSTEM, "standard input: %s", err_text(rc));
	while (words->len > 0 && words->data[words->len - 1] == '\n')
		words->len--;
	if (words->len == 0)
		die(EXIT_DATA, "no words on standard input");
	if (!utf8_check(words->data, words->len) ||
	    memchr(words->data, '\0', words->len) != NULL)
		die(EXIT_DATA, "a task has to be text in UTF-8");
}

int
command_task(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	struct json_writer *w;
	struct buf words;
	char *end;
	long long session;
	int status = EXIT_USAGE;

	if (!common_options(argc, argv, usage, &options, &status))
		return status;
	session = argc - optind == 1 ? strtoll(argv[optind], &end, 10) : 0;
	if (session <= 0 || *end != '\0') {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	read_words(&words);
	config = config_or_die(options.config, EXIT_CONFIG);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	w = client_begin(client, METHOD_TASK);
	json_put_integer(w, "session", session);
	json_put_string(w, "words", (struct span){words.data, words.len});
	ask_or_die(client, &answer);
	if (options.json) {
		struct span raw = json_raw(answer.doc, answer.result);

		printf("%.*s\n", (int)raw.n, raw.p);
	} else {
		print_inert(
		    json_get(answer.doc, answer.result, "task")->value.string);
		putchar('\n');
	}
	client_close(client);
	config_free(config);
	buf_free(&words);
	return EXIT_DONE;
}
