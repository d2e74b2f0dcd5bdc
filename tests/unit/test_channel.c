/*
 * Channels, both ends in one process and raw bytes against one end: order of
 * hello, answers, errors, back-pressure, the end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/channel.h"
#include "proto/frame.h"
#include "tests/unit/run_suite.h"

struct end {
	struct channel *channel;
	int opened, received, cancelled, drained, closed, error;
	int64_t last_id;
	enum method last_method;
	bool answer_later;
	size_t answer_bytes;
};

static struct loop *loop;

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	struct end *end = context;

	(void)channel;
	(void)doc;
	(void)hello;
	end->opened++;
	return 0;
}

static void
answer(struct end *end, int64_t id)
{
	struct message_writer m;

	result_begin(&m, channel_out(end->channel), id);
	json_key(&m.json, "fill");
	buf_add_byte(channel_out(end->channel), '"');
	for (size_t i = 0; i < end->answer_bytes; i++)
		buf_add_byte(channel_out(end->channel), 'x');
	buf_add_byte(channel_out(end->channel), '"');
	ck_assert_int_eq(message_end(&m), 0);
	channel_answered(end->channel, id);
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	struct end *end = context;

	(void)channel;
	(void)doc;
	end->received++;
	end->last_id = message->id;
	end->last_method = message->method;
	if (message->id != 0 && !end->answer_later)
		answer(end, message->id);
	return 0;
}

static void
on_cancelled(struct channel *channel, void *context, int64_t id)
{
	struct end *end = context;

	end->cancelled++;
	channel_error(channel, id, ERR_CANCELLED, "gone", (struct span){0});
}

static void
on_drained(struct channel *channel, void *context)
{
	(void)channel;
	((struct end *)context)->drained++;
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	struct end *end = context;

	(void)channel;
	end->closed++;
	end->error = error;
	end->channel = NULL;
}

static const struct channel_owner owner = {
    .opened = on_opened,
    .received = on_received,
    .cancelled = on_cancelled,
    .drained = on_drained,
    .closed = on_closed,
};

static void
attach(struct end *end, int fd, enum side self, enum side peer)
{
	struct channel_options options = {.self = self,
	    .peer = peer,
	    .zone = "planner",
	    .program = "test",
	    .attestation = SPAN("{}"),
	    .owner = &owner,
	    .context = end};

	*end = (struct end){0};
	end->channel = channel_new(loop, fd, fd, &options);
}

static void
on_stop(void *context)
{
	loop_stop(context);
}

static void
turn(int ms)
{
	struct watch *timer = loop_timer(loop, on_stop, loop);

	timer_set(timer, ms);
	loop_run(loop);
	loop_unwatch(timer);
}

/* Let the loop run until `*counter` has reached `wanted`, for 20 s at most. */
static void
turn_until(const int *counter, int wanted)
{
	for (int i = 0; i < 2000 && *counter < wanted; i++)
		turn(10);
	ck_assert_int_eq(*counter, wanted);
}

static int answers;
static int answer_error;

static void
on_answer(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message, int error)
{
	(void)channel;
	(void)context;
	(void)doc;
	(void)message;
	answers++;
	answer_error = error;
}

static int
ask(struct end *end, int64_t deadline_ms)
{
	struct message_writer m;
	int64_t id = channel_next_id(end->channel);

	message_begin(&m, channel_out(end->channel), METHOD_INBOX_LIST, id);
	ck_assert_int_eq(message_end(&m), 0);
	return channel_asked(end->channel, id, deadline_ms, on_answer, NULL);
}

static struct end planner, executor;

static void
pair_up(void)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	answers = 0;
	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	attach(&planner, ends[0], SIDE_PLANNER, SIDE_EXECUTOR);
	attach(&executor, ends[1], SIDE_EXECUTOR, SIDE_PLANNER);
	turn_until(&planner.opened, 1);
	turn_until(&executor.opened, 1);
}

static void
tear_down(void)
{
	channel_close(planner.channel, 0);
	channel_close(executor.channel, 0);
	turn(5);
	loop_free(loop);
}

START_TEST(hello_opens_both)
{
	pair_up();
	ck_assert_int_eq(planner.opened, 1);
	ck_assert_int_eq(executor.opened, 1);
	tear_down();
	ck_assert_int_eq(planner.closed, 1);
	ck_assert_int_eq(executor.closed, 1);
}
END_TEST

START_TEST(requests_are_answered)
{
	pair_up();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(ask(&planner, 30000), 0);
	turn_until(&answers, 10);
	ck_assert_int_eq(executor.received, 10);
	ck_assert_int_eq(answer_error, 0);
	tear_down();
}
END_TEST

START_TEST(too_many_open_requests)
{
	pair_up();
	executor.answer_later = true;
	for (int i = 0; i < CHANNEL_REQUESTS_MAX; i++)
		ck_assert_int_eq(ask(&planner, 30000), 0);
	ck_assert(!channel_can_ask(planner.channel));
	turn_until(&executor.received, CHANNEL_REQUESTS_MAX);
	for (int64_t id = 1; id <= CHANNEL_REQUESTS_MAX; id++)
		answer(&executor, id);
	turn_until(&answers, CHANNEL_REQUESTS_MAX);
	ck_assert(channel_can_ask(planner.channel));
	tear_down();
}
END_TEST

