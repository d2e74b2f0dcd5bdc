/*
 * policy explain: why a call is decided as it is, or what a whole policy
 * means. The call comes from a file, from the command line as JSON, or in
 * single options; these are put together into the same JSON first, so that
 * there is one way to read a call.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/command.h"
#include "executor/command_policy.h"
#include "executor/policy_call.h"
#include "executor/policy_explain.h"

const char policy_explain_usage[] =
    "usage: trizone-executor policy explain [--config FILE] [--json] [FILE]\n"
    "           what the policy means, as a table\n"
    "       trizone-executor policy explain [--json] [FILE] --call CALL\n"
    "       trizone-executor policy explain [--json] [FILE] --capability NAME\n"
    "           [--arguments JSON] [--zone ZONE] [--legs ABC] [--words TEXT]\n"
    "           [--known VALUE=ORIGIN,...]... [--origins ROLE=ORIGIN,...]...\n"
    "           [--time \"mon 08:30\"] [--used NUMBER]\n"
    "           why a call is decided as it is, and the smallest change that\n"
    "           would alter it; CALL is a file, or JSON that begins with {\n"
    "Exit status: 0 explained; 65 no call; 78 the policy does not load.\n";

#define LISTS_MAX 64u /* --known and --origins on one command line */

struct list_option {
	const char *texts[LISTS_MAX];
	unsigned count;
};

struct explain_options {
	const char *config, *call;
	const char *capability, *arguments, *zone, *legs, *words, *time, *used;
	struct list_option known, origins;
	bool json;
};

enum { OPTION_USED = 1000, OPTION_KNOWN, OPTION_ORIGINS };

static bool
add_list(struct list_option *list, const char *text)
{
	if (list->count == LISTS_MAX || strrchr(text, '=') == NULL)
		return false;
	list->texts[list->count++] = text;
	return true;
}

/* Where a plain option's text goes. */
static const char **
place_of(struct explain_options *o, int option)
{
	switch (option) {
	case 'c':
		return &o->config;
	case 'l':
		return &o->call;
	case 'n':
		return &o->capability;
	case 'a':
		return &o->arguments;
	case 'z':
		return &o->zone;
	case 'L':
		return &o->legs;
	case 'w':
		return &o->words;
	case 't':
		return &o->time;
	case OPTION_USED:
		return &o->used;
	default:
		return NULL;
	}
}

/* False: end with *status_out. */
static bool
read_options(int argc, char **argv, struct explain_options *o, int *status_out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {"call", required_argument, NULL, 'l'},
	    {"capability", required_argument, NULL, 'n'},
	    {"arguments", required_argument, NULL, 'a'},
	    {"zone", required_argument, NULL, 'z'},
	    {"legs", required_argument, NULL, 'L'},
	    {"words", required_argument, NULL, 'w'},
	    {"known", required_argument, NULL, OPTION_KNOWN},
	    {"origins", required_argument, NULL, OPTION_ORIGINS},
	    {"time", required_argument, NULL, 't'},
	    {"used", required_argument, NULL, OPTION_USED},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	bool good = true;

	while (
	    good && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		const char **place = place_of(o, option);

		if (place != NULL)
			*place = optarg;
		else if (option == OPTION_KNOWN)
			good = add_list(&o->known, optarg);
		else if (option == OPTION_ORIGINS)
			good = add_list(&o->origins, optarg);
		else if (option == 'j')
			o->json = true;
		else if (option == 'h') {
			fputs(policy_explain_usage, stdout);
			*status_out = EXIT_DONE;
			return false;
		} else
			good = false;
	}
	*status_out = EXIT_USAGE;
	if (good && argc - optind <= 1 &&
	    (o->call == NULL || o->capability == NULL))
		return true;
	fputs(policy_explain_usage, stderr);
	return false;
}

/*
 * Single options as the JSON of a call.
 */
static void
put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text == NULL)
		return;
	if (!utf8_check(text, strlen(text)))
		die(EXIT_DATA, "--%s is not UTF-8", key);
	json_put_text(w, key, text);
}

/* "operator,party" as a list. */
static void
put_names(struct json_writer *w, const char *key, const char *names)
{
	json_key(w, key);
	json_open(w, '[');
	while (*names != '\0') {
		size_t n = strcspn(names, ",");

		if (!utf8_check(names, n))
			die(EXIT_DATA, "an origin is not UTF-8");
		json_string(w, (struct span){names, n});
		names += n + (names[n] == ',');
	}
	json_close(w, ']');
}

