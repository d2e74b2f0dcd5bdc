/*
 * Inbox: the life of an item with every verb in every state, recovery,
 * retention and the session ledger.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "tests/unit/inbox_fixture.h"

#define DAY ((int64_t)86400000)

static int64_t session;

static void
setup(void)
{
	log_set_level(LOG_ERROR);
	folder_make("/tmp");
	OK(reopen(NULL));
	OK(inbox_session_new(
	    inbox, SPAN("planner"), SESSION_PER_TASK, &session));
}

static int64_t
put(const char *text)
{
	int64_t id = 0;
	bool twice = true;

	OK(deliver(text, strlen(text), &id, &twice));
	ck_assert(!twice);
	return id;
}

static enum inbox_state
state_of(int64_t id)
{
	struct inbox_item item;

	OK(inbox_get(inbox, id, &item));
	return item.state;
}

static void
clean(int64_t id)
{
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_done(inbox, id, SPAN("{\"v\":1}"), SPAN("{\"r\":1}")));
}

static void
claim(int64_t id)
{
	int64_t got = 0;

	OK(inbox_claim(inbox, session, &got));
	ck_assert_int_eq(got, id);
}

/* An item in that state; the only one in flight. */
static int64_t
item_in(enum inbox_state state)
{
	static int number;
	char text[32];
	enum inbox_state after;
	int64_t id;

	snprintf(text, sizeof text, "mail %d", ++number);
	id = put(text);
	if (state == INBOX_NEW)
		return id;
	if (state == INBOX_QUARANTINED) {
		for (int i = 0; i < INBOX_FAILURES_MAX; i++) {
			OK(inbox_clean_begin(inbox, id));
			OK(inbox_clean_failed(inbox, id, SPAN("bad"), &after));
		}
		return id;
	}
	if (state == INBOX_CLEANING) {
		OK(inbox_clean_begin(inbox, id));
		return id;
	}
	if (state == INBOX_HELD) {
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_suspect(
		    inbox, id, SPAN("{}"), SPAN("{}"), false));
		return id;
	}
	clean(id);
	if (state == INBOX_READY)
		return id;
	claim(id);
	if (state == INBOX_ACTED || state == INBOX_INTERRUPTED)
		OK(inbox_mark_acted(inbox, id, session));
	if (state == INBOX_DONE || state == INBOX_DROPPED)
		OK(inbox_finish(inbox, id, session, SPAN("ok")));
	if (state == INBOX_DROPPED)
		OK(inbox_drop(inbox, id));
	if (state == INBOX_INTERRUPTED) {
		OK(inbox_session_ended(inbox, session));
		OK(inbox_session_new(
		    inbox, SPAN("planner"), SESSION_PER_TASK, &session));
	}
	return id;
}

/* Verbs by number, so that a table can hold what each gives. */
enum verb {
	BEGIN,
	CLEANED,
	FAIL,
	ABANDON,
	ACT,
	FINISH,
	RELEASE,
	DROP,
	READ,
	VERBS
};

static int
run_verb(enum verb verb, int64_t id)
{
	enum inbox_state after;
	char byte[4];
	size_t got;

	switch (verb) {
	case BEGIN:
		return inbox_clean_begin(inbox, id);
	case CLEANED:
		return inbox_clean_done(inbox, id, SPAN("{}"), SPAN("{}"));
	case FAIL:
		return inbox_clean_failed(inbox, id, SPAN("why"), &after);
	case ABANDON:
		return inbox_clean_abandon(inbox, id);
	case ACT:
		return inbox_mark_acted(inbox, id, session);
	case FINISH:
		return inbox_finish(inbox, id, session, SPAN("done"));
	case RELEASE:
		return inbox_release(inbox, id);
	case DROP:
		return inbox_drop(inbox, id);
	default:
		return inbox_raw_read(inbox, id, 0, byte, sizeof byte, &got);
	}
}

