/*
 * inbox and session: what came in and which planner instances there are. What
 * is shown of an item was cleaned; it is hostile all the same, and printed so
 * that a terminal takes no order from it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/command.h"

static const char inbox_usage[] =
    "usage: trizone-executor inbox list [--config FILE] [--json] [STATE]\n"
    "       trizone-executor inbox show [--config FILE] [--json] HANDLE\n"
    "       trizone-executor inbox release|drop [--config FILE] [--json] HANDLE\n"
    "list     what came in, oldest first; STATE narrows it (new, cleaning,\n"
    "         held, ready, claimed, acted, done, quarantined, interrupted,\n"
    "         dropped)\n"
    "show     one item as the reader cleaned it and what it had hidden; of\n"
    "         one that could not be cleaned the raw beginning, made harmless\n"
    "release  quarantined: clean it again; interrupted: hand it out again\n"
    "drop     erase an item; its hash stays, so that it is not taken twice\n";

static const char session_usage[] =
    "usage: trizone-executor session list [--config FILE] [--json]\n"
    "       trizone-executor session end [--config FILE] [--json] SESSION\n"
    "list: live planner sessions with their legs: A has seen untrusted words,\n"
    "B has seen private data, C has caused an effect outside. And what leaked:\n"
    "what it said outside after that, in words that are not the operator's.\n"
    "end: close its channel and end it, a standing one too; the zone's next has\n"
    "no legs, so first see to it that the zone begins with nothing.\n";

#define PAGE_ITEMS 500

struct place {
	const struct json_doc *doc;
	const struct json_node *object;
};

static struct span
text_of(struct place place, const char *key)
{
	const struct json_node *node = json_get(place.doc, place.object, key);

	if (node == NULL || node->type != JSON_STRING)
		return SPAN("");
	return node->value.string;
}

static int64_t
number_of(struct place place, const char *key)
{
	const struct json_node *node = json_get(place.doc, place.object, key);

	return node == NULL || node->type != JSON_INTEGER ? 0
							  : node->value.integer;
}

static void
print_padded(struct span text, int width)
{
	print_inert(text);
	for (int i = (int)text.n; i < width; i++)
		putchar(' ');
	putchar(' ');
}

static void
print_item_line(struct place item)
{
	char stamp[32];

	format_time(number_of(item, "arrived_ms"), stamp);
	print_padded(text_of(item, "handle"), 8);
	print_padded(text_of(item, "state"), 11);
	print_padded(text_of(item, "channel"), 6);
	printf("%9lld  %s  ", (long long)number_of(item, "bytes"), stamp);
	print_inert(text_of(item, "note"));
	putchar('\n');
}

/* One page of items; returns the last id, 0 when there are no more. */
static int64_t
list_page(struct client *client, const char *state, int64_t after, bool json)
{
	struct json_writer *w = client_begin(client, METHOD_ITEM_LIST);
	struct client_answer answer;
	const struct json_node *items, *item;
	int64_t last = 0;

	if (state != NULL)
		json_put_text(w, "state", state);
	json_put_integer(w, "after", after);
	json_put_integer(w, "limit", PAGE_ITEMS);
	ask_or_die(client, &answer);
	items = json_get(answer.doc, answer.result, "items");
	for (item = json_first(answer.doc, items); item != NULL;
	     item = json_next(answer.doc, items, item)) {
		struct place place = {answer.doc, item};

		if (json) {
			struct span raw = json_raw(answer.doc, item);

			printf("%.*s\n", (int)raw.n, raw.p);
		} else {
			print_item_line(place);
		}
		if (handle_parse(text_of(place, "handle"), &last) != 0)
			die(EXIT_DATA, "the executor's list has no handles");
	}
	return items != NULL && items->count == PAGE_ITEMS ? last : 0;
}

static int
list(struct client *client, const char *state, bool json)
{
	int64_t after = 0;

	if (state != NULL &&
	    inbox_state_find(span_of(state)) == INBOX_STATE_COUNT) {
		fputs(inbox_usage, stderr);
		return EXIT_USAGE;
	}
	do {
		after = list_page(client, state, after, json);
	} while (after != 0);
	return EXIT_DONE;
}

static void
print_field(struct place place, const char *label, const char *key)
{
	printf("%-10s", label);
	print_inert(text_of(place, key));
	putchar('\n');
}

