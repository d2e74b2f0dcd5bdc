/*
 * One message after another: rules decide which capabilities to ask for, the
 * executor decides which of them happen. A message whose calls were refused is
 * finished all the same; the refusals are in its outcome and in the audit.
 */
#include "planner/think.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/limits.h"
#include "common/log.h"
#include "planner/ask.h"

#define WAIT_MS 30000 /* one inbox.next; then it is asked again */

/* A courier that died is back in 100 ms, then 400, then 1,600: ask again for
 * some five seconds before the call is given up. */
#define TRIES 6
#define PAUSE_MS 150 /* doubled each time */

/* Calls are gathered first: an answer replaces the message in memory. */
struct calls {
	struct {
		char *name, *arguments, *rule;
	} at[RULES_MAX_CALLS];
	size_t count;
};

static int
gather(struct span call, struct span arguments, struct span rule, void *context)
{
	struct calls *calls = context;

	if (calls->count == RULES_MAX_CALLS)
		return -ERR_LIMIT;
	calls->at[calls->count].name = alloc_text(call.p, call.n);
	calls->at[calls->count].arguments =
	    alloc_text(arguments.p, arguments.n);
	calls->at[calls->count].rule = alloc_text(rule.p, rule.n);
	calls->count++;
	return 0;
}

static void
calls_done(struct calls *calls)
{
	for (size_t i = 0; i < calls->count; i++) {
		free(calls->at[i].name);
		free(calls->at[i].arguments);
		free(calls->at[i].rule);
	}
	calls->count = 0;
}

static void
pause_ms(long ms)
{
	const struct timespec time = {
	    .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* 1 if it was done, 0 if it was refused or failed, negative if the executor
 * is gone. Asked again only where nothing was done and it may go later. */
static int
act(struct client *client, const char *name, const char *arguments,
    const char *rule)
{
	struct client_answer answer;

	for (int turn = 0;; turn++) {
		int rc = ask_call(
		    client, span_of(name), span_of(arguments), &answer);

		if (rc != 0)
			return rc;
		log_event(LOG_INFO, "call", "rule=%s capability=%s code=%d",
		    rule, name, -answer.error);
		if (turn + 1 == TRIES || (answer.error != -ERR_UNAVAILABLE &&
					     answer.error != -ERR_BUSY &&
					     answer.error != -ERR_QUOTA))
			return answer.result != NULL;
		pause_ms((long)PAUSE_MS << turn);
	}
}

static int
act_all(struct client *client, const struct calls *calls, size_t *done_out)
{
	*done_out = 0;
	for (size_t i = 0; i < calls->count; i++) {
		int rc = act(client, calls->at[i].name, calls->at[i].arguments,
		    calls->at[i].rule);

		if (rc < 0)
			return rc;
		*done_out += (size_t)rc;
	}
	return 0;
}

/* Read one message, act on it, finish it. 0 or a negative error. */
static int
work(struct client *client, const struct rules *rules, struct span handle)
{
	struct client_answer answer;
	struct calls calls = {0};
	char outcome[200];
	size_t done = 0;
	int rc = ask_read(client, handle, &answer);

	if (rc == 0 && answer.result == NULL)
		rc = answer.error;
	if (rc != 0)
		return rc;
	rc = rules_run(rules, answer.doc,
	    json_get(answer.doc, answer.result, "message"), gather, &calls);
	if (rc < 0) {
		snprintf(
		    outcome, sizeof outcome, "rules failed: %s", err_text(rc));
		rc = 0;
	} else {
		rc = act_all(client, &calls, &done);
		snprintf(outcome, sizeof outcome, "%zu of %zu calls done", done,
		    calls.count);
	}
	calls_done(&calls);
	if (rc == 0)
		rc = ask_done(client, handle, span_of(outcome), &answer);
	return rc == 0 ? answer.error : rc;
}

/* Ask for a message; *handle_out is "" if none came in time. 0 or negative. */
static int
take_next(struct client *client, char handle_out[HANDLE_MAX_BYTES + 1])
{
	const struct json_node *handle;
	struct client_answer answer;
	int rc = ask_next(client, WAIT_MS, &answer);

	handle_out[0] = '\0';
	if (rc != 0)
		return rc;
	if (answer.result == NULL)
		return answer.error;
	handle = json_get(answer.doc, answer.result, "handle");
	if (handle == NULL || handle->type != JSON_STRING)
		return 0;
	return span_copy(
	    handle->value.string, handle_out, HANDLE_MAX_BYTES + 1);
}

int
think_run(struct client *client, const struct rules *rules)
{
	char handle[HANDLE_MAX_BYTES + 1];
	int rc;

	do {
		rc = take_next(client, handle);
		if (rc == 0 && handle[0] != '\0')
			rc = work(client, rules, span_of(handle));
	} while (rc == 0);
	if (rc == -ERR_WRONG_STATE || rc == -ERR_CLOSED)
		return EXIT_DONE; /* a session for one message has had it */
	log_event(LOG_ERROR, "stopped", "code=%d reason=%s", -rc, err_text(rc));
	return EXIT_UNAVAILABLE;
}