/* State after each verb; -1: refused, and nothing changes. */
static const int lives[INBOX_STATE_COUNT][VERBS] = {
    /* BEGIN CLEANED FAIL ABANDON ACT FINISH RELEASE DROP READ */
    [INBOX_NEW] = {INBOX_CLEANING, -1, -1, -1, -1, -1, -1, INBOX_DROPPED,
	INBOX_NEW},
    [INBOX_CLEANING] = {-1, INBOX_READY, INBOX_NEW, INBOX_NEW, -1, -1, -1, -1,
	INBOX_CLEANING},
    [INBOX_READY] = {-1, -1, -1, -1, -1, -1, -1, INBOX_DROPPED, INBOX_READY},
    [INBOX_CLAIMED] = {-1, -1, -1, -1, INBOX_ACTED, INBOX_DONE, -1, -1,
	INBOX_CLAIMED},
    [INBOX_ACTED] = {-1, -1, -1, -1, INBOX_ACTED, INBOX_DONE, -1, -1,
	INBOX_ACTED},
    [INBOX_DONE] = {-1, -1, -1, -1, -1, -1, -1, INBOX_DROPPED, INBOX_DONE},
    [INBOX_QUARANTINED] = {-1, -1, -1, -1, -1, -1, INBOX_NEW, INBOX_DROPPED,
	INBOX_QUARANTINED},
    [INBOX_INTERRUPTED] = {-1, -1, -1, -1, -1, -1, INBOX_READY, INBOX_DROPPED,
	INBOX_INTERRUPTED},
    [INBOX_DROPPED] = {-1, -1, -1, -1, -1, -1, -1, INBOX_DROPPED, -1},
    [INBOX_HELD] = {-1, -1, -1, -1, -1, -1, -1, INBOX_DROPPED, INBOX_HELD},
};

/* The counts kept in memory are those on disk. */
static void
check_counts(void)
{
	struct inbox_counts kept = inbox_counts(inbox);
	struct inbox_counts fresh;

	ck_assert_uint_eq(kept.items[INBOX_CLEANING], 0);
	ck_assert_uint_eq(kept.items[INBOX_CLAIMED], 0);
	ck_assert_uint_eq(kept.items[INBOX_ACTED], 0);
	OK(reopen(NULL));
	fresh = inbox_counts(inbox);
	ck_assert_mem_eq(&kept, &fresh, sizeof kept);
	OK(inbox_check(inbox));
}

START_TEST(every_verb_in_every_state)
{
	int verb = _i % VERBS;
	enum inbox_state from = (enum inbox_state)(_i / VERBS);
	int64_t id = item_in(from);
	int want = lives[from][verb];
	int error = run_verb((enum verb)verb, id);

	ck_assert_int_eq(error, want < 0 ? -ERR_WRONG_STATE : 0);
	ck_assert_int_eq((int)state_of(id), want < 0 ? (int)from : want);
	REFUSED(ERR_NOT_FOUND, run_verb((enum verb)verb, id + 1));
	REFUSED(ERR_NOT_FOUND, run_verb((enum verb)verb, 0));
	REFUSED(ERR_NOT_FOUND, run_verb((enum verb)verb, INT64_MIN));
	if (state_of(id) == INBOX_CLEANING)
		OK(inbox_clean_done(inbox, id, SPAN("{}"), SPAN("{}")));
	OK(inbox_session_ended(inbox, session));
	check_counts();
}
END_TEST

