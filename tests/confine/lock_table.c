/*
 * The table of sanitizer builds and of tests of single layers: it attests
 * "test", which no release program serves or is served by. A program in a
 * folder named "off-LAYER[-LAYER...]" runs without those layers; a shipped
 * program has no such switch, as it is linked with common/lock_table.c.
 */
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/lock.h"

#define ALL UINT32_MAX

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* What the run-time library of a sanitizer calls, each with its reason. */
static const struct call_row sanitizer_calls[] = {
    {"sigaltstack", ALL, CALL_ALWAYS, CALL_ALLOW, "reports have a stack"},
    {"rt_sigaction", ALL, CALL_ALWAYS, CALL_ALLOW, "handlers of reports"},
    {"sched_yield", ALL, CALL_ALWAYS, CALL_ALLOW, "its spin locks"},
    {"sched_getaffinity", ALL, CALL_ALWAYS, CALL_ALLOW, "stack of a thread"},
    {"rt_sigprocmask", ALL, CALL_ALWAYS, CALL_ALLOW, "while it reports"},
    {"getuid", ALL, CALL_ALWAYS, CALL_ALLOW, "names of files of reports"},
    {"getppid", ALL, CALL_ALWAYS, CALL_ALLOW, "the same"},
    {"tgkill", ALL, CALL_ALWAYS, CALL_ALLOW, "abort at the end of a report"},
};

static const struct {
	const char *name;
	uint32_t layer;
} layers[] = {
    {"limits", LAYER_LIMITS},
    {"namespaces", LAYER_NAMESPACES},
    {"root", LAYER_ROOT},
    {"user", LAYER_USER},
    {"capabilities", LAYER_CAPABILITIES},
    {"landlock", LAYER_LANDLOCK},
    {"filter", LAYER_FILTER},
    {"probes", LAYER_PROBES},
};

static uint32_t
layers_of(char *words)
{
	uint32_t off = 0;
	char *word, *rest = words;

	while ((word = strsep(&rest, "-")) != NULL)
		for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
			if (strcmp(word, layers[i].name) == 0)
				off |= layers[i].layer;
	return off;
}

/* Roles have no environment, and only this name in common. */
static uint32_t
layers_off(void)
{
	char path[PATH_MAX], *folder, *end;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return 0;
	path[n] = '\0';
	end = strrchr(path, '/');
	*end = '\0';
	folder = strrchr(path, '/');
	if (folder == NULL || strncmp(folder, "/off-", 5) != 0)
		return 0;
	return layers_of(folder + 5);
}

/* A process that may not be traced cannot look for its own leaks. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

const struct lock_table *
lock_table(void)
{
	static struct lock_table table;

	if (table.profile == NULL) {
		table.profile = "test";
		table.unlimited_memory = SANITIZED;
		table.off = layers_off();
		if (SANITIZED) {
			table.more = sanitizer_calls;
			table.more_count =
			    sizeof sanitizer_calls / sizeof sanitizer_calls[0];
		}
	}
	return &table;
}
