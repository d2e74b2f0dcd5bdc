/*
 * The schema checker on the public JSON Schema test suite, draft 2020-12.
 *
 *   schema_suite FOLDER
 *
 * FOLDER is the suite's folder of the draft. Every required group is run; so
 * are the optional ones about patterns and about the formats that are asserted.
 * A group may only be left out because of a keyword outside trizone-policy(5),
 * a reference to another document, another draft, or a number that our JSON
 * refuses; each is named with its reason. Exits 1 if another does not load or a
 * test has the wrong answer, 77 if there is no such folder.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "executor/schema.h"

#define SKIPPED 77
#define FILE_MAX (4u << 20)
#define FILES_MAX 256

static const char *const optional[] = {"optional/anchor", "optional/id",
    "optional/no-schema", "optional/bignum", "optional/float-overflow",
    "optional/ecmascript-regex", "optional/non-bmp-regex",
    "optional/refOfUnknownKeyword", "optional/unknownKeyword",
    "optional/dependencies-compatibility", "optional/format/date",
    "optional/format/date-time", "optional/format/email",
    "optional/format/hostname", "optional/format/idn-hostname",
    "optional/format/ipv4", "optional/format/ipv6",
    "optional/format/json-pointer", "optional/format/uri",
    "optional/format/uuid"};

/* What may keep a group out: its error, a part of the reason, and the file,
 * where only that one has such groups. */
static const struct {
	int error;
	const char *reason, *file, *shown;
} excuses[] = {
    {ERR_UNKNOWN_KEY, "schema keyword", NULL, NULL},
    {ERR_RANGE, "$ref \"http", NULL, "$ref to another document"},
    {ERR_RANGE, "$ref \"", "refRemote", "$ref to another document"},
    {ERR_RANGE, "$ref \"", "optional/refOfUnknownKeyword", "$ref to no schema"},
    {ERR_RANGE, "$schema has", NULL, "$schema of another draft"},
    {ERR_RANGE, "format has", "format", "format that is not asserted"},
};

/* The suite takes formats for annotations, which we assert. */
static const char annotations_file[] = "format";

struct run {
	unsigned tests, groups, left_out, wrong;
};

static void
replace_nul(struct buf *text)
{
	/* our JSON has no U+0000: another character, as good for the test */
	for (size_t i = 0; i + 6 <= text->len; i++)
		if (memcmp(text->data + i, "\\u0000", 6) == 0)
			text->data[i + 5] = '1';
}

static bool
read_file(const char *folder, const char *name, struct buf *text)
{
	char path[1024];
	FILE *file;
	size_t n = 1;

	snprintf(path, sizeof path, "%s/%s.json", folder, name);
	file = fopen(path, "rb");
	buf_init(text, FILE_MAX);
	if (file == NULL)
		return false;
	while (n != 0) {
		n = fread(buf_reserve(text, 65536), 1, 65536, file);
		text->len += n;
	}
	fclose(file);
	replace_nul(text);
	return true;
}

static const char *
excuse(const char *file, const struct json_error *where)
{
	if (where->error == 0 && strcmp(file, annotations_file) == 0)
		return "format as an annotation; it is asserted";
	for (size_t i = 0; i < sizeof excuses / sizeof excuses[0]; i++)
		if (where->error == -excuses[i].error &&
		    strstr(where->detail, excuses[i].reason) != NULL &&
		    (excuses[i].file == NULL ||
			strcmp(excuses[i].file, file) == 0))
			return excuses[i].shown == NULL ? where->detail
							: excuses[i].shown;
	return NULL;
}

static struct span
description(const struct json_doc *doc, const struct json_node *of)
{
	return json_get(doc, of, "description")->value.string;
}

static void
run_tests(struct run *run, const struct json_doc *doc, const char *file,
    const struct json_node *group, const struct schema *schema)
{
	const struct json_node *tests = json_get(doc, group, "tests"), *test;
	struct span name = description(doc, group);
	char detail[SCHEMA_DETAIL_BYTES];

	run->groups++;
	for (test = json_first(doc, tests); test != NULL;
	     test = json_next(doc, tests, test)) {
		struct span what = description(doc, test);
		bool valid = json_get(doc, test, "valid")->value.boolean;
		int rc = schema_check(schema, doc, json_get(doc, test, "data"),
		    detail, sizeof detail);

		run->tests++;
		if (rc == (valid ? 0 : -ERR_SCHEMA))
			continue;
		run->wrong++;
		printf("WRONG %s: %.*s: %.*s: %d %s\n", file, (int)name.n,
		    name.p, (int)what.n, what.p, rc, detail);
	}
}

