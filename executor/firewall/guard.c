/*
 * The guards' sockets. Runs in the resolver; reads what confined accounts send
 * and believes none of it. All is bounded by account, so that one cannot keep
 * others from their answers.
 */
#include "executor/firewall/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

#define READS_MAX 32 /* of one socket, before others get their turn */
#define TICK_MS 1000
#define LENGTH_BYTES 2u /* before a message by TCP */
#define SAY_MS 60000	/* that questions were lost, at most so often */

struct connection {
	struct guard *guard;
	struct connection *next;
	uint32_t account;
	int fd;
	struct watch *watch;
	struct guard_question *question; /* that waits; nothing is read then */
	int64_t end_ms;
	size_t have;
	unsigned char bytes[LENGTH_BYTES + GUARD_QUERY_BYTES];
	bool ended;
};

struct account {
	unsigned waiting, connections;
	int64_t tokens_milli, filled_ms;
	uint64_t lost, said_lost;
	int64_t said_ms;
};

struct source {
	struct guard *guard;
	uint32_t account;
	int fd;
	struct watch *watch;
};

struct guard {
	struct loop *loop;
	void (*asked)(void *context, struct guard_question *question);
	void *context;
	struct source *sources;
	size_t source_count;
	struct account accounts[MODEL_ACCOUNTS_MAX];
	struct connection *connections;
	struct watch *tick; /* while there are connections */
};

/* A token for one question. */
static bool
may_ask(struct guard *guard, uint32_t number)
{
	struct account *account = &guard->accounts[number];
	int64_t now = clock_ms(), most = (int64_t)GUARD_BURST * 1000;

	account->tokens_milli += (now - account->filled_ms) * GUARD_RATE;
	account->filled_ms = now;
	if (account->tokens_milli > most)
		account->tokens_milli = most;
	if (account->tokens_milli >= 1000) {
		account->tokens_milli -= 1000;
		return true;
	}
	account->lost++;
	if (now - account->said_ms >= SAY_MS) {
		log_event(LOG_WARN, "guard-lost",
		    "account=%u questions=%llu reason=more than %u in a second",
		    number,
		    (unsigned long long)(account->lost - account->said_lost),
		    GUARD_RATE);
		account->said_lost = account->lost;
		account->said_ms = now;
	}
	return false;
}

static struct guard_question *
new_question(struct guard *guard, uint32_t account, int fd)
{
	struct guard_question *q = alloc_bytes(sizeof *q);

	q->guard = guard;
	q->account = account;
	q->fd = fd;
	guard->accounts[account].waiting++;
	return q;
}

/* Without an answer; a connection that it came by is not worth more. */
static void
forget(struct guard_question *q)
{
	if (q->connection != NULL) {
		q->connection->question = NULL;
		q->connection->ended = true;
	}
	q->guard->accounts[q->account].waiting--;
	free(q);
}

/* Answer it here, or have it answered. */
static void
take_question(
    struct guard_question *q, const unsigned char *bytes, size_t count)
{
	struct guard_answer answer = {.code = GUARD_SERVFAIL};
	struct guard *guard = q->guard;
	int code = guard_parse(bytes, count, &q->query);

	if (code == GUARD_NOERROR &&
	    guard->accounts[q->account].waiting <= GUARD_WAITING_MAX) {
		guard->asked(guard->context, q);
		return;
	}
	if (code > 0)
		answer.code = (enum guard_code)code;
	if (code >= 0) {
		guard_answer(q, &answer);
	} else {
		forget(q);
	}
}

static void
on_datagram(void *context)
{
	struct source *source = context;
	unsigned char bytes[GUARD_QUERY_BYTES];

	for (int i = 0; i < READS_MAX; i++) {
		struct guard_path path;
		struct guard_question *q;
		ssize_t got =
		    guard_receive(source->fd, bytes, sizeof bytes, &path);

		if (got < 0)
			return;
		if ((size_t)got > sizeof bytes ||
		    path.asked.family == ADDRESS_NONE ||
		    !may_ask(source->guard, source->account))
			continue;
		q = new_question(source->guard, source->account, source->fd);
		q->path = path;
		take_question(q, bytes, (size_t)got);
	}
}

/*
 * TCP.
 */
