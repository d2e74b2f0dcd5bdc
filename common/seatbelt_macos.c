/*
 * Seatbelt put in force. Runs in every role at its start, on macOS. The
 * functions are in libSystem; Apple's kit declares them as deprecated, or not
 * at all, and has no others for a program without a bundle.
 */
#include "common/seatbelt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/platform.h"

#define TEXT_BYTES ((size_t)64 << 10)
#define NAME_BYTES 16
#define PARAMETERS (2 * (LOCK_PATHS_MAX + 1))

int sandbox_init_with_parameters(const char *profile, uint64_t flags,
    const char *const parameters[], char **error_out);
void sandbox_free_error(char *error);
int sandbox_check(pid_t pid, const char *operation, int type, ...);

/* Names and values by turns, each ours to free; then NULL. */
struct parameters {
	char *words[PARAMETERS + 1];
	size_t count;
};

static void
add(struct parameters *p, const char *name, char *value)
{
	p->words[p->count++] = alloc_string(name);
	p->words[p->count++] = value;
}

static void
free_all(struct parameters *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->words[i]);
}

/* The kernel compares paths without links, such as /private/var. */
static int
fill(struct parameters *p, const struct lock_path *paths, size_t count,
    char *reason, size_t room)
{
	char program[PATH_MAX], name[NAME_BYTES];

	if (platform_program_path(program, sizeof program) != 0) {
		(void)snprintf(reason, room, "where is this program?");
		return -ERR_SYSTEM;
	}
	add(p, SEATBELT_PROGRAM, alloc_string(program));
	for (size_t i = 0; i < count; i++) {
		char *real;

		if (paths[i].shown)
			continue;
		real = realpath(paths[i].path, NULL);
		if (real == NULL) {
			(void)snprintf(
			    reason, room, "no folder %s", paths[i].path);
			return -ERR_SYSTEM;
		}
		(void)snprintf(name, sizeof name, SEATBELT_PATH, i);
		add(p, name, real);
	}
	return 0;
}

static int
put_in_force(
    const char *text, const struct parameters *p, char *reason, size_t room)
{
	char *error = NULL;

	if (sandbox_init_with_parameters(
		text, 0, (const char *const *)p->words, &error) != 0) {
		(void)snprintf(reason, room, "%s",
		    error == NULL ? "refused without a reason" : error);
		if (error != NULL)
			sandbox_free_error(error);
		return -ERR_SYSTEM;
	}
	if (sandbox_check(getpid(), NULL, 0) != 1) {
		(void)snprintf(reason, room,
		    "the system took it, and it is "
		    "not in force");
		return -ERR_SYSTEM;
	}
	return 0;
}

int
seatbelt_apply(const struct lock_profile *profile,
    const struct lock_path *paths, size_t count, char *reason, size_t room)
{
	struct parameters parameters = {.count = 0};
	struct buf text;
	int rc;

	if (count > LOCK_PATHS_MAX)
		bug("%zu folders for one process", count);
	buf_init(&text, TEXT_BYTES);
	seatbelt_text(profile, paths, count, &text);
	buf_add_byte(&text, '\0');
	if (text.overflow)
		bug("a Seatbelt profile is too long");
	rc = fill(&parameters, paths, count, reason, room);
	if (rc == 0)
		rc = put_in_force(text.data, &parameters, reason, room);
	free_all(&parameters);
	buf_free(&text);
	return rc;
}
