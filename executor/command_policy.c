/*
 * policy: writes, checks, explains and tries policies. All of it looks at
 * files of the operator's alone, needs no service and changes nothing but what
 * `init` makes. Decisions are decide()'s own.
 */
#include "executor/command_policy.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/command.h"
#include "executor/policy_impl.h"
#include "executor/policy_lint.h"
#include "executor/starter.h"

const char policy_init_usage[] =
    "usage: trizone-executor policy init NAME [--dir DIR]\n"
    "Write DIR/policy.json and DIR/policy-tests.json (DIR: /etc/trizone) to\n"
    "start from. Nothing that exists is overwritten. NAME is mail-triage,\n"
    "telegram-assistant, coding-agent or search-and-file.\n";

const char policy_lint_usage[] =
    "usage: trizone-executor policy lint [--config FILE] [--json] [FILE]\n"
    "What is wrong with a policy that loads: rules that decide nothing or say\n"
    "more than they mean, capabilities nothing can call, guards undone.\n"
    "Exit status: 0 nothing; 1 something; 78 it does not load.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} parts[] = {
    {"init", policy_init_main, policy_init_usage},
    {"lint", policy_lint_main, policy_lint_usage},
    {"explain", policy_explain_main, policy_explain_usage},
    {"test", policy_test_main, policy_test_usage},
    {"replay", policy_replay_main, policy_replay_usage},
};

#define PARTS (sizeof parts / sizeof parts[0])

static int
print_usage(FILE *out, int status)
{
	for (size_t i = 0; i < PARTS; i++)
		fprintf(out, "%s%s", i == 0 ? "" : "\n", parts[i].usage);
	return status;
}

