/*
 * The table of kinds of the replay's adapter, in the place of
 * executor/kind_table.c.
 */
#include "kind_stub.h"

const struct kind kind_table[] = {
    {
	.name = "stub",
	.what = "nothing; for tests",
	.methods = kind_stub_methods,
	.method_count = 1,
	.settings_parse = kind_stub_settings_parse,
	.settings_free = kind_stub_settings_free,
	.settings_print = kind_stub_settings_print,
	.check = kind_stub_check,
	.effects = kind_stub_effects,
    },
};

const size_t kind_count = sizeof kind_table / sizeof kind_table[0];
