/*
 * Speaks the protocol of a policy replay: JSON lines on stdin, one answer for
 * each on stdout.
 *
 *   adapter RULES TOOLS
 *
 * RULES is a list of rules of a policy (rules.json), TOOLS a tools.json: each
 * tool becomes a capability of kind `stub` with the effects and arguments that
 * are declared for it. Labels and verdicts are the broker's own facts and
 * decide(); nothing here knows a suite, a task or a tool by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "executor/facts.h"
#include "executor/policy.h"

#define FILE_BYTES (4u << 20)
#define LINE_BYTES (8u << 20)

static const struct json_limits limits = {
    .bytes = LINE_BYTES, .depth = 48, .nodes = 1u << 19};

static struct buf rules_text, tools_text;
static struct json_doc tools_doc;

/* The suite under way. */
static struct policy *policy;
static const struct json_node *tools; /* its list in tools_doc */
static struct facts *facts;
static unsigned legs;
static struct span user; /* kept in user_text */
static char user_text[256];

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "adapter: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void
read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (file == NULL)
		fail(path, "cannot be opened");
	buf_init(out, FILE_BYTES);
	do {
		char *room = buf_reserve(out, 65536);

		if (room == NULL)
			fail(path, "is too large");
		got = fread(room, 1, 65536, file);
		out->len += got;
	} while (got > 0);
	fclose(file);
}

static struct span
text_of(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	return node != NULL && node->type == JSON_STRING ? node->value.string
							 : (struct span){0};
}

static bool
is_true(
    const struct json_doc *doc, const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(doc, object, key);

	return node != NULL && node->type == JSON_BOOL && node->value.boolean;
}

/*
 * Tools to capabilities. Tools have any names, capabilities have not: so they
 * are called by their number.
 */
static void
put_effects(struct json_writer *w, const struct json_node *tool)
{
	struct span kind = text_of(&tools_doc, tool, "egress_kind");
	bool destroys = is_true(&tools_doc, tool, "destructive");

	json_key(w, "effects");
	json_open(w, '[');
	if (is_true(&tools_doc, tool, "egress"))
		json_text(w, "leaves");
	if (is_true(&tools_doc, tool, "reads_untrusted"))
		json_text(w, "untrusted");
	if (is_true(&tools_doc, tool, "changes_state") || destroys)
		json_text(w, "changes");
	if (destroys)
		json_text(w, "destroys");
	if (span_is(kind, "share"))
		json_text(w, "shares");
	if (span_is(kind, "transaction"))
		json_text(w, "transacts");
	if (text_of(&tools_doc, tool, "implicit_destination").n != 0)
		json_text(w, "audience");
	json_close(w, ']');
}

/* The kind of thing an id is of: its argument's name without "_id", or
 * nothing. */
static struct span
thing_of(struct span name)
{
	if (span_is(name, "id"))
		return (struct span){0};
	if (name.n > 3 && memcmp(name.p + name.n - 3, "_id", 3) == 0)
		name.n -= 3;
	return name;
}

static void
put_argument(struct json_writer *w, struct span name, struct span role,
    bool first_content)
{
	bool object = span_is(role, "object");

	json_open(w, '{');
	json_put_string(w, "name", name);
	json_put_text(w, "type", object ? "id" : "name");
	if (first_content)
		json_put_text(w, "role", "title");
	else
		json_put_string(w, "role", role);
	if (object)
		json_put_string(w, "what", thing_of(name));
	json_close(w, '}');
}

/* Of content, the first is what a new thing is called. */
static void
put_arguments(struct json_writer *w, const struct json_node *tool)
{
	const struct json_node *roles =
	    json_get(&tools_doc, tool, "argument_roles");
	const struct json_node *key;
	bool had_content = false;

	json_key(w, "arguments");
	json_open(w, '[');
	for (key = json_first(&tools_doc, roles); key != NULL;
	     key = json_next(&tools_doc, roles, key)) {
		struct span role = json_value(key)->value.string;
		bool content = span_is(role, "content");

		put_argument(
		    w, key->value.string, role, content && !had_content);
		had_content |= content;
	}
	json_close(w, ']');
}

static void
put_tool(struct json_writer *w, const struct json_node *tool, unsigned number)
{
	struct span leaves_if = text_of(&tools_doc, tool, "egress_if");
	char name[32];

	snprintf(name, sizeof name, "tool-%u", number);
	json_open(w, '{');
	json_put_text(w, "name", name);
	json_put_text(w, "kind", "stub");
	json_put_text(w, "method", "call");
	json_put_text(w, "why", "as it is declared");
	json_key(w, "settings");
	json_open(w, '{');
	put_effects(w, tool);
	if (leaves_if.n != 0)
		json_put_string(w, "leaves_if", leaves_if);
	put_arguments(w, tool);
	json_close(w, '}');
	json_close(w, '}');
}