int
command_policy(int argc, char **argv)
{
	if (argc < 2)
		return print_usage(stderr, EXIT_USAGE);
	if (strcmp(argv[1], "--help") == 0)
		return print_usage(stdout, EXIT_DONE);
	for (size_t i = 0; i < PARTS; i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	return print_usage(stderr, EXIT_USAGE);
}

/*
 * Files.
 */
struct policy *
policy_load(const char *path, const char *config)
{
	struct policy *policy = NULL;
	struct json_error where;
	struct buf text;
	char reason[PATH_MAX + 300], *copy;

	if (path == NULL) {
		struct config *c = config_or_die(config, EXIT_CONFIG);

		copy = alloc_string(c->policy);
		config_free(c);
	} else {
		copy = alloc_string(path);
	}
	buf_init(&text, POLICY_MAX_BYTES);
	if (config_read_file(copy, &text, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	if (policy_parse((struct span){text.data, text.len}, &policy, &where) !=
	    0) {
		config_error_text(copy, &where, reason, sizeof reason);
		die(EXIT_CONFIG, "%s", reason);
	}
	buf_free(&text);
	free(copy);
	return policy;
}

void
document_die(const char *name, const struct json_error *where)
{
	char reason[PATH_MAX + 300];

	config_error_text(name, where, reason, sizeof reason);
	die(EXIT_DATA, "%s", reason);
}

void
document_load(const char *path, const char *name, size_t max, struct buf *text,
    struct json_doc *doc)
{
	const struct json_limits limits = {.bytes = max,
	    .depth = policy_text_limits.depth,
	    .nodes = policy_text_limits.nodes};
	char reason[PATH_MAX + 300];
	struct json_error where;
	int rc = 0;

	if (path != NULL) {
		buf_init(text, max);
		rc = config_read_file(path, text, reason, sizeof reason);
	}
	if (rc != 0)
		die(rc == -ERR_CONFIG ? EXIT_CONFIG : EXIT_DATA, "%s", reason);
	json_init(doc);
	if (json_parse(doc, (struct span){text->data, text->len}, &limits,
		&where) != 0)
		document_die(name, &where);
}

/*
 * init
 */
static const struct starter *
starter_find(const char *name)
{
	for (size_t i = 0; i < starter_count; i++)
		if (strcmp(starters[i].name, name) == 0)
			return &starters[i];
	return NULL;
}

static void
refuse_existing(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		die(EXIT_CONFIG,
		    "%s exists: init overwrites nothing; move it away or "
		    "choose another --dir",
		    path);
	if (errno != ENOENT)
		die_errno("%s", path);
}

static void
write_starter(const struct starter *starter, const char *dir)
{
	char *policy = alloc_format("%s/policy.json", dir);
	char *tests = alloc_format("%s/policy-tests.json", dir);

	refuse_existing(policy);
	refuse_existing(tests);
	write_new_file(dir, "policy.json",
	    (struct span){(const char *)starter->policy, starter->policy_bytes},
	    0644);
	write_new_file(dir, "policy-tests.json",
	    (struct span){(const char *)starter->tests, starter->tests_bytes},
	    0644);
	printf("wrote %s and %s\n"
	       "next: put your hosts, addresses and folders into it, then\n"
	       "      trizone-executor policy lint %s\n"
	       "      trizone-executor policy test %s %s\n",
	    policy, tests, policy, policy, tests);
	free(policy);
	free(tests);
}

int
policy_init_main(int argc, char **argv)
{
	static const struct option known[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const struct starter *starter;
	const char *dir = "/etc/trizone";
	int option;

	/* no "+": the name may stand before --dir */
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'd') {
			dir = optarg;
			continue;
		}
		fputs(policy_init_usage, option == 'h' ? stdout : stderr);
		return option == 'h' ? EXIT_DONE : EXIT_USAGE;
	}
	starter = optind + 1 == argc ? starter_find(argv[optind]) : NULL;
	if (starter == NULL) {
		fputs(policy_init_usage, stderr);
		return EXIT_USAGE;
	}
	write_starter(starter, dir);
	return EXIT_DONE;
}

/*
 * lint
 */
struct findings {
	struct json_writer *json; /* NULL: words */
	unsigned count, notes;
};

static void
on_found(void *context, enum lint_code code, const char *rule,
    const char *capability, const char *text)
{
	struct findings *f = context;

	f->count += !lint_is_note(code);
	f->notes += lint_is_note(code);
	if (f->json == NULL) {
		printf("%s %s: ", lint_is_note(code) ? "note " : "found",
		    lint_name(code));
		if (rule != NULL)
			printf("rule %s: ", rule);
		else if (capability != NULL)
			printf("capability %s: ", capability);
		printf("%s\n", text);
		return;
	}
	json_open(f->json, '{');
	json_put_text(f->json, "code", lint_name(code));
	json_put_text(f->json, "level", lint_is_note(code) ? "note" : "found");
	if (rule != NULL)
		json_put_text(f->json, "rule", rule);
	if (capability != NULL)
		json_put_text(f->json, "capability", capability);
	json_put_text(f->json, "text", text);
	json_close(f->json, '}');
}

static unsigned
lint_json(const struct policy *policy)
{
	struct json_writer w;
	struct findings f = {.json = &w};
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_key(&w, "findings");
	json_open(&w, '[');
	policy_lint(policy, on_found, &f);
	json_close(&w, ']');
	json_put_integer(&w, "found", f.count);
	json_put_integer(&w, "notes", f.notes);
	json_close(&w, '}');
	buf_add_byte(&out, '\n');
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
	return f.count;
}

static unsigned
lint_words(const struct policy *policy)
{
	struct findings f = {0};

	policy_lint(policy, on_found, &f);
	printf("%u found, %u notes\n", f.count, f.notes);
	return f.count;
}

int
policy_lint_main(int argc, char **argv)
{
	struct common_options options;
	struct policy *policy;
	unsigned found;
	int status;

	if (!common_options(argc, argv, policy_lint_usage, &options, &status))
		return status;
	if (argc - optind > 1) {
		fputs(policy_lint_usage, stderr);
		return EXIT_USAGE;
	}
	policy = policy_load(argv[optind], options.config);
	found = options.json ? lint_json(policy) : lint_words(policy);
	policy_free(policy);
	return found == 0 ? EXIT_DONE : EXIT_FOUND;
}
