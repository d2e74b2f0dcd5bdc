/*
 * review: calls and pieces of content that a person decides about. Believes
 * the broker about what is asked, not that its text is harmless: a terminal
 * takes no order from what is printed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/err.h"
#include "common/limits.h"
#include "executor/command.h"
#include "executor/inert.h"

static const char usage[] =
    "usage: trizone-executor review list [--config FILE] [--json] [STATE]\n"
    "       trizone-executor review list [--config FILE] --feedback\n"
    "       trizone-executor review show [--config FILE] [--json] TICKET\n"
    "       trizone-executor review approve [--config FILE] [--json]\n"
    "              [--again TIME [--any-content]] TICKET CODE\n"
    "       trizone-executor review deny [--config FILE] [--json] TICKET\n"
    "       trizone-executor review done|failed [--config FILE] [--json]\n"
    "              INTENT\n"
    "       trizone-executor review rules [--config FILE] [--json]\n"
    "       trizone-executor review revoke [--config FILE] [--json] RULE\n"
    "TICKET is one that list names, or the handle of suspect content; INTENT\n"
    "is an effect of which nobody knows whether it happened.\n"
    "list     what waits for a person, oldest first; STATE: open, approved,\n"
    "         spent, done, denied, expired, stale, unfinished, closed, unknown\n"
    "         or all;\n"
    "         --feedback: what was decided of suspect content, as lines for\n"
    "         trizone-reader eval --feedback\n"
    "show     all that is known of one, and the code that approving it needs\n"
    "approve  let it happen, once; only root and the reviewer account may.\n"
    "         --again 7d also makes a rule: not to be asked about this\n"
    "         capability, destination and object again for so long (m, h or\n"
    "         d), with the same content or, with --any-content, any\n"
    "deny     let it not happen\n"
    "done     that has happened; failed: it has not. Only root and the reviewer\n"
    "         account may. It goes on record, and nothing is done again by it\n"
    "rules    what is not asked again; revoke: ask again\n";

#define PAGE 100

struct options {
	struct common_options common;
	const char *again;
	bool any_content;
	bool feedback;
};

static int
usage_error(void)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* As common_options; the two of approve besides. */
static bool
read_options(int argc, char **argv, struct options *out, int *status_out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
	    {"again", required_argument, NULL, 'a'},
	    {"receipts", required_argument, NULL, 'r'},
	    {"feedback", no_argument, NULL, 'f'},
	    {"any-content", no_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
	int option;

	*out = (struct options){.common.config = CONFIG_DEFAULT_PATH};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			out->common.config = optarg;
			break;
		case 'j':
			out->common.json = true;
			break;
		case 'r':
			receipt_keep_in(optarg);
			break;
		case 'a':
			out->again = optarg;
			break;
		case 'f':
			out->feedback = true;
			break;
		case 'o':
			out->any_content = true;
			break;
		case 'h':
			fputs(usage, stdout);
			*status_out = EXIT_DONE;
			return false;
		default:
			*status_out = usage_error();
			return false;
		}
	}
	return true;
}

/* "7d" in milliseconds; 0: it is no time, or too long a one. */
static int64_t
read_time(const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);
	int64_t unit = strcmp(end, "d") == 0   ? 24 * 3600000
		       : strcmp(end, "h") == 0 ? 3600000
		       : strcmp(end, "m") == 0 ? 60000
					       : 0;

	if (unit == 0 || number < 1 || number > AGAIN_MAX_MS / unit)
		return 0;
	return number * unit;
}

static struct span
text_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	return json_span(json_get(doc, object, key));
}

static int64_t
number_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	return node == NULL || node->type != JSON_INTEGER ? 0
							  : node->value.integer;
}

static void
print_raw(const struct json_doc *doc, const struct json_node *node)
{
	struct span raw = json_raw(doc, node);

	printf("%.*s\n", (int)raw.n, raw.p);
}

static void
print_text(const struct json_doc *doc, const struct json_node *object,
    const char *key, int width)
{
	struct span text = text_of(doc, object, key);

	print_inert(text);
	for (int i = (int)text.n; i < width; i++)
		putchar(' ');
	putchar(' ');
}