static void
load_suite(struct span suite)
{
	char *name = alloc_text(suite.p, suite.n);
	const struct json_node *node =
	    json_get(&tools_doc, json_root(&tools_doc), name);
	struct json_error where;
	struct json_writer w;
	struct buf text;
	unsigned number = 0;
	char reason[256];

	if (node == NULL)
		fail(name, "no such suite in the tools");
	tools = json_get(&tools_doc, node, "tools");
	buf_init(&text, POLICY_MAX_BYTES);
	json_write_init(&w, &text);
	json_open(&w, '{');
	json_put_integer(&w, "version", 1);
	json_key(&w, "capabilities");
	json_open(&w, '[');
	for (node = json_first(&tools_doc, tools); node != NULL;
	     node = json_next(&tools_doc, tools, node))
		put_tool(&w, node, number++);
	json_close(&w, ']');
	json_put_raw(
	    &w, "rules", (struct span){rules_text.data, rules_text.len});
	json_close(&w, '}');
	policy_free(policy);
	policy = NULL;
	if (policy_parse((struct span){text.data, text.len}, &policy, &where) !=
	    0) {
		json_error_text(&where, reason, sizeof reason);
		fail("policy", reason);
	}
	buf_free(&text);
	free(name);
}

/* The tool of that name and its number; NULL if there is none. */
static const struct json_node *
tool_find(struct span name, unsigned *number_out)
{
	const struct json_node *node;

	*number_out = 0;
	for (node = json_first(&tools_doc, tools); node != NULL;
	     node = json_next(&tools_doc, tools, node), ++*number_out)
		if (span_equal(text_of(&tools_doc, node, "name"), name))
			return node;
	return NULL;
}

static void
start(const struct json_doc *doc, const struct json_node *line)
{
	struct span me = text_of(doc, line, "user");

	load_suite(text_of(doc, line, "suite"));
	facts_clear(facts);
	legs = 0;
	if (span_copy(me, user_text, sizeof user_text) != 0)
		fail("user", "has too long a name");
	user = span_of(user_text);
	if (facts_add_words(facts, text_of(doc, line, "prompt")) != 0)
		fail("prompt", "is too long");
	facts_add(facts, VALUE_NAME, user, ORIGIN_SELF);
}

static enum verdict
ask(const struct json_doc *doc, const struct json_node *call)
{
	struct decide_request request = {
	    .doc = doc,
	    .arguments = json_get(doc, call, "arguments"),
	    .zone = SPAN("planner"),
	    .legs = legs,
	    .facts = facts,
	};
	struct decision decision;
	unsigned number;
	char name[32];

	if (tool_find(text_of(doc, call, "tool"), &number) == NULL)
		return VERDICT_DENY;
	snprintf(name, sizeof name, "tool-%u", number);
	request.capability = span_of(name);
	decide(policy, &request, &decision);
	if (getenv("REPLAY_TRACE") != NULL)
		fprintf(stderr, "%s %s: %.*s\n", decision.rule,
		    verdict_name(decision.verdict), (int)json_raw(doc, call).n,
		    json_raw(doc, call).p);
	return decision.verdict;
}

/*
 * What a call brought back. Its structured side is what a connector knows:
 * who wrote it, who has part in it, what it is called.
 */

/* An account of a closed place, or an address of the operator's own domain:
 * somebody vouches for these. Any other address can be anybody's. */
static bool
is_vouched(struct span author)
{
	const char *at = author.n == 0 ? NULL : memchr(author.p, '@', author.n);
	const char *own = memchr(user.p, '@', user.n);
	size_t n = at == NULL ? 0 : author.n - (size_t)(at - author.p);

	if (at == NULL)
		return author.n != 0;
	return own != NULL && user.n - (size_t)(own - user.p) == n &&
	       memcmp(at, own, n) == 0;
}

static bool
is_alone(const struct json_doc *doc, const struct json_node *item)
{
	const struct json_node *list = json_get(doc, item, "parties"), *node;

	if (list == NULL || list->type != JSON_ARRAY)
		return false;
	for (node = json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node))
		if (node->type != JSON_STRING ||
		    !span_equal(node->value.string, user))
			return false;
	return true;
}

static void
observe_person(struct span who)
{
	if (who.n != 0)
		facts_add(facts, VALUE_NAME, who,
		    is_vouched(who) ? ORIGIN_PARTY | ORIGIN_VERIFIED
				    : ORIGIN_PARTY);
}