/* A boolean has no object to be compiled from: say the same by `allOf`. */
static int
compile(const struct json_doc *doc, const struct json_node *node,
    struct schema **schema_out, struct json_error *where)
{
	struct json_doc own;
	int rc;

	if (node->type != JSON_BOOL)
		return schema_compile(doc, node, schema_out, where);
	json_init(&own);
	rc = json_parse(&own,
	    node->value.boolean ? SPAN("{\"allOf\":[true]}")
				: SPAN("{\"allOf\":[false]}"),
	    NULL, where);
	if (rc == 0)
		rc = schema_compile(&own, json_root(&own), schema_out, where);
	json_done(&own);
	return rc;
}

static void
run_group(struct run *run, const struct json_doc *doc, const char *file,
    const struct json_node *group)
{
	struct span name = description(doc, group);
	struct schema *schema = NULL;
	struct json_error where = {0};
	const char *why = NULL;
	int rc = compile(doc, json_get(doc, group, "schema"), &schema, &where);

	if (rc != 0 || strcmp(file, annotations_file) == 0) {
		why = excuse(file, &where);
		run->left_out++;
		run->wrong += why == NULL;
		printf("%s %s: %.*s: %s\n", why == NULL ? "WRONG" : "left out",
		    file, (int)name.n, name.p,
		    why == NULL ? where.detail : why);
	} else {
		run_tests(run, doc, file, group, schema);
	}
	schema_free(schema);
}

/* One group as a text of its own, so that a number that our JSON refuses costs
 * no more than its group. */
static void
run_file(struct run *run, const char *folder, const char *file)
{
	static const struct json_limits limits = {
	    .bytes = FILE_MAX, .depth = 64};
	struct json_error where = {0};
	const struct json_node *group;
	struct json_doc doc;
	struct buf text;

	json_init(&doc);
	if (!read_file(folder, file, &text)) {
		printf("left out %s: no such file\n", file);
	} else if (json_parse(&doc, (struct span){text.data, text.len}, &limits,
		       &where) != 0) {
		run->left_out++;
		printf("left out %s: line %u: %s\n", file, where.line,
		    err_text(where.error));
	} else {
		const struct json_node *root = json_root(&doc);

		for (group = json_first(&doc, root); group != NULL;
		     group = json_next(&doc, root, group))
			run_group(run, &doc, file, group);
	}
	json_done(&doc);
	buf_free(&text);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
main(int argc, char **argv)
{
	struct run run = {0};
	char *names[FILES_MAX];
	size_t count = 0;
	struct dirent *entry;
	DIR *dir;

	if (argc != 2)
		errx(64, "usage: schema_suite FOLDER");
	dir = opendir(argv[1]);
	if (dir == NULL) {
		printf("schema_suite: skipped: no folder %s\n", argv[1]);
		return SKIPPED;
	}
	while ((entry = readdir(dir)) != NULL && count < FILES_MAX) {
		char *dot = strstr(entry->d_name, ".json");

		if (dot == NULL)
			continue;
		*dot = '\0';
		names[count++] = strdup(entry->d_name);
	}
	closedir(dir);
	qsort(names, count, sizeof names[0], by_name);
	for (size_t i = 0; i < count; i++) {
		run_file(&run, argv[1], names[i]);
		free(names[i]);
	}
	printf("schema_suite: required: %u tests in %u groups, %u wrong, %u "
	       "left out\n",
	    run.tests, run.groups, run.wrong, run.left_out);
	for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
		run_file(&run, argv[1], optional[i]);
	printf("schema_suite: all: %u tests in %u groups, %u wrong, %u left "
	       "out\n",
	    run.tests, run.groups, run.wrong, run.left_out);
	return run.wrong == 0 && run.tests != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