START_TEST(whole_life)
{
	struct inbox_item item;
	struct buf out;
	int64_t id = put("From: a\n\nbody"), next = 0, none = 77;

	REFUSED(ERR_NOT_FOUND, inbox_next_new(inbox, SPAN("mai"), &next));
	OK(inbox_next_new(inbox, SPAN("mail"), &next));
	ck_assert_int_eq(next, id);
	REFUSED(ERR_NOT_FOUND, inbox_claim(inbox, session, &none));
	ck_assert_int_eq(none, 77);
	clean(id);
	REFUSED(ERR_NOT_FOUND, inbox_next_new(inbox, SPAN("mail"), &next));
	buf_init(&out, 100);
	OK(inbox_clean_text(inbox, id, &out));
	OK(inbox_record_text(inbox, id, &out));
	ck_assert_uint_eq(out.len, 14);
	ck_assert_mem_eq(out.data, "{\"v\":1}{\"r\":1}", 14);
	claim(id);
	REFUSED(
	    ERR_WRONG_STATE, inbox_finish(inbox, id, session + 1, SPAN("x")));
	OK(inbox_mark_acted(inbox, id, session));
	OK(inbox_finish(inbox, id, session, SPAN("a\0b\xff\xc3\xa9")));
	OK(inbox_get(inbox, id, &item));
	ck_assert_str_eq(item.note, "a?b?\xc3\xa9");
	ck_assert_str_eq(item.channel, "mail");
	ck_assert_uint_eq(item.bytes, 13);
	ck_assert_uint_eq(item.failures, 0);
	ck_assert_uint_eq(item.attempts, 1);
	ck_assert_int_eq(item.session, session);
	ck_assert_int_ge(item.changed_ms, item.arrived_ms);
	OK(inbox_drop(inbox, id));
	REFUSED(ERR_WRONG_STATE, inbox_clean_text(inbox, id, &out));
	REFUSED(ERR_NOT_FOUND, inbox_clean_text(inbox, 99, &out));
	buf_free(&out);
	check_counts();
}
END_TEST

START_TEST(notes_are_cut_between_characters)
{
	char text[3 * INBOX_NOTE_MAX_BYTES + 2] = "x";
	struct inbox_item item;
	enum inbox_state after = INBOX_DONE;
	int64_t id = put("m");

	for (size_t i = 1; i < sizeof text - 1; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_failed(
	    inbox, id, (struct span){text, sizeof text - 1}, &after));
	ck_assert_int_eq(after, INBOX_NEW);
	OK(inbox_get(inbox, id, &item));
	ck_assert_uint_eq(strlen(item.note), 298);
	ck_assert(utf8_check(item.note, strlen(item.note)));
}
END_TEST

struct settled {
	int64_t id;
	int count;
	struct inbox_settled last;
};

static void
on_settled(const struct inbox_settled *settled, void *arg)
{
	struct settled *told = arg;

	ck_assert_int_eq(settled->id, told->id);
	told->last = *settled;
	told->count++;
}

/* What becomes of an item, and that it is told, once. */
START_TEST(restart_settles)
{
	static const struct {
		enum inbox_state before, after;
	} rows[] = {
	    {INBOX_NEW, INBOX_NEW},
	    {INBOX_CLEANING, INBOX_NEW},
	    {INBOX_READY, INBOX_READY},
	    {INBOX_CLAIMED, INBOX_READY},
	    {INBOX_ACTED, INBOX_INTERRUPTED},
	    {INBOX_DONE, INBOX_DONE},
	    {INBOX_QUARANTINED, INBOX_QUARANTINED},
	    {INBOX_INTERRUPTED, INBOX_INTERRUPTED},
	    {INBOX_DROPPED, INBOX_DROPPED},
	    {INBOX_HELD, INBOX_HELD},
	};
	int64_t id = item_in(rows[_i].before), got = 0;
	struct settled told = {.id = id};

	OK(reopen(NULL));
	ck_assert_int_eq(state_of(id), rows[_i].after);
	inbox_settled(inbox, on_settled, &told);
	ck_assert_int_eq(told.count, rows[_i].before != rows[_i].after);
	inbox_settled(inbox, on_settled, &told);
	ck_assert_int_eq(told.count, rows[_i].before != rows[_i].after);
	if (told.count == 1) {
		ck_assert_int_eq(told.last.from, rows[_i].before);
		ck_assert_int_eq(told.last.to, rows[_i].after);
	}
	if (rows[_i].after == INBOX_INTERRUPTED && told.count == 1)
		ck_assert_int_eq(told.last.session, session);
	REFUSED(
	    ERR_WRONG_STATE, inbox_finish(inbox, id, session, SPAN("late")));
	if (rows[_i].after == INBOX_INTERRUPTED)
		REFUSED(ERR_NOT_FOUND, inbox_claim(inbox, session, &got));
	check_counts();
}
END_TEST

