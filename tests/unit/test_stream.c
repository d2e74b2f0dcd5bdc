/*
 * Streams through a real pair of channels: whole, bounded, and refused when a
 * sender breaks its word.
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/stream.h"
#include "tests/unit/run_suite.h"

#define BYTES 3000000

static struct loop *loop;
static struct stream_out out;
static struct stream_in in;
static int64_t most_ahead, taken;
static int ended, in_error;
static size_t others; /* bytes of another stream that are queued before */

static int64_t
hand_out(void *context, int64_t offset, void *to, size_t room)
{
	unsigned char *bytes = to;

	(void)context;
	for (size_t i = 0; i < room; i++)
		bytes[i] = (unsigned char)((offset + (int64_t)i) * 7);
	return (int64_t)room;
}

static int
take(void *context, struct span bytes)
{
	(void)context;
	for (size_t i = 0; i < bytes.n; i++)
		if ((unsigned char)bytes.p[i] !=
		    (unsigned char)((taken + (int64_t)i) * 7))
			return -ERR_CORRUPT;
	taken += (int64_t)bytes.n;
	return 0;
}

static int
on_opened(struct channel *channel, void *context, const struct json_doc *doc,
    const struct hello_params *hello)
{
	(void)doc;
	(void)hello;
	if (context == &out) {
		while (channel_queued(channel) < others)
			message_chunk(
			    channel_out(channel), 9, "no stream any more", 18);
		stream_out_init(&out, channel, 5, BYTES, hand_out, NULL);
		return stream_out_run(&out);
	}
	stream_in_init(&in, channel, 5, BYTES, take, NULL);
	return 0;
}

static int
on_received(struct channel *channel, void *context, const struct json_doc *doc,
    const struct message *message)
{
	int rc = 0;

	(void)channel;
	(void)context;
	(void)doc;
	if (message->method == METHOD_CREDIT) {
		rc = stream_out_credit(&out, message->params.credit.bytes);
		return rc != 0 ? rc : stream_out_run(&out);
	}
	if (message->method == METHOD_CHUNK &&
	    message->params.chunk.stream == 9)
		return 0;
	if (message->method == METHOD_CHUNK)
		rc = stream_in_chunk(&in, &message->params.chunk);
	else if (message->method == METHOD_END)
		rc = stream_in_end(&in, &message->params.end, NULL);
	if (message->method == METHOD_END && rc == 0)
		ended++;
	if (out.sent - taken > most_ahead)
		most_ahead = out.sent - taken;
	in_error = rc;
	return rc;
}

static void
on_drained(struct channel *channel, void *context)
{
	(void)channel;
	if (context == &out)
		stream_out_run(&out);
}

static void
on_closed(struct channel *channel, void *context, int error)
{
	(void)channel;
	(void)context;
	(void)error;
}

static const struct channel_owner owner = {
    .opened = on_opened,
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

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

static const size_t others_queued[] = {
    0, CHANNEL_LOW_BYTES + 1, CHANNEL_HIGH_BYTES + 1};

START_TEST(a_stream_arrives_whole_and_bounded)
{
	struct channel_options options = {.self = SIDE_EXECUTOR,
	    .peer = SIDE_READER,
	    .zone = "mail",
	    .program = "test",
	    .attestation = SPAN("{}"),
	    .owner = &owner,
	    .context = &out};
	struct channel *a, *b;
	int ends[2];

	others = others_queued[_i];
	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	a = channel_new(loop, ends[0], ends[0], &options);
	options.self = SIDE_READER;
	options.peer = SIDE_EXECUTOR;
	options.context = &in;
	b = channel_new(loop, ends[1], ends[1], &options);
	for (int i = 0; i < 100 && ended == 0; i++)
		turn(50);
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(taken, BYTES);
	ck_assert_int_le(most_ahead, CREDIT_BYTES);
	channel_close(a, 0);
	channel_close(b, 0);
	turn(5);
	stream_out_done(&out);
	stream_in_done(&in);
	loop_free(loop);
}
END_TEST

/* The receiver alone, fed by hand. `bytes` stays far below what would make it
 * give credit, so it needs no channel. */
static void
receiver(int64_t bytes)
{
	taken = 0;
	stream_in_init(&in, NULL, 5, bytes, take, NULL);
}

START_TEST(a_sender_that_breaks_its_word)
{
	struct chunk_params chunk = {5, SPAN("AAcO")};
	struct end_params end = {5, SPAN("")};
	char hash[65];
	unsigned char sha256[32];

	receiver(4);
	chunk.stream = 6;
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), -ERR_STREAM);
	chunk.stream = 5;
	chunk.data = SPAN("A===");
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), -ERR_SYNTAX);
	chunk.data = SPAN("AAcO");
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), 0);
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), -ERR_STREAM);
	memset(hash, '0', 64);
	hash[64] = '\0';
	end.sha256 = span_of(hash);
	ck_assert_int_eq(stream_in_end(&in, &end, NULL), -ERR_STREAM);
	stream_in_done(&in);
	receiver(3);
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), 0);
	ck_assert_int_eq(stream_in_end(&in, &end, NULL), -ERR_STREAM);
	stream_in_done(&in);
	receiver(3);
	ck_assert_int_eq(stream_in_chunk(&in, &chunk), 0);
	sha256_of("\0\7\16", 3, sha256);
	hex_encode(sha256, 32, hash);
	ck_assert_int_eq(stream_in_end(&in, &end, NULL), 0);
	stream_in_done(&in);
}
END_TEST

START_TEST(credit_is_not_overdrawn)
{
	static char data[CHUNK_BYTES / 3 * 4 + 1];
	struct chunk_params chunk = {5, {data, CHUNK_BYTES / 3 * 4}};
	int rc = 0;

	memset(data, 'A', CHUNK_BYTES / 3 * 4);
	receiver((int64_t)CREDIT_BYTES * 4);
	in.take = NULL; /* not reached when credit is checked first */
	in.credit = CHUNK_BYTES - 1;
	rc = stream_in_chunk(&in, &chunk);
	ck_assert_int_eq(rc, -ERR_CREDIT);
	stream_in_done(&in);
	stream_out_init(&out, NULL, 1, 10, hand_out, NULL);
	ck_assert_int_eq(stream_out_credit(&out, 1), -ERR_CREDIT);
	out.credit -= 5;
	ck_assert_int_eq(stream_out_credit(&out, 6), -ERR_CREDIT);
	ck_assert_int_eq(stream_out_credit(&out, 5), 0);
	stream_out_done(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tests = tcase_create("stream");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, a_stream_arrives_whole_and_bounded, 0, 3);
	tcase_add_test(tests, a_sender_that_breaks_its_word);
	tcase_add_test(tests, credit_is_not_overdrawn);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
