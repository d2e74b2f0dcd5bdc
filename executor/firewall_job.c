/*
 * What the commands of the firewall share. Runs as root.
 */
#include "executor/firewall_job.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/firewall/model_impl.h"

#define SAID_BYTES 8192

char *
job_folder(const char *config)
{
	char *copy = alloc_string(config);
	char *folder = alloc_format("%s/" APPLIED_FOLDER, dirname(copy));

	free(copy);
	return folder;
}

void
job_stored(struct job *job, const char *config)
{
	*job = (struct job){.config = config, .folder = -1, .lock = -1};
	job->applied.backend = FIREWALL_BACKEND_COUNT;
}

void
job_setup(struct job *job, const char *config, bool must)
{
	job_stored(job, config);
	job->has_setup = setup_load(config, &job->setup, job->reason,
			     sizeof job->reason) == 0;
	if (must && !job->has_setup)
		die(EXIT_CONFIG, "%s", job->reason);
}

static int
refresh(struct job *job)
{
	struct buf before, after;
	int rc;

	buf_init(&before, MODEL_PACK_BYTES);
	buf_init(&after, MODEL_PACK_BYTES);
	model_pack(&job->applied.model, &before);
	rc = applied_refresh(&job->applied, policy_firewall(job->setup.policy),
	    job->reason, sizeof job->reason);
	model_pack(&job->applied.model, &after);
	job->changed = !span_equal((struct span){before.data, before.len},
	    (struct span){after.data, after.len});
	buf_free(&before);
	buf_free(&after);
	return rc;
}

int
job_begin(struct job *job, bool make)
{
	char *folder = job_folder(job->config);
	int rc;

	job->folder =
	    applied_open(folder, make, job->reason, sizeof job->reason);
	free(folder);
	if (job->folder < 0)
		return job->folder;
	job->lock = applied_lock(job->folder, job->reason, sizeof job->reason);
	if (job->lock < 0)
		return job->lock;
	rc = applied_read(
	    job->folder, &job->applied, job->reason, sizeof job->reason);
	return rc == 0 && job->has_setup ? refresh(job) : rc;
}

void
job_end(struct job *job)
{
	if (job->lock >= 0)
		close(job->lock);
	if (job->folder >= 0)
		close(job->folder);
	job->lock = job->folder = -1;
	applied_free(&job->applied);
	if (job->has_setup)
		setup_free(&job->setup);
	job->has_setup = false;
}

int
job_load(struct job *job)
{
	struct model model;
	struct buf said;
	int rc;

	buf_init(&said, SAID_BYTES);
	applied_effective(&job->applied, clock_utc_ms(), &model);
	rc = load_rules(job->applied.backend, &model, &said, job->reason,
	    sizeof job->reason);
	if (said.len != 0)
		fwrite(said.data, 1, said.len, stdout);
	model_free(&model);
	buf_free(&said);
	return rc;
}

int
job_store(struct job *job)
{
	return applied_write(
	    job->folder, &job->applied, job->reason, sizeof job->reason);
}

int
job_take_back(struct job *job)
{
	int rc;

	job->applied.pending[0] = '\0';
	rc = job_load(job);
	return rc == 0 ? job_store(job) : rc;
}

bool
job_take(struct job *job, const char *name)
{
	struct model others = {.count = 0};
	bool found = false;

	for (size_t i = 0; i < job->applied.model.count; i++) {
		const struct model_account *a = &job->applied.model.accounts[i];

		if (strcmp(a->name, name) == 0)
			found = true;
		else
			(void)model_add_copy(&others, a);
	}
	model_free(&job->applied.model);
	job->applied.model = others;
	if (strcmp(job->applied.pending, name) == 0)
		job->applied.pending[0] = '\0';
	return found;
}

/* As the policy has it; as it was applied; or without hosts. */
static void
copy_account(const struct job *job, const char *name, struct model *out)
{
	const struct model_account bare = {.uid = (uid_t)-1}, *from = NULL;
	struct span wanted = span_of(name);
	struct model_account *account;

	if (job->has_setup)
		from = model_find(policy_firewall(job->setup.policy), wanted);
	if (from == NULL)
		from = model_find(&job->applied.model, wanted);
	out->count = 0;
	account = from != NULL ? model_add_copy(out, from)
			       : model_add_copy(out, &bare);
	(void)snprintf(account->name, sizeof account->name, "%s", name);
	account->blocked = true;
}

static int
refuse_same_number(struct job *job, const struct model_account *account)
{
	for (size_t i = 0; i < job->applied.model.count; i++) {
		const struct model_account *a = &job->applied.model.accounts[i];

		if (a == account || a->uid != account->uid)
			continue;
		(void)snprintf(job->reason, sizeof job->reason,
		    "accounts %s and %s have the same number", a->name,
		    account->name);
		return -ERR_CONFIG;
	}
	return 0;
}

int
job_put(struct job *job, const char *name)
{
	struct model_account *account;
	struct model one;

	copy_account(job, name, &one);
	(void)job_take(job, name);
	account = model_add_copy(&job->applied.model, &one.accounts[0]);
	model_free(&one);
	if (account == NULL) {
		(void)snprintf(job->reason, sizeof job->reason,
		    "there are %u accounts behind the firewall already",
		    MODEL_ACCOUNTS_MAX);
		return -ERR_CONFIG;
	}
	if (model_account_resolve(account, job->reason, sizeof job->reason) !=
	    0)
		return -ERR_CONFIG;
	return refuse_same_number(job, account);
}

_Noreturn void
job_die(const struct job *job, int error)
{
	int status = EXIT_UNAVAILABLE;

	if (error == -ERR_CONFIG || error == -ERR_CORRUPT)
		status = EXIT_CONFIG;
	else if (error == -ERR_BUSY)
		status = EXIT_TEMPORARY;
	die(status, "%s", job->reason);
}