static void
check_tries(
    int64_t id, enum inbox_state state, unsigned failures, unsigned attempts)
{
	struct inbox_item item;

	OK(inbox_get(inbox, id, &item));
	ck_assert_int_eq(item.state, state);
	ck_assert_uint_eq(item.failures, failures);
	ck_assert_uint_eq(item.attempts, attempts);
	if (state == INBOX_QUARANTINED)
		ck_assert_uint_ne(strlen(item.note), 0);
}

/* The service dies with it, again and again: an innocent item outlives many
 * of that, one that kills the service does not loop. */
START_TEST(service_dies_while_cleaning)
{
	int64_t id = put("m");

	for (unsigned i = 1; i <= INBOX_ATTEMPTS_MAX; i++) {
		OK(inbox_clean_begin(inbox, id));
		check_tries(id, INBOX_CLEANING, 0, i);
		OK(reopen(NULL));
		check_tries(id,
		    i < INBOX_ATTEMPTS_MAX ? INBOX_NEW : INBOX_QUARANTINED, 0,
		    i);
	}
	OK(inbox_release(inbox, id));
	check_tries(id, INBOX_NEW, 0, 0);
	clean(id);
	check_tries(id, INBOX_READY, 0, 1);
	check_counts();
}
END_TEST

START_TEST(readers_fail)
{
	enum inbox_state after = INBOX_DONE;
	int64_t id = put("m");

	for (int i = 0; i < 5; i++) { /* these cost nothing */
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_abandon(inbox, id));
		check_tries(id, INBOX_NEW, 0, 0);
	}
	for (unsigned i = 1; i < INBOX_ATTEMPTS_MAX; i++) {
		OK(inbox_clean_begin(inbox, id));
		OK(reopen(NULL));
	}
	OK(inbox_clean_begin(inbox, id));
	OK(inbox_clean_failed(inbox, id, SPAN("bad"), &after));
	ck_assert_int_eq(after, INBOX_QUARANTINED); /* no attempt is left */
	check_tries(id, after, 1, INBOX_ATTEMPTS_MAX);
	OK(inbox_release(inbox, id));
	for (unsigned i = 1; i <= INBOX_FAILURES_MAX; i++) {
		OK(inbox_clean_begin(inbox, id));
		OK(reopen(NULL)); /* costs an attempt, no failure */
		OK(inbox_clean_begin(inbox, id));
		OK(inbox_clean_failed(inbox, id, SPAN("bad"), &after));
		check_tries(id, after, i, 2 * i);
	}
	ck_assert_int_eq(after, INBOX_QUARANTINED);
	REFUSED(ERR_WRONG_STATE, inbox_clean_begin(inbox, id));
	check_counts();
}
END_TEST

/* One channel's items do not wait for another's reader. */
START_TEST(channels_are_apart)
{
	struct inbox_stage *stage;
	int64_t other = 0, mail, next = 0;
	bool twice;

	OK(inbox_stage_begin(inbox, SPAN("web"), 1, &stage));
	OK(inbox_stage_add(stage, "w", 1));
	OK(inbox_stage_commit(stage, NULL, &other, &twice));
	mail = put("m");
	OK(inbox_next_new(inbox, SPAN("mail"), &next));
	ck_assert_int_eq(next, mail);
	OK(inbox_next_new(inbox, SPAN("web"), &next));
	ck_assert_int_eq(next, other);
	check_counts();
}
END_TEST