/* Call `print` for each element of an array in `place`. */
static void
print_each(
    struct place place, const char *key, void (*print)(struct place element))
{
	const struct json_node *list = json_get(place.doc, place.object, key);
	const struct json_node *at;

	for (at = json_first(place.doc, list); at != NULL;
	     at = json_next(place.doc, list, at))
		print((struct place){place.doc, at});
}

static void
print_hidden(struct place hidden)
{
	printf("%-10s", "hidden");
	print_inert(text_of(hidden, "reason"));
	printf(": %lld characters in %lld places, not shown\n",
	    (long long)number_of(hidden, "chars"),
	    (long long)number_of(hidden, "runs"));
}

static void
print_attachment(struct place attachment)
{
	printf("%-10s", "attached");
	print_inert(text_of(attachment, "name"));
	printf(" (");
	print_inert(text_of(attachment, "type"));
	printf(", %lld bytes), not opened\n",
	    (long long)number_of(attachment, "bytes"));
}

static void
print_finding(struct place finding)
{
	printf("%-10s", "odd");
	print_inert(finding.object->value.string);
	putchar('\n');
}

/* Nothing where no detector has looked, or it noticed nothing. */
static void
print_injection(struct place message)
{
	struct place in = {
	    message.doc, json_get(message.doc, message.object, "injection")};
	const struct json_node *score = json_get(in.doc, in.object, "score");

	if (score == NULL || !span_is(text_of(in, "verdict"), "suspect"))
		return;
	printf("%-10sit speaks to a model, score ", "suspect");
	print_inert(json_raw(in.doc, score));
	putchar('\n');
}

/* Lines of hostile text, each indented. */
static void
print_lines(struct span text)
{
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct span line = {
		    text.p, end == NULL ? text.n : (size_t)(end - text.p)};
		size_t used = line.n + (end != NULL);

		fputs("  ", stdout);
		print_inert(line);
		putchar('\n');
		text.p += used;
		text.n -= used;
	}
}

static void
print_message(struct place message)
{
	struct place from = {
	    message.doc, json_get(message.doc, message.object, "from")};

	print_field(from, "from", "address");
	print_field(message, "date", "date");
	print_field(message, "subject", "subject");
	print_each(message, "hidden", print_hidden);
	print_each(message, "attachments", print_attachment);
	print_each(message, "findings", print_finding);
	print_injection(message);
	putchar('\n');
	print_lines(text_of(message, "body"));
}

/* The raw beginning of an item that no reader could clean. */
static void
print_raw(struct place item)
{
	struct buf raw;

	buf_init(&raw, FRAME_MAX_BYTES);
	if (base64_decode_add(&raw, text_of(item, "raw")) == 0 && raw.len > 0) {
		printf("raw, the first %zu of %lld bytes:\n", raw.len,
		    (long long)number_of(item, "bytes"));
		print_lines((struct span){raw.data, raw.len});
	}
	buf_free(&raw);
}

static int
show(struct client *client, const char *handle, bool json)
{
	struct json_writer *w = client_begin(client, METHOD_ITEM_SHOW);
	struct client_answer answer;
	struct place item, message;

	json_put_text(w, "handle", handle);
	ask_or_die(client, &answer);
	if (json) {
		struct span raw = json_raw(answer.doc, answer.result);

		printf("%.*s\n", (int)raw.n, raw.p);
		return EXIT_DONE;
	}
	item = (struct place){answer.doc, answer.result};
	print_item_line(item);
	message = (struct place){
	    answer.doc, json_get(answer.doc, answer.result, "message")};
	if (message.object != NULL)
		print_message(message);
	else
		print_raw(item);
	return EXIT_DONE;
}

static void
print_result(const struct client_answer *answer)
{
	struct span raw = json_raw(answer->doc, answer->result);

	printf("%.*s\n", (int)raw.n, raw.p);
}

static int
change(struct client *client, enum method method, const char *handle, bool json)
{
	struct json_writer *w = client_begin(client, method);
	struct client_answer answer;

	json_put_text(w, "handle", handle);
	ask_or_die(client, &answer);
	if (json)
		print_result(&answer);
	else
		printf("%s\n", handle);
	return EXIT_DONE;
}