static void
print_ticket(const struct json_doc *doc, const struct json_node *ticket)
{
	char stamp[32];

	format_time(number_of(doc, ticket, "expires_ms"), stamp);
	print_text(doc, ticket, "ticket", 12);
	print_text(doc, ticket, "state", 10);
	print_text(doc, ticket, "capability", 16);
	printf("session %lld, ", (long long)number_of(doc, ticket, "session"));
	printf("until %s, rule ", stamp);
	print_text(doc, ticket, "rule", 0);
	print_text(doc, ticket, "note", 0);
	putchar('\n');
}

static void
print_item(const struct json_doc *doc, const struct json_node *item)
{
	char stamp[32];

	format_time(number_of(doc, item, "arrived_ms"), stamp);
	print_text(doc, item, "handle", 12);
	print_text(doc, item, "state", 10);
	printf("suspect content by ");
	print_text(doc, item, "channel", 0);
	printf("at %s, %lld bytes\n", stamp,
	    (long long)number_of(doc, item, "bytes"));
}

static void
print_unknown(const struct json_doc *doc, const struct json_node *row)
{
	char stamp[32];

	format_time(number_of(doc, row, "time_ms"), stamp);
	print_text(doc, row, "intent", 12);
	print_text(doc, row, "state", 10);
	print_text(doc, row, "capability", 16);
	printf("session %lld, ", (long long)number_of(doc, row, "session"));
	printf("at %s ", stamp);
	if (text_of(doc, row, "destination").n != 0)
		printf("to ");
	print_text(doc, row, "destination", 0);
	print_text(doc, row, "note", 0);
	putchar('\n');
}

/* Rows of a method that pages by "rows" and "after". */
static void
print_rows(struct client *client, enum method method,
    void (*print)(const struct json_doc *doc, const struct json_node *row))
{
	const struct json_node *rows, *at;
	struct client_answer answer;
	struct json_writer *w;
	int64_t after = 0;

	do {
		w = client_begin(client, method);
		json_put_integer(w, "after", after);
		json_put_integer(w, "limit", PAGE);
		ask_or_die(client, &answer);
		rows = json_get(answer.doc, answer.result, "rows");
		for (at = json_first(answer.doc, rows); at != NULL;
		     at = json_next(answer.doc, rows, at))
			print(answer.doc, at);
		after = number_of(answer.doc, answer.result, "after");
	} while (after != 0);
}

/* One page; the last number, 0 when there are no more. */
static int64_t
list_page(struct client *client, const char *state, int64_t after, bool json)
{
	struct json_writer *w = client_begin(client, METHOD_REVIEW_LIST);
	const struct json_node *tickets, *items, *at;
	struct client_answer answer;
	int64_t last = 0, refused;

	if (strcmp(state, "all") != 0)
		json_put_text(w, "state", state);
	json_put_integer(w, "after", after);
	json_put_integer(w, "limit", PAGE);
	ask_or_die(client, &answer);
	tickets = json_get(answer.doc, answer.result, "tickets");
	for (at = json_first(answer.doc, tickets); at != NULL;
	     at = json_next(answer.doc, tickets, at)) {
		if (json)
			print_raw(answer.doc, at);
		else
			print_ticket(answer.doc, at);
		if (ticket_parse(text_of(answer.doc, at, "ticket"), &last) != 0)
			die(EXIT_DATA, "the executor's list has no tickets");
	}
	items = json_get(answer.doc, answer.result, "items");
	for (at = strcmp(state, "waiting") == 0 ? json_first(answer.doc, items)
						: NULL;
	     at != NULL; at = json_next(answer.doc, items, at)) {
		if (json)
			print_raw(answer.doc, at);
		else
			print_item(answer.doc, at);
	}
	refused = number_of(answer.doc, answer.result, "refused");
	if (after == 0 && refused != 0)
		fprintf(stderr,
		    "%lld calls were refused since the start, as too many "
		    "waited\n",
		    (long long)refused);
	return tickets != NULL && tickets->count == PAGE ? last : 0;
}