static bool
gather(const struct inbox_item *item, void *arg)
{
	char *out = arg;
	size_t used = strlen(out);

	snprintf(out + used, 100 - used, "%" PRId64 "%c ", item->id,
	    *inbox_state_name(item->state));
	if (item->state == INBOX_NEW) /* may use the inbox meanwhile */
		OK(inbox_clean_begin(inbox, item->id));
	return item->id != 4;
}

START_TEST(listing)
{
	char out[100] = "";
	struct inbox_filter filter = {.states = 0};

	for (int i = 0; i < 5; i++)
		put((char[]){(char)('a' + i), 0});
	filter.most = 2;
	OK(inbox_list(inbox, &filter, gather, out));
	filter.most = 0;
	filter.after = 1;
	OK(inbox_list(inbox, &filter, gather, out));
	filter.after = INT64_MIN;
	filter.states = 1u << INBOX_NEW;
	OK(inbox_list(inbox, &filter, gather, out));
	filter.after = INT64_MAX;
	OK(inbox_list(inbox, &filter, gather, out));
	ck_assert_str_eq(out, "1n 2n 2c 3n 4n 5n ");
	ck_assert_int_eq(inbox_state_find(SPAN("acted")), INBOX_ACTED);
	ck_assert_int_eq(inbox_state_find(SPAN("x")), INBOX_STATE_COUNT);
}
END_TEST

static bool
gather_session(const struct inbox_session *s, void *arg)
{
	char *out = arg;
	size_t used = strlen(out);

	snprintf(out + used, 100 - used, "%" PRId64 "%s%u ", s->id,
	    s->ended_ms == 0 ? "+" : "-", s->legs);
	return true;
}

START_TEST(sessions)
{
	struct inbox_session s;
	char all[100] = "", live[100] = "";
	int64_t standing, same, brief, got, a = put("a"), b = put("b");

	OK(inbox_session_new(inbox, SPAN("z"), SESSION_STANDING, &standing));
	OK(inbox_session_new(inbox, SPAN("z"), SESSION_PER_MESSAGE, &brief));
	REFUSED(ERR_RANGE,
	    inbox_session_new(inbox, SPAN(""), SESSION_PER_TASK, &same));
	REFUSED(ERR_RANGE,
	    inbox_session_new(inbox, SPAN("z"), SESSION_MODE_COUNT, &same));
	OK(inbox_session_add_legs(inbox, standing, 1));
	OK(inbox_session_add_legs(inbox, standing, 4));
	REFUSED(ERR_RANGE, inbox_session_add_legs(inbox, standing, 8));
	REFUSED(ERR_NOT_FOUND, inbox_session_add_legs(inbox, 99, 1));
	clean(a);
	clean(b);
	REFUSED(ERR_NOT_FOUND, inbox_claim(inbox, 99, &got));
	OK(inbox_claim(inbox, brief, &got));
	OK(inbox_mark_acted(inbox, a, brief));
	OK(inbox_claim(inbox, brief, &got));
	OK(inbox_session_ended(inbox, brief));
	OK(inbox_session_ended(inbox, brief));
	ck_assert_int_eq(state_of(a), INBOX_INTERRUPTED);
	ck_assert_int_eq(state_of(b), INBOX_READY);
	REFUSED(ERR_WRONG_STATE, inbox_claim(inbox, brief, &got));
	REFUSED(ERR_WRONG_STATE, inbox_session_add_legs(inbox, brief, 1));
	OK(inbox_session_ended(inbox, standing));
	OK(reopen(NULL));
	OK(inbox_session_new(inbox, SPAN("z"), SESSION_STANDING, &same));
	ck_assert_int_eq(same, standing);
	OK(inbox_session_get(inbox, standing, &s));
	ck_assert(s.legs == 5 && s.ended_ms == 0);
	ck_assert_str_eq(s.zone, "z");
	ck_assert_str_eq(session_mode_name(s.mode), "standing");
	REFUSED(ERR_NOT_FOUND, inbox_session_get(inbox, INT64_MIN, &s));
	inbox_session_list(inbox, 0, false, gather_session, all);
	inbox_session_list(inbox, 0, true, gather_session, live);
	ck_assert_str_eq(all, "1+0 2+5 3-0 ");
	ck_assert_str_eq(live, "1+0 2+5 ");
}
END_TEST

