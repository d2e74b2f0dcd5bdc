/*
 * What the commands that change the firewall share: configuration, policy, what
 * was applied, and the lock under which it changes.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_JOB_H
#define TRIZONE_EXECUTOR_FIREWALL_JOB_H

#include <stdbool.h>

#include "executor/command.h"
#include "executor/firewall/applied.h"
#include "executor/firewall/load.h"

#define JOB_REASON_BYTES 600

struct job {
	const char *config; /* path of the configuration */
	struct setup setup;
	bool has_setup; /* it could be read */
	int folder, lock;
	struct applied applied;
	bool changed; /* by the policy, and not stored yet */
	char reason[JOB_REASON_BYTES]; /* of what failed last */
};

/* <folder of the configuration>/firewall; to be freed. */
char *job_folder(const char *config);

/* Read configuration and policy; ends the process if `must` and they are not
 * good. */
void job_setup(struct job *job, const char *config, bool must);

/* The same for who wants nothing of both. */
void job_stored(struct job *job, const char *config);

/* Open the folder, made if `make`, take the lock, read what was applied, and
 * refresh it from the policy if that was read. 0, or an error with the reason;
 * -ERR_NOT_FOUND: nothing was ever applied. */
int job_begin(struct job *job, bool make);
void job_end(struct job *job);

/* Load what has to be loaded now, and read it back. */
int job_load(struct job *job);
/* Write down what is applied. */
int job_store(struct job *job);
/* What waits is over: load it blocked, and only then write down that nothing
 * waits any more, so that who fails or is killed in between leaves it to the
 * next who looks. */
int job_take_back(struct job *job);

/* The account, blocked, as the policy has it, in place of what is applied of
 * it; in no policy: as it was, or with no hosts. -ERR_CONFIG: no such account
 * here, or too many. */
int job_put(struct job *job, const char *name);
/* Take it out of what is applied. False: it is not in it. */
bool job_take(struct job *job, const char *name);

/* Take all rules of an account away: it reaches everything. 0, -ERR_NOT_FOUND:
 * there are none, or -ERR_UNAVAILABLE. command_firewall_apply.c. */
int firewall_remove(
    const char *config, const char *name, char *reason, size_t room);

/* End the process with the reason. */
_Noreturn void job_die(const struct job *job, int error);

/* At `until_ms` (clock_utc_ms) block the account of the apply `serial`, unless
 * that was confirmed: a process that outlives this one, its terminal and its
 * session. Ends this process if it cannot be started. firewall_timer.c. */
void firewall_timer_start(const struct job *job);

/* Make --config and its policy if they are not there, and let the account reach
 * these hosts besides. A policy with more than a firewall in it is the
 * operator's: ends the process with the lines that he has to add.
 * firewall_allow.c. */
void firewall_allow(const char *config, const char *name,
    const char *const hosts[], size_t count);

#endif
