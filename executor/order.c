/*
 * Moving heads and bodies between the executor's own processes.
 */
#include "executor/order.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"

#define READ_BYTES (64u * 1024)
/* A control record, or its text, is small: a peer that has not taken it in this
 * time is stuck. */
#define CONTROL_MS 5000

void
inflow_init(struct inflow *flow, int fd, size_t head_bytes, size_t body_max)
{
	*flow = (struct inflow){
	    .fd = fd, .head_bytes = head_bytes, .body_max = body_max};
	buf_init(&flow->in, head_bytes + body_max + READ_BYTES);
}

void
inflow_done(struct inflow *flow)
{
	buf_free(&flow->in);
}

int
inflow_read(struct inflow *flow)
{
	size_t room;
	char *to;
	ssize_t got;

	buf_consume(&flow->in, flow->used);
	flow->used = 0;
	room = flow->in.max - flow->in.len;
	if (room > READ_BYTES)
		room = READ_BYTES;
	if (room == 0)
		return 0;
	to = buf_reserve(&flow->in, room);
	do {
		got = read(flow->fd, to, room);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		flow->in.len += (size_t)got;
		return 1;
	}
	if (got < 0 && errno == EAGAIN)
		return 0;
	return -ERR_CLOSED;
}

int
inflow_next(struct inflow *flow, size_t (*length)(const void *head),
    void *head_out, const char **body_out)
{
	size_t have = flow->in.len - flow->used, body;
	const char *at = flow->in.data + flow->used;
	uint32_t magic;

	if (have < flow->head_bytes)
		return 0;
	memcpy(head_out, at, flow->head_bytes);
	memcpy(&magic, head_out, sizeof magic);
	if (magic != ORDER_MAGIC)
		return -ERR_CORRUPT;
	body = length(head_out);
	if (body > flow->body_max)
		return -ERR_CORRUPT;
	if (have - flow->head_bytes < body)
		return 0;
	*body_out = at + flow->head_bytes;
	flow->used += flow->head_bytes + body;
	return 1;
}

void
inflow_reset(struct inflow *flow)
{
	char waste[4096];
	ssize_t got;

	buf_clear(&flow->in);
	flow->used = 0;
	do {
		got = read(flow->fd, waste, sizeof waste);
	} while (got > 0 || (got < 0 && errno == EINTR));
}

void
set_nonblocking(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int flags = fcntl(fds[i], F_GETFL);

		if (flags < 0 ||
		    fcntl(fds[i], F_SETFL, flags | O_NONBLOCK) != 0)
			die_errno(
			    "descriptor %d cannot be non-blocking", fds[i]);
	}
}

/* Wait until the descriptor is ready; false when `until` has passed. A
 * negative `until` waits for ever. */
static bool
wait_ready(int fd, short events, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = until < 0 ? -1 : until - clock_ms();
		int rc;

		if (until >= 0 && left <= 0)
			return false;
		rc = poll(&p, 1, (int)left);
		if (rc > 0)
			return true;
		if (rc < 0 && errno != EINTR)
			return false;
	}
}

int
write_all(int fd, const void *bytes, size_t count, int ms)
{
	const char *from = bytes;
	int64_t until = clock_ms() + ms;

	while (count > 0) {
		ssize_t put = write(fd, from, count);

		if (put > 0) {
			from += put;
			count -= (size_t)put;
		} else if (put < 0 && errno == EAGAIN) {
			if (!wait_ready(fd, POLLOUT, until))
				return -ERR_DEADLINE;
		} else if (put < 0 && errno != EINTR) {
			return -ERR_CLOSED;
		}
	}
	return 0;
}

int
read_all(int fd, void *bytes, size_t count, int ms)
{
	char *to = bytes;
	int64_t until = ms < 0 ? -1 : clock_ms() + ms;

	while (count > 0) {
		ssize_t got;

		if (!wait_ready(fd, POLLIN, until))
			return -ERR_DEADLINE;
		got = read(fd, to, count);
		if (got > 0) {
			to += got;
			count -= (size_t)got;
			if (until < 0)
				until = clock_ms() + CONTROL_MS;
		} else if (got == 0) {
			return -ERR_CLOSED;
		} else if (errno != EAGAIN && errno != EINTR) {
			return -ERR_CLOSED;
		}
	}
	return 0;
}

int
control_tell(int fd, struct control record, struct span text)
{
	int rc;

	record.magic = ORDER_MAGIC;
	record.bytes = (uint32_t)text.n;
	rc = write_all(fd, &record, sizeof record, CONTROL_MS);
	return rc != 0 ? rc : write_all(fd, text.p, text.n, CONTROL_MS);
}

int
control_try(int fd, enum control_what what, uint32_t courier,
    const struct lock_report *report)
{
	struct control record = {.what = what, .courier = courier};

	if (report != NULL)
		record.report = *report;
	return control_tell(fd, record, (struct span){0});
}

int
control_try_number(
    int fd, enum control_what what, uint32_t courier, uint64_t number)
{
	struct control record = {
	    .what = what, .courier = courier, .number = number};

	return control_tell(fd, record, (struct span){0});
}

void
control_send(int fd, enum control_what what, uint32_t courier,
    const struct lock_report *report)
{
	if (control_try(fd, what, courier, report) != 0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
}

int
control_receive(int fd, struct control *out)
{
	struct control record;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (read_all(fd, &record, sizeof record, CONTROL_MS) != 0)
		return -ERR_CLOSED;
	if (record.magic != ORDER_MAGIC || record.what >= CONTROL_COUNT ||
	    record.bytes > CONTROL_TEXT_MAX ||
	    !lock_report_sound(&record.report))
		bug("control record that cannot be");
	*out = record;
	return 1;
}

int
control_text(int fd, const struct control *record, struct buf *out)
{
	char *to;

	buf_clear(out);
	to = buf_reserve(out, record->bytes);
	if (to == NULL)
		bug("control record with too long a text");
	if (read_all(fd, to, record->bytes, CONTROL_MS) != 0)
		return -ERR_CLOSED;
	out->len = record->bytes;
	return 0;
}

const char *
outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
	    [OUTCOME_DONE] = "done",
	    [OUTCOME_FAILED] = "failed",
	    [OUTCOME_REFUSED] = "refused",
	    [OUTCOME_UNKNOWN] = "unknown",
	};

	return outcome < OUTCOME_COUNT ? names[outcome] : "invalid";
}
