/*
 * Requests of a planner. The executor's answers are believed; what they carry
 * of a message is hostile.
 */
#include "planner/ask.h"

#include "common/limits.h"

/* A little longer than the executor takes to give up by itself. */
#define ANSWER_MS (REQUEST_DEADLINE_MS + 5000)

int
ask_next(
    struct client *client, int64_t wait_ms, struct client_answer *answer_out)
{
	struct json_writer *w = client_begin(client, METHOD_INBOX_NEXT);

	json_put_integer(w, "wait_ms", wait_ms);
	return client_ask(client, wait_ms + ANSWER_MS, answer_out);
}

int
ask_read(
    struct client *client, struct span handle, struct client_answer *answer_out)
{
	struct json_writer *w = client_begin(client, METHOD_INBOX_READ);

	json_put_string(w, "handle", handle);
	return client_ask(client, ANSWER_MS, answer_out);
}

int
ask_done(struct client *client, struct span handle, struct span outcome,
    struct client_answer *answer_out)
{
	struct json_writer *w = client_begin(client, METHOD_INBOX_DONE);

	json_put_string(w, "handle", handle);
	json_put_string(w, "outcome", outcome);
	return client_ask(client, ANSWER_MS, answer_out);
}

int
ask_call(struct client *client, struct span name, struct span arguments,
    struct client_answer *answer_out)
{
	struct json_writer *w = client_begin(client, METHOD_CALL);

	json_put_string(w, "name", name);
	json_put_raw(w, "arguments", arguments);
	return client_ask(client, ANSWER_MS, answer_out);
}