static struct inbox_counts
expire_all(int64_t now_ms)
{
	bool more = true;

	while (more)
		OK(inbox_expire(inbox, now_ms, &more));
	return inbox_counts(inbox);
}

/* The same with a minute's calls, for as long as it takes to get there. */
static struct inbox_counts
expire_slowly(int64_t now_ms, int days)
{
	for (int hours = 0; hours <= days * 24; hours++)
		expire_all(now_ms);
	return inbox_counts(inbox);
}

START_TEST(retention)
{
	struct inbox_limits limits = {.stubs = 5};
	struct count_keys keys = {.destinations = 0};
	struct leak leak = {.bytes = 7};
	struct inbox_session s;
	struct inbox_counts counts;
	struct timespec clock;
	int64_t now, id;
	bool twice;
	char text[16];

	clock_gettime(CLOCK_REALTIME, &clock);
	now = (int64_t)clock.tv_sec * 1000;
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof text, "%d", i);
		clean(id = put(text));
		claim(id);
		OK(inbox_finish(inbox, id, session, SPAN("ok")));
	}
	item_in(INBOX_QUARANTINED);
	OK(inbox_leak_save(inbox, session, &leak, &keys));
	OK(inbox_session_ended(inbox, session));
	counts = expire_slowly(now + 29 * DAY, 29);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 150);
	counts = expire_slowly(now + 31 * DAY, 2);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 0);
	ck_assert_uint_eq(counts.items[INBOX_DROPPED], 150);
	OK(deliver("7", 1, &id, &twice));
	ck_assert(twice);
	OK(inbox_session_get(inbox, session, &s));
	OK(reopen(&limits));
	counts = expire_all(now + 31 * DAY);
	ck_assert_uint_eq(counts.items[INBOX_DROPPED], 5);
	counts = expire_slowly(now + 400 * DAY, 400);
	ck_assert_uint_eq(counts.items[INBOX_DROPPED], 0);
	ck_assert_uint_eq(counts.items[INBOX_QUARANTINED], 1);
	REFUSED(ERR_NOT_FOUND, inbox_session_get(inbox, session, &s));
	/* with it what it leaked */
	OK(inbox_leak_load(inbox, session, &leak));
	ck_assert_uint_eq(leak.bytes, 0);
	check_counts();
}
END_TEST

/* A clock that is a year ahead for some hours, also over a restart. */
START_TEST(wrong_clock)
{
	int64_t now, id = item_in(INBOX_DONE);
	struct inbox_item item;
	struct inbox_counts counts;

	OK(inbox_get(inbox, id, &item));
	now = item.changed_ms;
	counts = expire_slowly(now + 365 * DAY, 20);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 1);
	OK(reopen(NULL));
	counts = expire_slowly(now + 365 * DAY, 20);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 1);
	/* mended; and wrong again */
	counts = expire_all(now + DAY);
	counts = expire_slowly(now + 365 * DAY, 20);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 1);
	/* it was not wrong */
	counts = expire_slowly(now + 365 * DAY, 20);
	ck_assert_uint_eq(counts.items[INBOX_DONE], 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inbox");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, folder_remove);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(
	    tests, every_verb_in_every_state, 0, INBOX_STATE_COUNT * VERBS);
	tcase_add_test(tests, whole_life);
	tcase_add_test(tests, notes_are_cut_between_characters);
	tcase_add_loop_test(tests, restart_settles, 0, INBOX_STATE_COUNT);
	tcase_add_test(tests, service_dies_while_cleaning);
	tcase_add_test(tests, readers_fail);
	tcase_add_test(tests, channels_are_apart);
	tcase_add_test(tests, listing);
	tcase_add_test(tests, sessions);
	tcase_add_test(tests, retention);
	tcase_add_test(tests, wrong_clock);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