static void
unlink_connection(struct connection *c)
{
	struct connection **at = &c->guard->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

static void
end_connection(struct connection *c)
{
	if (c->question != NULL)
		c->question->connection = NULL; /* nobody to answer */
	unlink_connection(c);
	c->guard->accounts[c->account].connections--;
	loop_unwatch(c->watch);
	close(c->fd);
	free(c);
}

static bool
has_message(const struct connection *c)
{
	return c->have >= LENGTH_BYTES &&
	       c->have >=
		   LENGTH_BYTES + ((size_t)c->bytes[0] << 8 | c->bytes[1]);
}

/* The message at the front; false: the connection is not worth more. */
static bool
take_message(struct connection *c)
{
	size_t count = (size_t)c->bytes[0] << 8 | c->bytes[1];
	struct guard_question *q;

	if (!may_ask(c->guard, c->account))
		return false;
	q = new_question(c->guard, c->account, c->fd);
	q->connection = c;
	q->tcp = true;
	c->question = q;
	/* may answer at once, then c->question is NULL again */
	take_question(q, c->bytes + LENGTH_BYTES, count);
	c->have -= LENGTH_BYTES + count;
	memmove(c->bytes, c->bytes + LENGTH_BYTES + count, c->have);
	return true;
}

/* What was read, question by question, until one has to wait. */
static void
go_on(struct connection *c)
{
	while (!c->ended && c->question == NULL && has_message(c))
		if (!take_message(c))
			c->ended = true;
	if (c->have >= LENGTH_BYTES &&
	    ((size_t)c->bytes[0] << 8 | c->bytes[1]) > GUARD_QUERY_BYTES)
		c->ended = true;
	if (c->ended)
		end_connection(c);
	else
		watch_set(c->watch, c->question == NULL);
}

static void
on_stream(void *context)
{
	struct connection *c = context;
	ssize_t got;

	if (c->question != NULL)
		return;
	if (!c->ended && !has_message(c)) {
		got =
		    read(c->fd, c->bytes + c->have, sizeof c->bytes - c->have);
		if (got > 0)
			c->have += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			c->ended = true;
	}
	go_on(c);
}

static void
on_connection(void *context)
{
	struct source *source = context;
	struct guard *guard = source->guard;
	struct account *account = &guard->accounts[source->account];
	struct connection *c;
	int fd = accept(source->fd, NULL, NULL);

	if (fd < 0)
		return;
	if (account->connections >= GUARD_CONNECTIONS_MAX ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return;
	}
	account->connections++;
	c = alloc_bytes(sizeof *c);
	c->guard = guard;
	c->account = source->account;
	c->fd = fd;
	c->end_ms = clock_ms() + GUARD_CONNECTION_MS;
	c->watch = loop_watch_read(guard->loop, fd, on_stream, c);
	c->next = guard->connections;
	guard->connections = c;
	watch_set(c->watch, true);
	timer_set(guard->tick, TICK_MS);
}

static void
on_tick(void *context)
{
	struct guard *guard = context;
	int64_t now = clock_ms();
	struct connection *next;

	for (struct connection *c = guard->connections; c != NULL; c = next) {
		next = c->next;
		if (c->end_ms <= now)
			end_connection(c);
	}
	if (guard->connections != NULL)
		timer_set(guard->tick, TICK_MS);
}

/* An answer is small: a peer that has no room for it does not read. */
static void
answer_stream(struct connection *c, const unsigned char *bytes, size_t count)
{
	unsigned char out[LENGTH_BYTES + GUARD_UDP_BYTES];

	out[0] = (unsigned char)(count >> 8);
	out[1] = (unsigned char)count;
	memcpy(out + LENGTH_BYTES, bytes, count);
	c->question = NULL;
	c->end_ms = clock_ms() + GUARD_CONNECTION_MS;
	if (send(c->fd, out, LENGTH_BYTES + count, MSG_NOSIGNAL) !=
	    (ssize_t)(LENGTH_BYTES + count))
		c->ended = true;
}

void
guard_answer(struct guard_question *question, const struct guard_answer *answer)
{
	unsigned char bytes[GUARD_UDP_BYTES];
	struct connection *c = question->connection;
	size_t count =
	    guard_write(&question->query, answer, question->tcp, bytes);

	if (!question->tcp)
		guard_send(question->fd, bytes, count, &question->path);
	else if (c != NULL)
		answer_stream(c, bytes, count);
	question->guard->accounts[question->account].waiting--;
	free(question);
	/* if it comes later than its question was read, there may be more */
	if (c != NULL)
		watch_soon(c->watch);
}

static void
add_source(struct guard *guard, size_t i, int fd)
{
	struct source *source = &guard->sources[i];
	bool stream = i % 2 == 1;

	source->guard = guard;
	source->account = (uint32_t)(i / GUARD_SOCKETS_MAX);
	source->fd = fd;
	source->watch = loop_watch_read(
	    guard->loop, fd, stream ? on_connection : on_datagram, source);
	watch_set(source->watch, true);
}

struct guard *
guard_new(struct loop *loop, const int *fds, size_t count,
    void (*asked)(void *context, struct guard_question *question),
    void *context)
{
	struct guard *guard = alloc_bytes(sizeof *guard);

	if (count > (size_t)MODEL_ACCOUNTS_MAX * GUARD_SOCKETS_MAX ||
	    count % GUARD_SOCKETS_MAX != 0)
		bug("%zu sockets of guards", count);
	guard->loop = loop;
	guard->asked = asked;
	guard->context = context;
	guard->sources = alloc_array(count, sizeof *guard->sources);
	guard->source_count = count;
	guard->tick = loop_timer(loop, on_tick, guard);
	for (size_t i = 0; i < count; i++)
		add_source(guard, i, fds[i]);
	return guard;
}

void
guard_free(struct guard *guard)
{
	while (guard->connections != NULL)
		end_connection(guard->connections);
	for (size_t i = 0; i < guard->source_count; i++)
		loop_unwatch(guard->sources[i].watch);
	loop_unwatch(guard->tick);
	free(guard->sources);
	free(guard);
}
