/*
 * Tasks: the operator's words for a session. They come over the operator's
 * socket, from root or from our own user where we are not root, since whoever
 * gives them makes values the operator's.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/broker.h"

static int
refuse(struct link *link, int64_t id, int error, const char *text)
{
	channel_error(link->channel, id, error, text, (struct span){0});
	return 0;
}

bool
operator_speaks(const struct link *link)
{
	return link->peer.uid == 0 || link->peer.uid == geteuid();
}

static void
record_task(struct broker *b, int64_t session, int64_t task, struct span words)
{
	struct entry_head entry;
	char detail[32];

	snprintf(detail, sizeof detail, "op:%lld", (long long)task);
	entry_init(&entry, RECORD_TASK);
	entry.session = (uint64_t)session;
	entry.bytes = words.n;
	entry.committed = 1;
	sha256_of(words.p, words.n, entry.body_hash);
	entry_text(entry.detail, sizeof entry.detail, span_of(detail));
	entry_send(b, &entry, (struct span){0}, (struct span){0});
}

static void
answer_task(
    struct link *link, int64_t id, int64_t task, const struct buf *words)
{
	struct message_writer m;
	char name[32];

	result_begin(&m, channel_out(link->channel), id);
	json_key(&m.json, "task");
	if (task == 0) {
		json_null(&m.json);
	} else {
		snprintf(name, sizeof name, "op:%lld", (long long)task);
		json_text(&m.json, name);
		json_put_integer(&m.json, "number", task);
	}
	if (words != NULL && task != 0)
		json_put_string(
		    &m.json, "words", (struct span){words->data, words->len});
	link_answer(link, &m, id, 0);
}

_Static_assert(INBOX_TASK_BYTES + 1 <= FACTS_WORDS_BYTES,
    "facts have room for all tasks and a byte behind each");

int
task_take(struct link *link, int64_t id, const struct task_params *params)
{
	struct broker *b = link->broker;
	struct session *session = session_find(b, params->session);
	int64_t task;
	int rc;

	if (!operator_speaks(link))
		return refuse(link, id, ERR_PEER,
		    "only root gives tasks: what they say is the operator's");
	if (session == NULL)
		return refuse(link, id, ERR_NOT_FOUND,
		    "no such session is live: see session list");
	rc = inbox_task_add(b->inbox, params->session, params->words, &task);
	if (rc != 0)
		return link_refuse(link, id, rc);
	record_task(b, params->session, task, params->words);
	if (facts_add_words(session->facts, params->words) != 0)
		bug("a session's tasks are more than its facts");
	answer_task(link, id, task, NULL);
	return 0;
}

int
task_next_take(
    struct link *link, int64_t id, const struct task_next_params *params)
{
	struct session *session = planner_session(link);
	int64_t task = 0;
	struct buf words;
	int rc;

	buf_init(&words, INBOX_TASK_BYTES);
	rc = inbox_task_next(
	    link->broker->inbox, session->id, params->after, &words, &task);
	if (rc != 0 && rc != -ERR_NOT_FOUND)
		link_refuse(link, id, rc);
	else
		answer_task(link, id, rc == 0 ? task : 0, &words);
	buf_free(&words);
	return 0;
}

int
tasks_load(struct broker *b, struct session *session)
{
	struct buf words;
	int64_t task = 0;
	int rc;

	buf_init(&words, INBOX_TASK_BYTES);
	while ((rc = inbox_task_next(
		    b->inbox, session->id, task, &words, &task)) == 0)
		(void)facts_add_words(
		    session->facts, (struct span){words.data, words.len});
	buf_free(&words);
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}
