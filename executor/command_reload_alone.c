/*
 * reload, for a service without zones: it has no socket, so it is sent a
 * signal, and the audit tells what became of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_walk.h"
#include "executor/command.h"
#include "executor/parent_files.h"
#include "proto/endpoint.h"

#define WAIT_MS 30000
#define LOOK_MS 50
#define PID_BYTES 32

pid_t
service_find(const struct config *config)
{
	char *path = alloc_format("%s/lock", config->state);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[PID_BYTES] = "";
	bool is_held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
	long pid = 0;

	if (is_held && read(fd, text, sizeof text - 1) > 0)
		pid = strtol(text, NULL, 10);
	if (fd >= 0)
		close(fd);
	free(path);
	return pid > 1 ? (pid_t)pid : 0;
}

bool
reload_is_alone(const struct config *config)
{
	char path[SOCKET_PATH_BYTES];

	return config->zone_count == 0 && config->deliver_channel_count == 0 &&
	       socket_path(config, "operator", path, sizeof path) == 0 &&
	       access(path, F_OK) != 0 && service_find(config) != 0;
}

static int
tell(const struct record *record, bool json)
{
	if (record->error != 0) {
		fputs("not reloaded: ", stderr);
		fprintf(
		    stderr, "%.*s\n", (int)record->detail.n, record->detail.p);
		return record->error == ERR_WRONG_STATE ? EXIT_UNAVAILABLE
							: EXIT_CONFIG;
	}
	if (json)
		printf("{\"sha256\":\"%.*s\"}\n",
		    (int)record->detail.n - (int)strlen("sha256 "),
		    record->detail.p + strlen("sha256 "));
	else
		printf("in force: policy with %.*s\n", (int)record->detail.n,
		    record->detail.p);
	return EXIT_DONE;
}

/* The first record about it. */
static int
await(struct audit_walk *walk, bool json)
{
	struct timespec delay = {.tv_nsec = LOOK_MS * 1000000};
	int64_t until = clock_ms() + WAIT_MS;
	struct audit_item item;
	int rc;

	while ((rc = audit_walk_next(walk, &item)) == 0 && clock_ms() < until)
		nanosleep(&delay, NULL);
	if (rc == 1)
		return tell(&item.record, json);
	fputs("the service has not said what became of it: see its log\n",
	    stderr);
	return EXIT_TEMPORARY;
}

int
reload_alone(const struct config *config, bool json)
{
	struct audit_filter filter;
	struct audit_walk_options options = {.filter = &filter};
	struct audit_walk *walk;
	struct audit_item item;
	pid_t pid = service_find(config);
	int rc;

	audit_filter_init(&filter);
	filter.kind = RECORD_RELOAD;
	rc = audit_walk_open(config->audit, &options, &walk);
	if (rc != 0)
		die(rc == -ERR_PEER ? EXIT_NOT_PERMITTED : EXIT_SYSTEM,
		    "%s: %s", config->audit, err_text(rc));
	while (audit_walk_next(walk, &item) == 1)
		continue; /* earlier ones */
	if (kill(pid, SIGHUP) != 0)
		die(errno == EPERM ? EXIT_NOT_PERMITTED : EXIT_TEMPORARY,
		    "the service, process %ld, cannot be told: %s", (long)pid,
		    strerror(errno));
	rc = await(walk, json);
	audit_walk_close(walk);
	return rc;
}