static void
observe_item(const struct json_doc *doc, const struct json_node *item)
{
	const struct json_node *list = json_get(doc, item, "parties"), *node;
	const struct json_node *id = json_get(doc, item, "id");
	struct span author = text_of(doc, item, "author");

	observe_person(author);
	if (list != NULL && list->type == JSON_ARRAY)
		for (node = json_first(doc, list); node != NULL;
		     node = json_next(doc, list, node))
			if (node->type == JSON_STRING)
				observe_person(node->value.string);
	if (id == NULL || id->type == JSON_NULL)
		return;
	facts_add_object(facts, text_of(doc, item, "type"),
	    id->type == JSON_STRING ? id->value.string : json_raw(doc, id),
	    text_of(doc, item, "name"),
	    is_true(doc, item, "own") && is_alone(doc, item));
}

/* Whether the operator's words say where to look. */
static bool
is_pointed_at(const struct json_doc *doc, const struct json_node *call,
    const struct json_node *tool)
{
	const struct json_node *roles =
	    json_get(&tools_doc, tool, "argument_roles");
	const struct json_node *arguments = json_get(doc, call, "arguments");
	const struct json_node *key;
	bool pointed = false;

	for (key = json_first(&tools_doc, roles); key != NULL;
	     key = json_next(&tools_doc, roles, key)) {
		char *name;
		struct span value;

		if (!json_is_string(json_value(key), "selector"))
			continue;
		name = alloc_text(key->value.string.p, key->value.string.n);
		value = text_of(doc, arguments, name);
		free(name);
		if (value.n == 0)
			continue;
		if ((facts_origins(facts, VALUE_NAME, (struct span){0}, value) &
			(ORIGIN_OPERATOR | ORIGIN_SELF)) == 0)
			return false;
		pointed = true;
	}
	return pointed;
}

static bool
all_vouched(const struct json_doc *doc, const struct json_node *items)
{
	const struct json_node *node;

	for (node = json_first(doc, items); node != NULL;
	     node = json_next(doc, items, node))
		if (!is_vouched(text_of(doc, node, "author")))
			return false;
	return items->count != 0;
}

static void
observe(const struct json_doc *doc, const struct json_node *line)
{
	const struct json_node *call = json_get(doc, line, "call");
	const struct json_node *items = json_get(doc, line, "items");
	const struct json_node *result = json_get(doc, line, "result");
	const struct json_node *tool, *node;
	unsigned number, origins = ORIGIN_PROSE;

	tool = tool_find(text_of(doc, call, "tool"), &number);
	if (tool == NULL || items == NULL || items->type != JSON_ARRAY)
		fail("observe", "no such tool, or no items");
	if (is_true(&tools_doc, tool, "reads_untrusted"))
		legs |= LEG_A;
	if (all_vouched(doc, items) && is_pointed_at(doc, call, tool))
		origins |= ORIGIN_CITED;
	for (node = json_first(doc, items); node != NULL;
	     node = json_next(doc, items, node))
		observe_item(doc, node);
	if (result == NULL)
		return;
	for (node = result; node < doc->nodes + result->next; node++)
		if (node->type == JSON_STRING)
			facts_add_prose(facts, node->value.string, origins);
}

static void
answer(const struct json_doc *doc)
{
	const struct json_node *line = json_root(doc);
	struct span op = text_of(doc, line, "op");

	if (span_is(op, "decide")) {
		printf("{\"decision\":\"%s\"}\n",
		    verdict_name(ask(doc, json_get(doc, line, "call"))));
	} else {
		if (span_is(op, "start"))
			start(doc, line);
		else if (span_is(op, "observe"))
			observe(doc, line);
		else
			fail("op", "start, decide or observe");
		puts("{\"ok\":true}");
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static char *line;
	static size_t room;
	struct json_doc doc;
	ssize_t length;

	if (argc != 3)
		fail("usage", "adapter RULES TOOLS");
	read_file(argv[1], &rules_text);
	read_file(argv[2], &tools_text);
	json_init(&tools_doc);
	if (json_parse(&tools_doc,
		(struct span){tools_text.data, tools_text.len}, &limits,
		NULL) != 0)
		fail(argv[2], "is no JSON");
	facts = facts_new();
	json_init(&doc);
	while ((length = getline(&line, &room, stdin)) > 0) {
		if (json_parse(&doc, (struct span){line, (size_t)length},
			&limits, NULL) != 0)
			fail("stdin", "a line is no JSON");
		answer(&doc);
	}
	json_done(&doc);
	json_done(&tools_doc);
	facts_free(facts);
	policy_free(policy);
	free(line);
	buf_free(&rules_text);
	buf_free(&tools_text);
	return EXIT_SUCCESS;
}
