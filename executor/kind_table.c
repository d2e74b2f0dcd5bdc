/*
 * The table of kinds. No row, no effect. Used by the broker to check arguments
 * and by couriers to perform the one effect they are for; believes the
 * operator's settings and nothing else. Tests that need another link their own
 * (tests/replay).
 */
#include "executor/kind.h"
#include "executor/kind_file.h"
#include "executor/kind_notify.h"

const struct kind kind_table[] = {
    {
	.name = "file",
	.what = "read, list or replace files below one folder",
	.methods = kind_file_methods,
	.method_count = KIND_FILE_METHOD_COUNT,
	.settings_parse = kind_file_settings_parse,
	.settings_free = kind_file_settings_free,
	.settings_print = kind_file_settings_print,
	.effects = kind_file_effects,
	.place = kind_file_place,
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

const size_t kind_count = sizeof kind_table / sizeof kind_table[0];
