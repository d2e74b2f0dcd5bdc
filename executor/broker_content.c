/*
 * What calls bring back. It is hostile, so no byte of it is parsed here: it is
 * held until a reader has made a clean object of it, and the planner gets that
 * or nothing. The effect was done and is on record by then; it is not repeated
 * for a reader's sake.
 */
#include "common/err.h"
#include "executor/broker.h"

int
content_take(struct broker *b, struct pending *call, struct span result,
    struct span content)
{
	if (!reader_for_content(b))
		return -ERR_CLOSED;
	if (content.n > CONTENT_HELD_BYTES - b->content_held)
		return -ERR_QUOTA;
	buf_init(&call->result, RESULT_BODY_MAX);
	buf_init(&call->content, RESULT_CONTENT_MAX);
	if (buf_add(&call->result, result.p, result.n) != 0 ||
	    buf_add(&call->content, content.p, content.n) != 0)
		bug("a result that is longer than results are");
	call->state = PENDING_NO_READER;
	b->content_held += content.n;
	reader_feed(b);
	return 0;
}

static bool
waits(const struct pending *call)
{
	return call->request != 0 && call->state == PENDING_NO_READER;
}

static bool
is_wanted(const struct pending *call)
{
	return call->link != NULL && !call->answered;
}

struct pending *
content_next(struct broker *b)
{
	struct pending *oldest = NULL;

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *call = &b->pending[i];

		if (waits(call) && is_wanted(call) &&
		    (oldest == NULL || call->request < oldest->request))
			oldest = call;
	}
	return oldest;
}

/* Out of the table, with what it holds; the caller frees that. */
static struct pending
take_out(struct broker *b, struct pending *call)
{
	struct pending was = *call;

	b->content_held -= call->content.len;
	call_done(call);
	return was;
}

static void
free_held(struct pending *call)
{
	buf_free(&call->result);
	buf_free(&call->content);
}

void
content_done(struct broker *b, struct pending *call, struct span clean)
{
	struct pending was = take_out(b, call);

	if (is_wanted(&was))
		call_answer(&was,
		    (struct span){was.result.data, was.result.len}, clean);
	free_held(&was);
}

void
content_failed(
    struct broker *b, struct pending *call, int error, const char *detail)
{
	struct pending was = take_out(b, call);

	call_answer_without(&was, error, detail);
	free_held(&was);
}

void
content_tick(struct broker *b)
{
	bool served = reader_for_content(b);

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *call = &b->pending[i];

		if (waits(call) && (!served || !is_wanted(call)))
			content_failed(b, call, -ERR_CLOSED,
			    "no reader is left to clean it");
	}
}
