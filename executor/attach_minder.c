/*
 * The minder: reads numbers of process groups from a pipe that only attach can
 * write, and kills them when that has no writer any more. It has nothing else
 * open, and reads nothing that a zone has said.
 */
#include "executor/attach_minder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/platform.h"

#define FD_NOTES 3 /* in the minder */

struct note {
	uint32_t slot;
	pid_t group;
};

void
attach_signal(pid_t group, int number)
{
	if (kill(-group, number) != 0 && errno == ESRCH)
		(void)kill(group, number);
}

/* False at the end. */
static bool
read_note(struct note *note)
{
	ssize_t got;

	do
		got = read(FD_NOTES, note, sizeof *note);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof *note; /* written whole */
}

static _Noreturn void
mind(int fd)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	pid_t groups[MACHINE_WARM_MAX] = {0};
	struct note note;
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	if (dup2(fd, FD_NOTES) < 0 || platform_close_from(FD_NOTES + 1) != 0)
		_exit(EXIT_SYSTEM);
	while (read_note(&note))
		if (note.slot < MACHINE_WARM_MAX)
			groups[note.slot] = note.group;
	for (size_t i = 0; i < MACHINE_WARM_MAX; i++)
		if (groups[i] > 1)
			attach_signal(groups[i], SIGKILL);
	_exit(EXIT_DONE);
}

static void
tell(const struct minder *m, uint32_t slot)
{
	struct note note;

	memset(&note, 0, sizeof note);
	note.slot = slot;
	note.group = m->groups[slot];
	if (write(m->fd, &note, sizeof note) != (ssize_t)sizeof note) {
		/* it is dead: minder_look tells the next one all of them */
	}
}

void
minder_start(struct minder *m)
{
	sigset_t all, before;
	int ends[2];

	if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)
		die_errno("pipe");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	m->pid = fork();
	if (m->pid == 0)
		mind(ends[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (m->pid < 0)
		die_errno("fork");
	close(ends[0]);
	m->fd = ends[1];
	for (uint32_t i = 0; i < MACHINE_WARM_MAX; i++)
		if (m->groups[i] != 0)
			tell(m, i);
}

void
minder_note(struct minder *m, uint32_t slot, pid_t group)
{
	m->groups[slot] = group;
	tell(m, slot);
}

void
minder_look(struct minder *m)
{
	if (waitpid(m->pid, NULL, WNOHANG) != m->pid)
		return;
	log_event(
	    LOG_WARN, "minder", "reason=it was killed; another one is started");
	close(m->fd);
	minder_start(m);
}

void
minder_end(struct minder *m)
{
	close(m->fd);
	while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
