/*
 * The first key of decision inputs: made and sealed for the operator in a
 * helper that has no network, is the auditor's user, and is gone before
 * anybody serves. The parent holds both ends of the pipe and uses neither: in
 * it is the key that the next auditor is to begin with.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/account.h"
#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "common/namespace.h"
#include "common/platform.h"
#include "executor/inputs_key.h"
#include "executor/parent_impl.h"

#define WRITE_MS 1000

_Static_assert(sizeof(struct inputs_key) < 65536, "it fits a pipe");

/* What the helper, and age in it, cannot do. */
static int
shut_in(const struct account *account, char *reason, size_t room)
{
	const struct rlimit none = {0};
	uint32_t own;

	if (setrlimit(RLIMIT_CORE, &none) != 0 || platform_harden() != 0) {
		snprintf(reason, room, "the helper cannot be locked");
		return -ERR_SYSTEM;
	}
	if (namespace_leave(LOCK_NET, &own, reason, room) != 0)
		log_event(LOG_WARN, "key-helper",
		    "reason=not without network: %s", reason);
	return account->uid == 0 ? 0 : account_become(account, reason, room);
}

static _Noreturn void
help(const struct parent *p, int out)
{
	static struct inputs_key key;
	char reason[1000];
	int rc = shut_in(&p->accounts[ACCOUNT_AUDITOR], reason, sizeof reason);

	if (rc == 0)
		rc = inputs_key_make(p->setup->config->audit_inputs.recipient,
		    &key, reason, sizeof reason);
	if (rc != 0)
		die(EXIT_CONFIG, "audit recipient: %s", reason);
	rc = write_all(out, &key, sizeof key, WRITE_MS);
	wipe(&key, sizeof key);
	_exit(rc == 0 ? EXIT_DONE : EXIT_SYSTEM);
}

void
parent_make_key(struct parent *p)
{
	int *ends = p->inputs_keys, status = 0;
	pid_t pid;

	ends[0] = ends[1] = -1;
	if (p->setup->config->audit_inputs.recipient == NULL)
		return;
	parent_pipe(ends);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid == 0)
		help(p, ends[1]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE)
		die(EXIT_CONFIG, "what is decided on cannot be sealed, see "
				 "above; without an audit recipient it is not "
				 "kept");
}