static void
put_legs(struct json_writer *w, const char *legs)
{
	json_key(w, "legs");
	json_open(w, '[');
	for (; *legs != '\0'; legs++)
		if (*legs != ',' && (*legs & 0x80) == 0)
			json_string(w, (struct span){legs, 1});
	json_close(w, ']');
}

static void
put_known(struct json_writer *w, const struct list_option *list)
{
	json_key(w, "known");
	json_open(w, '[');
	for (unsigned i = 0; i < list->count; i++) {
		const char *equals = strrchr(list->texts[i], '=');
		struct span value = {
		    list->texts[i], (size_t)(equals - list->texts[i])};

		if (!utf8_check(value.p, value.n))
			die(EXIT_DATA, "--known is not UTF-8");
		json_open(w, '{');
		json_put_string(w, "value", value);
		put_names(w, "origins", equals + 1);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_origins(struct json_writer *w, const struct list_option *list)
{
	json_key(w, "origins");
	json_open(w, '{');
	for (unsigned i = 0; i < list->count; i++) {
		const char *equals = strrchr(list->texts[i], '=');
		char role[32];

		if (span_copy((struct span){list->texts[i],
				  (size_t)(equals - list->texts[i])},
			role, sizeof role) != 0 ||
		    !utf8_check(role, strlen(role)))
			die(EXIT_DATA, "--origins names no role");
		put_names(w, role, equals + 1);
	}
	json_close(w, '}');
}

static void
write_call(const struct explain_options *o, struct buf *out)
{
	struct json_writer w;

	buf_init(out, CALL_MAX_BYTES);
	json_write_init(&w, out);
	json_open(&w, '{');
	put_text(&w, "capability", o->capability);
	json_put_raw(&w, "arguments",
	    span_of(o->arguments == NULL ? "{}" : o->arguments));
	put_text(&w, "zone", o->zone);
	put_text(&w, "words", o->words);
	put_text(&w, "time", o->time);
	if (o->legs != NULL)
		put_legs(&w, o->legs);
	if (o->known.count != 0)
		put_known(&w, &o->known);
	if (o->origins.count != 0)
		put_origins(&w, &o->origins);
	if (o->used != NULL)
		json_put_raw(&w, "used_hour", span_of(o->used));
	json_close(&w, '}');
	if (out->overflow)
		die(EXIT_DATA, "the call has more than %u bytes",
		    CALL_MAX_BYTES);
}

/* The document of the call, from wherever it is; the name for messages. */
static const char *
load_call(
    const struct explain_options *o, struct buf *text, struct json_doc *doc)
{
	const char *name = o->call == NULL ? "the call" : o->call;

	if (o->call == NULL) {
		write_call(o, text);
		document_load(NULL, name, CALL_MAX_BYTES, text, doc);
	} else if (o->call[0] == '{') {
		name = "--call";
		buf_init(text, CALL_MAX_BYTES);
		if (buf_add_text(text, o->call) != 0)
			die(EXIT_DATA, "--call is too long");
		document_load(NULL, name, CALL_MAX_BYTES, text, doc);
	} else {
		document_load(o->call, name, CALL_MAX_BYTES, text, doc);
	}
	return name;
}

static void
explain_call(const struct policy *policy, const struct explain_options *o,
    struct buf *out)
{
	struct explanation explanation;
	struct policy_call call;
	struct json_error where;
	struct json_doc doc;
	struct buf text;
	const char *name = load_call(o, &text, &doc);

	if (policy_call_read(&doc, json_root(&doc), &call, &where) != 0)
		document_die(name, &where);
	explain(policy, &call.request, &explanation);
	if (o->json)
		explanation_print_json(
		    &explanation, &call.request, policy, out);
	else
		explanation_print(&explanation, &call.request, policy, out);
	explanation_done(&explanation);
	policy_call_done(&call);
	json_done(&doc);
	buf_free(&text);
}

int
policy_explain_main(int argc, char **argv)
{
	struct explain_options o = {.config = CONFIG_DEFAULT_PATH};
	struct policy *policy;
	struct buf out;
	int status;

	if (!read_options(argc, argv, &o, &status))
		return status;
	policy = policy_load(argv[optind], o.config);
	buf_init(&out, (size_t)64 << 20);
	if (o.call != NULL || o.capability != NULL)
		explain_call(policy, &o, &out);
	else if (o.json)
		policy_table_print_json(policy, &out);
	else
		policy_table_print(policy, &out);
	if (o.json)
		buf_add_byte(&out, '\n');
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
	policy_free(policy);
	return EXIT_DONE;
}
