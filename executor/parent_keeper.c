/*
 * Rules that somebody took away are put back. Loading them needs the system's
 * tools, which neither run under the parent's list of system calls nor with
 * no more than its rights: so a helper is there before there is a list, holds
 * the rights that rules need and nothing of the service, and does one thing
 * when it is told to. The parent asks it when the kernel tells of a change,
 * and now and then.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/platform.h"
#include "common/privilege.h"
#include "common/run.h"
#include "common/start.h"
#include "executor/parent_impl.h"

#define RESTORE_MS 60000 /* on a busy machine, with sets that are full */
#define ANSWER_MS (RESTORE_MS + 5000)
#define LOOK_MS 200	    /* at most so often, whatever changes */
#define LOOK_IDLE_MS 60000  /* where the kernel tells of changes */
#define LOOK_BLIND_MS 1000  /* where it does not */
#define LOOK_FAILED_MS 5000 /* a wall that does not stand is tried again */
#define TELL_MS 60000
#define SAID_BYTES 600
#define OUTPUT_BYTES 65536
#define KEEPER_FD 3

/* parent -> keeper. */
enum { RESTORE = 'r', REFRESH = 'f' };

/* keeper -> parent. */
struct answer {
	int32_t error; /* of starting it; 0: status is its exit status */
	int32_t status;
	char said[SAID_BYTES]; /* what it did or could not; "": all was well */
};

/*
 * In the keeper.
 */
static void
restore(const char *program, const char *config, const char *way,
    struct answer *out)
{
	const char *const argv[] = {
	    program, "firewall", "apply", way, "--config", config, NULL};
	struct buf said;
	int status = 0;

	*out = (struct answer){0};
	buf_init(&said, OUTPUT_BYTES);
	out->error = run_program(
	    argv, (struct span){0}, &said, &said, RESTORE_MS, &status);
	out->status = status;
	while (said.len != 0 && said.data[said.len - 1] == '\n')
		said.len--;
	(void)snprintf(out->said, sizeof out->said, "%.*s",
	    (int)(said.len < sizeof out->said ? said.len
					      : sizeof out->said - 1),
	    said.len == 0 ? "" : said.data);
	buf_free(&said);
}

static _Noreturn void
keep(const struct parent *p, int fd)
{
	char program[4096], word;

	log_role("keeper");
	if (setsid() < 0 || (fd != KEEPER_FD && dup2(fd, KEEPER_FD) < 0) ||
	    fcntl(KEEPER_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    platform_close_from(KEEPER_FD + 1) != 0 ||
	    start_without_standard() != 0 ||
	    platform_program_path(program, sizeof program) != 0 ||
	    privilege_bound(privilege_keeper()) != 0 ||
	    privilege_keep(privilege_keeper()) != 0 || platform_harden() != 0)
		_exit(EXIT_SYSTEM);
	while (read(KEEPER_FD, &word, 1) == 1) {
		struct answer answer;

		restore(program, p->setup->config_path,
		    word == REFRESH ? "--refresh" : "--restore", &answer);
		if (write_all(KEEPER_FD, &answer, sizeof answer, 1000) != 0)
			break;
	}
	_exit(EXIT_DONE);
}

/*
 * In the parent.
 */
void
keeper_start(struct parent *p)
{
	int ends[2];

	parent_socket_pair(ends);
	p->wall.keeper.pid = fork();
	if (p->wall.keeper.pid < 0)
		die_errno("fork");
	if (p->wall.keeper.pid == 0)
		keep(p, ends[1]);
	close(ends[1]);
	p->wall.keeper.fd = ends[0];
	set_nonblocking(&ends[0], 1);
	p->wall.look = true;
	/* the policy that is in force now may be another than the last time:
	 * with it the guards' ports are others */
	p->wall.refresh = true;
}

void
keeper_look(struct parent *p)
{
	struct keeper *k = &p->wall.keeper;
	char word;

	if (k->busy || k->pid <= 0)
		return;
	p->wall.changed = p->wall.look;
	p->wall.look = false;
	k->refreshes = p->wall.refresh;
	word = k->refreshes ? REFRESH : RESTORE;
	if (write(k->fd, &word, 1) != 1) {
		kill(k->pid, SIGKILL);
		return;
	}
	p->wall.refresh = false;
	k->busy = true;
	k->deadline_ms = clock_ms() + ANSWER_MS;
}

bool
keeper_owes(const struct parent *p)
{
	const struct wall *wall = &p->wall;

	return wall->on &&
	       (wall->refresh || (wall->keeper.busy && wall->keeper.refreshes));
}

static int64_t
idle(const struct wall *wall)
{
	if (!wall->stands)
		return LOOK_FAILED_MS;
	return wall->changes[0] < 0 ? LOOK_BLIND_MS : LOOK_IDLE_MS;
}

static void
tell_failure(struct parent *p, const struct answer *answer)
{
	struct wall *wall = &p->wall;
	const char *said =
	    answer->error != 0 ? err_text(answer->error) : answer->said;

	if (wall->told_ms != 0 && clock_ms() < wall->told_ms + TELL_MS)
		return;
	wall->told_ms = clock_ms();
	log_event(LOG_ERROR, "firewall-gone",
	    "reason=rules of accounts are not as they were applied, and cannot "
	    "be put back: %s",
	    said);
	parent_record(p, RECORD_CONFIG, "firewall rules cannot be put back",
	    answer->error != 0 ? answer->error : -ERR_UNAVAILABLE, said);
}

static void
take(struct parent *p, const struct answer *answer)
{
	struct wall *wall = &p->wall;
	bool stood = wall->stands;

	wall->stands = answer->error == 0 && answer->status == EXIT_DONE;
	wall->look_ms = clock_ms() + (wall->look ? LOOK_MS : idle(wall));
	if (!wall->stands) {
		wall->refresh |= wall->keeper.refreshes;
		tell_failure(p, answer);
		return;
	}
	wall->told_ms = 0;
	if (answer->said[0] != '\0') {
		log_event(
		    LOG_WARN, "firewall-put-back", "reason=%s", answer->said);
		parent_record(p, RECORD_CONFIG, "firewall rules put back", 0,
		    answer->said);
	}
	if (!stood || wall->changed || answer->said[0] != '\0')
		wall_fill(p);
}

void
keeper_hear(struct parent *p)
{
	struct keeper *k = &p->wall.keeper;
	struct answer answer;

	/* one write, and much less than the socket holds */
	if (read(k->fd, &answer, sizeof answer) != sizeof answer)
		return; /* it is dying; SIGCHLD tells the rest */
	k->busy = false;
	k->deadline_ms = 0;
	answer.said[sizeof answer.said - 1] = '\0';
	take(p, &answer);
}

void
keeper_tick(struct parent *p)
{
	struct wall *wall = &p->wall;
	int64_t now = clock_ms();

	if (wall->keeper.deadline_ms != 0 && now >= wall->keeper.deadline_ms) {
		wall->keeper.deadline_ms = 0;
		log_event(LOG_ERROR, "not-ready", "what=keeper");
		kill(wall->keeper.pid, SIGKILL);
	}
	if (!wall->keeper.busy && now >= wall->look_ms)
		keeper_look(p);
}