static int
list(struct client *client, const char *state, bool json)
{
	bool unknown = strcmp(state, "unknown") == 0;
	int64_t after = 0;

	do {
		after = unknown ? 0 : list_page(client, state, after, json);
	} while (after != 0);
	if (unknown || strcmp(state, "waiting") == 0 ||
	    strcmp(state, "all") == 0)
		print_rows(client, METHOD_REVIEW_UNKNOWN,
		    json ? print_raw : print_unknown);
	return EXIT_DONE;
}

/* A card is inert when it comes; a terminal is not left to believe that. */
static void
print_card(struct span card)
{
	struct buf out;
	size_t replaced = 0;

	buf_init(&out, 3u * FRAME_MAX_BYTES);
	inert_add(&out, card, true, &replaced);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

static int
show(struct client *client, const char *handle, bool json)
{
	struct json_writer *w = client_begin(client, METHOD_REVIEW_SHOW);
	struct client_answer answer;
	struct span card, code;

	json_put_text(w, "handle", handle);
	ask_or_die(client, &answer);
	if (json) {
		print_raw(answer.doc, answer.result);
		return EXIT_DONE;
	}
	card = text_of(answer.doc, answer.result, "card");
	code = text_of(answer.doc, answer.result, "code");
	print_card(card);
	/* of content the card says it */
	if (text_of(answer.doc, answer.result, "state").n != 0) {
		printf("state        ");
		print_text(answer.doc, answer.result, "state", 0);
		print_text(answer.doc, answer.result, "note", 0);
		putchar('\n');
	}
	if (code.n != 0) {
		printf("code         ");
		print_inert(code);
		putchar('\n');
	}
	return EXIT_DONE;
}

/* 1 for one that was not done after all: what was asked for has changed. */
static int
print_answer(const struct client_answer *answer, bool json)
{
	struct span state = text_of(answer->doc, answer->result, "state");

	if (json) {
		print_raw(answer->doc, answer->result);
	} else {
		print_text(answer->doc, answer->result, "ticket", 0);
		print_text(answer->doc, answer->result, "handle", 0);
		print_text(answer->doc, answer->result, "state", 0);
		print_text(answer->doc, answer->result, "again", 0);
		print_text(answer->doc, answer->result, "note", 0);
		putchar('\n');
	}
	return span_is(state, "stale") ? EXIT_FOUND : EXIT_DONE;
}

static int
approve(struct client *client, char **argv, const struct options *options)
{
	struct json_writer *w = client_begin(client, METHOD_REVIEW_APPROVE);
	struct client_answer answer;

	json_put_text(w, "handle", argv[0]);
	json_put_text(w, "code", argv[1]);
	if (options->again != NULL)
		json_put_integer(w, "again_ms", read_time(options->again));
	if (options->any_content)
		json_put_boolean(w, "any_content", true);
	ask_or_die(client, &answer);
	return print_answer(&answer, options->common.json);
}

static int
change(struct client *client, enum method method, const char *handle, bool json)
{
	struct json_writer *w = client_begin(client, method);
	struct client_answer answer;

	json_put_text(w, "handle", handle);
	ask_or_die(client, &answer);
	if (method == METHOD_REVIEW_DENY)
		return print_answer(&answer, json);
	print_inert(text_of(answer.doc, answer.result, "rule"));
	puts(" is revoked");
	return EXIT_DONE;
}

static int
settle(
    struct client *client, const char *outcome, const char *intent, bool json)
{
	struct json_writer *w = client_begin(client, METHOD_REVIEW_SETTLE);
	struct client_answer answer;

	json_put_text(w, "handle", intent);
	json_put_text(w, "outcome", outcome);
	ask_or_die(client, &answer);
	if (json) {
		print_raw(answer.doc, answer.result);
		return EXIT_DONE;
	}
	print_inert(text_of(answer.doc, answer.result, "intent"));
	printf(" is settled: %s\n", outcome);
	return EXIT_DONE;
}

static void
print_rule(const struct json_doc *doc, const struct json_node *rule)
{
	const struct json_node *any = json_get(doc, rule, "any_content");
	const struct json_node *arguments = json_get(doc, rule, "arguments");
	char stamp[32];

	format_time(number_of(doc, rule, "expires_ms"), stamp);
	print_text(doc, rule, "rule", 10);
	print_text(doc, rule, "capability", 16);
	printf("for ");
	print_text(doc, rule, "zone", 0);
	printf("until %s, of ", stamp);
	print_text(doc, rule, "ticket", 0);
	printf(
	    "%s\n", any != NULL && any->type == JSON_BOOL && any->value.boolean
			? "with any content"
			: "with this content alone");
	if (arguments != NULL) {
		printf("  ");
		print_inert(json_raw(doc, arguments));
		putchar('\n');
	}
}

static int
rules(struct client *client, bool json)
{
	const struct json_node *list_of, *at;
	struct client_answer answer;

	client_begin(client, METHOD_REVIEW_RULES);
	ask_or_die(client, &answer);
	list_of = json_get(answer.doc, answer.result, "rules");
	for (at = json_first(answer.doc, list_of); at != NULL;
	     at = json_next(answer.doc, list_of, at)) {
		if (json)
			print_raw(answer.doc, at);
		else
			print_rule(answer.doc, at);
	}
	return EXIT_DONE;
}

enum verb { LIST, SHOW, APPROVE, DENY, DONE, FAILED, RULES, REVOKE, VERBS };

static const struct {
	const char *name;
	int least, most; /* arguments besides options */
} verbs[VERBS] = {
    [LIST] = {"list", 0, 1},
    [SHOW] = {"show", 1, 1},
    [APPROVE] = {"approve", 2, 2},
    [DENY] = {"deny", 1, 1},
    [DONE] = {"done", 1, 1},
    [FAILED] = {"failed", 1, 1},
    [RULES] = {"rules", 0, 0},
    [REVOKE] = {"revoke", 1, 1},
};

static enum verb
find_verb(const char *name)
{
	int i = 0;

	while (i < VERBS && strcmp(name, verbs[i].name) != 0)
		i++;
	return (enum verb)i;
}

static int
run(struct client *client, enum verb verb, int count, char **argv,
    const struct options *options)
{
	bool json = options->common.json;

	switch (verb) {
	case LIST:
		if (options->feedback)
			print_rows(client, METHOD_REVIEW_FEEDBACK, print_raw);
		if (options->feedback)
			return EXIT_DONE;
		return list(client, count == 1 ? argv[0] : "waiting", json);
	case SHOW:
		return show(client, argv[0], json);
	case APPROVE:
		return approve(client, argv, options);
	case DENY:
		return change(client, METHOD_REVIEW_DENY, argv[0], json);
	case DONE:
	case FAILED:
		return settle(client, verbs[verb].name, argv[0], json);
	case RULES:
		return rules(client, json);
	default:
		return change(client, METHOD_REVIEW_REVOKE, argv[0], json);
	}
}

/* Options that only approve has, and what they need. */
static bool
options_fit(const struct options *options, enum verb verb)
{
	if (options->feedback && verb != LIST)
		return false;
	if (options->again == NULL)
		return !options->any_content;
	return verb == APPROVE && read_time(options->again) != 0;
}

struct reading {
	const char *path;
	struct config *config;
};

static int
read_config(void *context)
{
	struct reading *r = context;

	r->config = config_or_die(r->path, EXIT_CONFIG);
	return 0;
}

/* Root also approves what the service of another user asks, and reads that
 * user's configuration with no more rights than his. */
static struct config *
config_of_owner(const char *path)
{
	struct reading r = {.path = path};
	struct account owner = {.uid = 0};

	(void)account_owner(path, &owner); /* not there: reading it says so */
	account_as(&owner, read_config, &r);
	return r.config;
}

int
command_review(int argc, char **argv)
{
	enum verb verb = argc > 1 ? find_verb(argv[1]) : VERBS;
	struct options options;
	struct config *config;
	struct client *client;
	int status, count;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (verb == VERBS)
		return usage_error();
	if (!read_options(argc - 1, argv + 1, &options, &status))
		return status;
	count = argc - 1 - optind;
	argv += 1 + optind;
	if (count < verbs[verb].least || count > verbs[verb].most ||
	    !options_fit(&options, verb))
		return usage_error();
	config = config_of_owner(options.common.config);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	status = run(client, verb, count, argv, &options);
	client_close(client);
	config_free(config);
	return status;
}
