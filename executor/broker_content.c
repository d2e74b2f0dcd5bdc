/*
 * What calls bring back. Room for all that a call may bring is kept for it
 * before its order leaves, out of its zone's share: no call is done for
 * nothing, and no zone takes another's room. It is hostile, so no byte of it is
 * parsed here: it is held until a reader has made a clean object of it, and the
 * planner gets that or nothing. The effect was done and is on record by then;
 * it is not repeated for a reader's sake.
 */
#include "common/err.h"
#include "executor/broker.h"

static size_t
most_of(const struct capability *c)
{
	return c->method->content ? c->kind->content_max(c->settings, c->method)
				  : 0;
}

void
content_share(struct broker *b)
{
	size_t planners = 0;

	for (size_t i = 0; i < b->config->zone_count; i++)
		planners += b->config->zones[i].kind == ZONE_PLANNER;
	b->content_share = CONTENT_HELD_BYTES / (planners == 0 ? 1 : planners);
}

bool
content_fits(const struct listener *l, const struct capability *c)
{
	return most_of(c) <= l->broker->content_share - l->content_held;
}

void
content_hold(struct pending *call, const struct capability *c)
{
	call->held = most_of(c);
	call->listener->content_held += call->held;
}

/* Of the room that was kept for it, no more than it has to have. */
static void
shrink(struct pending *call, size_t bytes)
{
	call->listener->content_held -= call->held - bytes;
	call->held = bytes;
}

int
content_take(struct broker *b, struct pending *call, struct span result,
    struct span content)
{
	if (!reader_for_content(b))
		return -ERR_CLOSED;
	if (content.n > call->held)
		return -ERR_TOO_LARGE;
	buf_init(&call->result, RESULT_BODY_MAX);
	buf_init(&call->content, RESULT_CONTENT_MAX);
	if (buf_add(&call->result, result.p, result.n) != 0 ||
	    buf_add(&call->content, content.p, content.n) != 0)
		bug("a result that is longer than results are");
	call->state = PENDING_NO_READER;
	shrink(call, content.n);
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
take_out(struct pending *call)
{
	struct pending was = *call;

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
content_done(struct pending *call, struct span clean)
{
	struct pending was = take_out(call);

	if (is_wanted(&was))
		call_answer(&was,
		    (struct span){was.result.data, was.result.len}, clean);
	free_held(&was);
}

void
content_failed(struct pending *call, int error, const char *detail)
{
	struct pending was = take_out(call);

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
			content_failed(
			    call, -ERR_CLOSED, "no reader is left to clean it");
	}
}
