/*
 * Starting roles. Runs in the parent, and for its last function in the new
 * process.
 */
#include "executor/role.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"
#include "common/platform.h"
#include "common/start.h"
#include "executor/order.h"

#define START_MS                                                               \
	10000 /* a new process that does not read by then is broken            \
	       */

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_BROKER] = "broker",
    [ROLE_AUDITOR] = "auditor",
    [ROLE_COURIER] = "courier",
    [ROLE_RESOLVER] = "resolver",
    [ROLE_BLOCKED] = "blocked",
};

const char *
role_name(enum role role)
{
	return role_names[role];
}

/* Put fds[i] at number 3 + i. Each goes above all targets first, so that none
 * is overwritten before it was moved. Only async-signal-safe calls. */
static void
place_descriptors(const int *fds, size_t count)
{
	int moved[ROLE_DESCRIPTORS_MAX];

	for (size_t i = 0; i < count; i++) {
		moved[i] = fcntl(
		    fds[i], F_DUPFD_CLOEXEC, FD_CONTROL + ROLE_DESCRIPTORS_MAX);
		if (moved[i] < 0)
			_exit(EXIT_SYSTEM);
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(moved[i], FD_CONTROL + (int)i) < 0)
			_exit(EXIT_SYSTEM);
}

static void
become(enum role role, const char *program, const int *fds, size_t count)
{
	char title[] = "trizone-executor", flag[] = "--role", name[16];
	char *const argv[] = {title, flag, name, NULL};
	char *const envp[] = {NULL};

	strcpy(name, role_names[role]);
	setsid(); /* an interrupt from a terminal goes to the parent alone */
	place_descriptors(fds, count);
	if (start_without_standard() != 0)
		_exit(EXIT_SYSTEM);
	if (platform_close_from(FD_CONTROL + (int)count) != 0)
		_exit(EXIT_SYSTEM);
	execve(program, argv, envp);
	_exit(EXIT_SYSTEM);
}

static int
write_texts(int fd, const struct span *texts, size_t count)
{
	int rc = 0;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return -ERR_SYSTEM;
	for (size_t i = 0; i < count && rc == 0; i++) {
		uint32_t length = (uint32_t)texts[i].n;

		rc = write_all(fd, &length, sizeof length, START_MS);
		if (rc == 0)
			rc = write_all(fd, texts[i].p, texts[i].n, START_MS);
	}
	return rc;
}

pid_t
role_start(enum role role, const int *fds, size_t fd_count,
    const struct span *texts, size_t text_count)
{
	int all[ROLE_DESCRIPTORS_MAX], text_pipe[2], rc;
	char program[PATH_MAX];
	pid_t pid;

	if (fd_count == 0 || fd_count >= ROLE_DESCRIPTORS_MAX)
		return -ERR_LIMIT;
	if (platform_program_path(program, sizeof program) != 0 ||
	    pipe(text_pipe) != 0)
		return -ERR_SYSTEM;
	all[0] = fds[0];
	all[1] = text_pipe[0];
	memcpy(all + 2, fds + 1, (fd_count - 1) * sizeof fds[0]);
	pid = fork();
	if (pid == 0)
		become(role, program, all, fd_count + 1);
	close(text_pipe[0]);
	rc = pid < 0 ? -ERR_SYSTEM
		     : write_texts(text_pipe[1], texts, text_count);
	close(text_pipe[1]);
	if (rc != 0 && pid > 0)
		kill(pid, SIGKILL); /* the caller reaps it like any other */
	return pid < 0 ? rc : pid;
}

enum role
role_of_arguments(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		for (int i = 0; i < ROLE_COUNT; i++)
			if (strcmp(argv[2], role_names[i]) == 0)
				return (enum role)i;
	return ROLE_COUNT;
}

static void
read_to_end(struct buf *store)
{
	int rc = io_read_all(FD_START, store);

	if (rc != 0)
		die(EXIT_CONFIG, "start texts: %s", err_text(rc));
	close(FD_START);
}

size_t
role_read_texts(struct buf *store, struct span *texts, size_t room)
{
	size_t at = 0, count = 0;

	buf_init(store, (size_t)START_TEXT_MAX_BYTES * 4);
	read_to_end(store);
	while (at < store->len) {
		uint32_t length;

		if (count == room || store->len - at < sizeof length)
			bug("start texts do not fit");
		memcpy(&length, store->data + at, sizeof length);
		at += sizeof length;
		if (length > store->len - at)
			bug("start text is cut");
		texts[count++] = (struct span){store->data + at, length};
		at += length;
	}
	return count;
}