static bool
inbox_has(const char *what)
{
	static const char *const names[] = {"list", "show", "release", "drop"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(what, names[i]) == 0)
			return true;
	return false;
}

int
command_inbox(int argc, char **argv)
{
	struct common_options options;
	struct config *config;
	struct client *client;
	const char *what = argc > 1 ? argv[1] : "";
	int status = EXIT_USAGE, left;

	if (strcmp(what, "--help") == 0) {
		fputs(inbox_usage, stdout);
		return EXIT_DONE;
	}
	if (argc < 2 || !common_options(argc - 1, argv + 1, inbox_usage,
			    &options, &status)) {
		if (argc < 2)
			fputs(inbox_usage, stderr);
		return status;
	}
	left = argc - 1 - optind;
	argv += 1 + optind;
	if (!inbox_has(what) ||
	    (strcmp(what, "list") == 0 ? left > 1 : left != 1)) {
		fputs(inbox_usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	if (strcmp(what, "list") == 0)
		status = list(client, left == 1 ? argv[0] : NULL, options.json);
	else if (strcmp(what, "show") == 0)
		status = show(client, argv[0], options.json);
	else if (strcmp(what, "release") == 0)
		status =
		    change(client, METHOD_ITEM_RELEASE, argv[0], options.json);
	else
		status =
		    change(client, METHOD_ITEM_DROP, argv[0], options.json);
	client_close(client);
	config_free(config);
	return status;
}

static void
print_leak(struct place leak)
{
	const struct json_node *list;

	if (leak.object == NULL || number_of(leak, "bytes") == 0)
		return;
	list = json_get(leak.doc, leak.object, "destinations");
	printf("  leaked %lld bytes in %lld fields to %u destinations",
	    (long long)number_of(leak, "bytes"),
	    (long long)number_of(leak, "fields"),
	    list == NULL ? 0 : (unsigned)list->count);
}

static void
print_session(struct place session)
{
	const struct json_node *legs =
	    json_get(session.doc, session.object, "legs");
	const struct json_node *leg;
	char stamp[32];

	format_time(number_of(session, "started_ms"), stamp);
	printf("%-8lld ", (long long)number_of(session, "session"));
	print_padded(text_of(session, "zone"), 12);
	print_padded(text_of(session, "mode"), 12);
	printf("%s  legs ", stamp);
	for (leg = json_first(session.doc, legs); leg != NULL;
	     leg = json_next(session.doc, legs, leg))
		print_inert(leg->value.string);
	print_leak((struct place){
	    session.doc, json_get(session.doc, session.object, "leak")});
	putchar('\n');
}

static int
session_end(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	long long session;
	char *end = NULL;
	int status = EXIT_USAGE;

	if (!common_options(argc, argv, session_usage, &options, &status))
		return status;
	session = argc - optind == 1 ? strtoll(argv[optind], &end, 10) : 0;
	if (session <= 0 || *end != '\0') {
		fputs(session_usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	json_put_integer(
	    client_begin(client, METHOD_SESSION_END), "session", session);
	ask_or_die(client, &answer);
	if (options.json)
		print_result(&answer);
	client_close(client);
	config_free(config);
	return EXIT_DONE;
}

int
command_session(int argc, char **argv)
{
	struct common_options options;
	const struct json_node *sessions, *at;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	int status = EXIT_USAGE;

	if (argc >= 2 && strcmp(argv[1], "end") == 0)
		return session_end(argc - 1, argv + 1);
	if (argc < 2 || strcmp(argv[1], "list") != 0) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(session_usage, help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	if (!options_only(argc - 1, argv + 1, session_usage, &options, &status))
		return status;
	config = config_or_die(options.config, EXIT_CONFIG);
	client = connect_or_die(config, SIDE_OPERATOR, "operator", NULL, NULL);
	client_begin(client, METHOD_SESSION_LIST);
	ask_or_die(client, &answer);
	sessions = json_get(answer.doc, answer.result, "sessions");
	for (at = json_first(answer.doc, sessions); at != NULL;
	     at = json_next(answer.doc, sessions, at)) {
		if (options.json) {
			struct span raw = json_raw(answer.doc, at);

			printf("%.*s\n", (int)raw.n, raw.p);
		} else {
			print_session((struct place){answer.doc, at});
		}
	}
	client_close(client);
	config_free(config);
	return EXIT_DONE;
}
