/*
 * The system's programs for the firewall. Runs in whoever loads or checks
 * rules, with root's rights; believes nothing of what a program says but its
 * exit status.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/firewall_impl.h"
#include "common/run.h"

#define PATH_BYTES 128
#define LINE_BYTES 120
#define ERRORS_BYTES 16384 /* nobody has that much to say */
#define DEADLINE_MS 30000  /* nft reads full sets, on a busy machine */

/* Never PATH: who sets the environment must not choose the program. */
struct firewall_tools firewall_tools = {run_folders, DEADLINE_MS};

/* The words with the program's path as the first. */
static int
run_at(const char *path, const char *const words[], struct span input,
    struct buf *out, struct buf *errors, int *status_out)
{
	const char *argv[TOOL_WORDS] = {path};

	for (size_t i = 1; i < TOOL_WORDS - 1 && words[i] != NULL; i++)
		argv[i] = words[i];
	return run_program(
	    argv, input, out, errors, firewall_tools.deadline_ms, status_out);
}

/* The first thing it said, or how it ended. */
static void
say_failure(const char *name, const struct buf *errors, int status,
    char *reason, size_t room)
{
	struct span text = {errors->data, errors->len}, line;
	char inert[LINE_BYTES];

	if (firewall_line(&text, &line) && line.n != 0) {
		firewall_inert(line, inert, sizeof inert);
		(void)snprintf(reason, room, "%s: %s", name, inert);
	} else {
		(void)snprintf(
		    reason, room, "%s ended with status %d", name, status);
	}
	if (geteuid() != 0)
		(void)snprintf(reason + strlen(reason), room - strlen(reason),
		    " (we are not root)");
}

int
firewall_tool(const char *const words[], struct span input, struct buf *out,
    char *reason, size_t room)
{
	char path[PATH_BYTES];
	struct buf errors;
	int status = 0, rc;

	if (!run_find(firewall_tools.folders, words[0], path, sizeof path)) {
		(void)snprintf(reason, room, "%s is not installed", words[0]);
		return -ERR_UNAVAILABLE;
	}
	buf_init(&errors, ERRORS_BYTES);
	rc = run_at(path, words, input, out, &errors, &status);
	if (rc == -ERR_DEADLINE)
		(void)snprintf(reason, room, "%s did not end within %d s",
		    words[0], firewall_tools.deadline_ms / 1000);
	else if (rc != 0)
		(void)snprintf(reason, room, "%s: %s", words[0], err_text(rc));
	else if (status != 0)
		say_failure(words[0], &errors, status, reason, room);
	buf_free(&errors);
	return rc == 0 && status == 0 ? 0 : -ERR_UNAVAILABLE;
}
