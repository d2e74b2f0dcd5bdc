/*
 * An apply that nobody confirms is taken back: its account is blocked. Runs as
 * root in a process of its own, which waits, looks at what is applied, and
 * ends. It was forked, not executed, so it needs no file of ours to be there
 * still.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/platform.h"
#include "executor/firewall_job.h"

#define STEP_US 500000
#define AGAIN_S 5    /* after an attempt that failed */
#define ATTEMPTS 720 /* for an hour */

/* Whether it is done, or another apply's matter. */
static bool
take_back(const char *config, uint64_t serial)
{
	struct job job;
	bool done = false;
	int rc;

	job_stored(&job, config);
	rc = job_begin(&job, false);
	if (rc == 0 &&
	    (job.applied.serial != serial || job.applied.pending[0] == '\0')) {
		done = true;
	} else if (rc == 0) {
		done = job_take_back(&job) == 0;
	}
	job_end(&job);
	return done || rc == -ERR_NOT_FOUND;
}

/* By both clocks: one stands while the machine sleeps, the other may be set. */
static _Noreturn void
wait_and_take_back(
    const char *config, uint64_t serial, int64_t end_ms, int64_t until_ms)
{
	unsigned attempts = 0;

	while (clock_ms() < end_ms && clock_utc_ms() < until_ms)
		(void)usleep(STEP_US);
	while (!take_back(config, serial) && attempts++ < ATTEMPTS)
		(void)sleep(AGAIN_S);
	_exit(EXIT_DONE);
}

/* Nothing of the terminal and of the command that started it. */
static void
detach(void)
{
	int null = open("/dev/null", O_RDWR);

	if (setsid() < 0 || null < 0)
		_exit(EXIT_SYSTEM);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			_exit(EXIT_SYSTEM);
	if (platform_close_from(3) != 0 || chdir("/") != 0)
		_exit(EXIT_SYSTEM);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
}

void
firewall_timer_start(const struct job *job)
{
	char *config = realpath(job->config, NULL);
	int64_t end_ms = clock_ms() + (job->applied.until_ms - clock_utc_ms());
	int status;
	pid_t child = config == NULL ? -1 : fork();

	if (child < 0)
		die_errno("the timer cannot be started");
	if (child == 0) {
		pid_t timer;

		detach();
		timer = fork();
		if (timer == 0)
			wait_and_take_back(config, job->applied.serial, end_ms,
			    job->applied.until_ms);
		_exit(timer < 0 ? EXIT_SYSTEM : EXIT_DONE);
	}
	free(config);
	if (waitpid(child, &status, 0) != child || status != 0)
		die(EXIT_SYSTEM, "the timer cannot be started");
}
