/*
 * The list of kinds. No row, no effect. Used by the broker to check arguments
 * and by couriers to perform the one effect they are for; believes the
 * operator's settings and nothing else.
 */
#include "executor/kind.h"

#include <stdio.h>

#include "common/err.h"
#include "executor/kind_file.h"
#include "executor/kind_notify.h"

static const struct kind kinds[] = {
    {
	.name = "file",
	.what = "read, list or replace files below one folder",
	.methods = kind_file_methods,
	.method_count = KIND_FILE_METHOD_COUNT,
	.settings_parse = kind_file_settings_parse,
	.settings_free = kind_file_settings_free,
	.settings_print = kind_file_settings_print,
	.check = kind_file_check,
	.content_max = kind_file_content_max,
	.open = kind_file_open,
	.paths = kind_file_paths,
	.run = kind_file_run,
    },
    {
	.name = "notify",
	.what = "tell a person something, in a file or the system log",
	.methods = kind_notify_methods,
	.method_count = KIND_NOTIFY_METHOD_COUNT,
	.settings_parse = kind_notify_settings_parse,
	.settings_free = kind_notify_settings_free,
	.settings_print = kind_notify_settings_print,
	.check = kind_notify_check,
	.open = kind_notify_open,
	.paths = kind_notify_paths,
	.run = kind_notify_run,
    },
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

int
kind_arguments_read(const struct json_doc *doc,
    const struct json_node *arguments, const struct json_field *fields,
    size_t count, void *out, char *detail, size_t detail_room)
{
	struct json_error where;
	int rc = json_read(doc, arguments, fields, count, out, &where);

	if (rc == 0)
		return 0;
	if (rc == -ERR_UNKNOWN_KEY) /* its detail is the hostile key */
		where.detail[0] = '\0';
	snprintf(detail, detail_room, "%s%s%s", err_text(rc),
	    where.detail[0] == '\0' ? "" : ": ", where.detail);
	return -ERR_SCHEMA;
}

const struct kind *
kind_find(struct span name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (span_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

const struct kind_method *
kind_method_find(const struct kind *kind, struct span name)
{
	for (size_t i = 0; i < kind->method_count; i++)
		if (span_is(name, kind->methods[i].name))
			return &kind->methods[i];
	return NULL;
}

const struct kind *
kind_all(size_t *count_out)
{
	*count_out = KIND_COUNT;
	return kinds;
}