START_TEST(a_late_answer_is_a_deadline)
{
	pair_up();
	executor.answer_later = true;
	ck_assert_int_eq(ask(&planner, 20), 0);
	turn_until(&answers, 1);
	ck_assert_int_eq(answer_error, -ERR_DEADLINE);
	turn_until(&executor.cancelled, 1);
	ck_assert_int_eq(planner.closed, 0);
	tear_down();
}
END_TEST

START_TEST(closing_answers_who_waits)
{
	pair_up();
	executor.answer_later = true;
	ck_assert_int_eq(ask(&planner, 10000), 0);
	turn_until(&executor.received, 1);
	channel_close(executor.channel, 0);
	turn_until(&planner.closed, 1);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(answer_error, -ERR_CLOSED);
	tear_down();
}
END_TEST

START_TEST(large_answers_are_held_back)
{
	pair_up();
	channel_hold(planner.channel, true);
	executor.answer_bytes = 500000;
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ask(&planner, 30000), 0);
	turn(100);
	ck_assert_int_lt(executor.received, 10);
	ck_assert_uint_lt(
	    channel_queued(executor.channel), CHANNEL_HIGH_BYTES + 600000);
	channel_hold(planner.channel, false);
	turn_until(&answers, 20);
	ck_assert_int_eq(executor.received, 20);
	ck_assert_int_ge(executor.drained, 1);
	tear_down();
}
END_TEST

#define HELLO_TEXT                                                             \
	"{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{"               \
	"\"protocol\":1,\"zone\":\"planner\",\"program\":\"x\","               \
	"\"attestation\":{}}}"

/* Raw frames against an executor's end: what it says last, and how it ends. */
static const struct {
	const char *frames[3];
	int error;
	int received;
} raw_cases[] = {
    {{HELLO_TEXT, NULL}, 0, 0},
    {{HELLO_TEXT, HELLO_TEXT, NULL}, ERR_HELLO_TWICE, 0},
    {{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"inbox.list\"}", NULL},
	ERR_PHASE, 0},
    {{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL}, ERR_PHASE, 0},
    {{HELLO_TEXT, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}", NULL}, ERR_ID,
	0},
    {{HELLO_TEXT, "{}", NULL}, ERR_MISSING_KEY, 0},
    {{HELLO_TEXT, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"inbox.list\"}",
	 NULL},
	0, 1},
};

START_TEST(raw_bytes)
{
	struct frame_reader reader;
	struct span frame, last = {0};
	char code[16];
	struct buf out;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	attach(&executor, ends[1], SIDE_EXECUTOR, SIDE_PLANNER);
	buf_init(&out, 10000);
	for (int i = 0; i < 3 && raw_cases[_i].frames[i] != NULL; i++) {
		size_t head = frame_begin(&out);

		buf_add_text(&out, raw_cases[_i].frames[i]);
		ck_assert_int_eq(frame_end(&out, head), 0);
	}
	ck_assert_int_eq(write(ends[0], out.data, out.len), (ssize_t)out.len);
	turn_until(&executor.received, raw_cases[_i].received);
	turn_until(&executor.closed, raw_cases[_i].error != 0);
	turn(20);
	ck_assert_int_eq(executor.error, -raw_cases[_i].error);
	frame_reader_init(&reader);
	reader.in.len +=
	    (size_t)read(ends[0], frame_reader_room(&reader, 65536), 65536);
	while (frame_next(&reader, &frame) == 1)
		last = frame;
	if (raw_cases[_i].error != 0) {
		snprintf(code, sizeof code, "%d", raw_cases[_i].error);
		ck_assert_ptr_nonnull(memmem(last.p, last.n, code, 4));
	}
	frame_reader_done(&reader);
	buf_free(&out);
	close(ends[0]);
	turn_until(&executor.closed, 1);
	turn(5);
	loop_free(loop);
}
END_TEST

START_TEST(half_a_frame_then_the_end)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	attach(&executor, ends[1], SIDE_EXECUTOR, SIDE_PLANNER);
	ck_assert_int_eq(write(ends[0], "\0\0\0\x10half", 8), 8);
	ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
	turn_until(&executor.closed, 1);
	close(ends[0]);
	ck_assert_int_eq(executor.error, -ERR_FRAME_CUT);
	loop_free(loop);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("channel");
	TCase *tests = tcase_create("channel");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, hello_opens_both);
	tcase_add_test(tests, requests_are_answered);
	tcase_add_test(tests, too_many_open_requests);
	tcase_add_test(tests, a_late_answer_is_a_deadline);
	tcase_add_test(tests, closing_answers_who_waits);
	tcase_add_test(tests, large_answers_are_held_back);
	tcase_add_loop_test(
	    tests, raw_bytes, 0, sizeof raw_cases / sizeof raw_cases[0]);
	tcase_add_test(tests, half_a_frame_then_the_end);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
