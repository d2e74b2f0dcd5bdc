/*
 * Limits, counters and the leak meter: what a call takes, whom it counts for,
 * windows that slide, tables that fill up, money that is kept; and decide()
 * over them, with a kind that sends mail to addresses and pays (the stub of
 * tests/replay).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "inbox_fixture.h"
#include "linear.h"
#include "run_suite.h"
#include "trial.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

#define LIMIT(id, capability, of, per, window, most, verdict)                  \
	"{\"id\":\"" id "\",\"why\":\"w\",\"capability\":" capability          \
	",\"of\":\"" of "\",\"per\":\"" per "\",\"window\":\"" window          \
	"\",\"most\":" most ",\"verdict\":\"" verdict "\"}"
#define LIMITS(list) ",\"limits\":[" list "]"

static const struct {
	const char *text;
	uint64_t hundredths;
} amounts[] = {
    {"0", 0},
    {"12", 1200},
    {"12.5", 1250},
    {"12.50", 1250},
    {"12.501", 1251},
    {"0.001", 1},
    {"12.500", 1250},
    {"-1", AMOUNT_UNKNOWN},
    {"1e9", AMOUNT_UNKNOWN},
    {"", AMOUNT_UNKNOWN},
    {"1.", AMOUNT_UNKNOWN},
    {".5", AMOUNT_UNKNOWN},
    {"1,5", AMOUNT_UNKNOWN},
    {"999999999999999999999", AMOUNT_UNKNOWN},
    {" 1", AMOUNT_UNKNOWN},
    {"true", AMOUNT_UNKNOWN},
    {"1.2.3", AMOUNT_UNKNOWN},
};

START_TEST(reads_amounts)
{
	ck_assert_uint_eq(
	    amount_parse(span_of(amounts[_i].text)), amounts[_i].hundredths);
}
END_TEST

/* The broker is one process, so a burst is one call after another. */
START_TEST(burst_of_64_against_10)
{
	struct trial t;
	unsigned done = 0;

	trial_begin(&t, policy_of(LIMITS(LIMIT("ten", "\"mail.send\"", "calls",
				      "capability", "1h", "10", "deny")),
			    "", ""));
	for (int i = 0; i < 64; i++)
		done += strcmp(mail_to(&t, "a@b.example"), "yes") == 0;
	ck_assert_uint_eq(done, 10);
	ck_assert_str_eq(t.decision.rule, "limit");
	ck_assert_int_eq(t.decision.error, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(t.decision.detail, "\"ten\""));
	/* another capability, another budget: none */
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":1}"), "yes");
	/* it slides: nothing is free before the hour is over */
	t.now += HOUR - 1;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	t.now += 2 * MINUTE;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	trial_end(&t);
}
END_TEST

START_TEST(gives_back)
{
	struct trial t;

	trial_begin(&t, policy_of(LIMITS(LIMIT("one", "\"*\"", "calls",
				      "session", "24h", "1", "ask")),
			    "", ""));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	counters_give_back(t.counters, t.policy, &t.charge, t.now + HOUR);
	t.now += 2 * HOUR;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	ck_assert_int_eq(t.decision.verdict, VERDICT_ASK);
	ck_assert_int_eq(t.decision.error, ERR_DENIED);
	/* what has fallen out is not taken from others */
	counters_give_back(t.counters, t.policy, &t.charge, t.now + 100 * HOUR);
	t.session = 2;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	trial_end(&t);
}
END_TEST

START_TEST(destinations)
{
	char list[4096] = "{\"to\":[", one[64];
	struct trial t;

	trial_begin(&t, policy_of(LIMITS(LIMIT("each", "\"*\"", "calls",
				      "destination", "1d", "1", "deny")),
			    "", ""));
	ck_assert_str_eq(mail_to(&t, "Ann@B.example"), "yes");
	ck_assert_str_eq(mail_to(&t, " ann@b.example "), "limit");
	ck_assert_str_eq(mail_to(&t, "bob@b.example"), "yes");
	/* with one of many that had his */
	ck_assert_str_eq(call(&t, "mail.send",
			     "{\"to\":[\"new@b.example\",\"ANN@b.example\"]}"),
	    "limit");
	ck_assert_str_eq(
	    call(&t, "mail.send", "{\"to\":[\"new@b.example\"]}"), "yes");
	/* none named: its capability's */
	ck_assert_str_eq(call(&t, "mail.send", "{}"), "yes");
	ck_assert_str_eq(call(&t, "mail.send", "{\"text\":\"x\"}"), "limit");
	/* more than are looked at */
	for (int i = 0; i < 17; i++) {
		snprintf(one, sizeof one, "%s\"n%d@c.example\"",
		    i == 0 ? "" : ",", i);
		strcat(list, one);
	}
	strcat(list, "]}");
	ck_assert_str_eq(call(&t, "mail.send", list), "limit");
	trial_end(&t);
}
END_TEST

/* A full table denies whom it has no room for, and nobody else. */
START_TEST(full_table)
{
	struct trial t;
	char to[40];

	trial_begin(&t, policy_of(LIMITS(LIMIT("each", "\"*\"", "calls",
				      "destination", "1h", "2", "deny")),
			    "", ""));
	for (unsigned i = 0; i < COUNTER_KEYS; i++) {
		snprintf(to, sizeof to, "n%u@b.example", i);
		ck_assert_str_eq(mail_to(&t, to), "yes");
	}
	ck_assert_str_eq(mail_to(&t, "one.more@b.example"), "limit");
	ck_assert_str_eq(mail_to(&t, "n3@b.example"), "yes");
	t.now += 2 * HOUR; /* what is over makes room */
	ck_assert_str_eq(mail_to(&t, "one.more@b.example"), "yes");
	trial_end(&t);
}
END_TEST

START_TEST(bytes_and_money)
{
	struct trial t;

	trial_begin(&t,
	    policy_of(LIMITS(LIMIT("b", "\"mail.send\"", "bytes", "session",
			  "1h", "100", "deny") "," LIMIT("m", "[\"bank.pay\"]",
			  "money", "session", "24h", "20.50", "deny")),
		"", ""));
	/* {"to":"a@b.example","text":"hello"} has 36 bytes */
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":20.501}"), "limit");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":20}"), "yes");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":\"0.50\"}"), "yes");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":0.01}"), "limit");
	t.session = 2;
	/* an amount that cannot be told is more than any */
	ck_assert_str_eq(call(&t, "bank.pay", "{\"to\":\"x\"}"), "limit");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":-5}"), "limit");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":1e1}"), "limit");
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":[1]}"), "limit");
	trial_end(&t);
}
END_TEST

/* Another policy with the same limit: what was taken stays. */
START_TEST(kept_over_reload)
{
	const char *first = LIMITS(LIMIT(
	    "a", "\"*\"", "calls", "session", "1h", "5", "deny") "," LIMIT("b",
	    "\"*\"", "calls", "capability", "1h", "2", "deny"));
	const char *second = LIMITS(LIMIT(
	    "b", "\"mail.send\"", "calls", "capability", "1h", "3", "deny"));
	struct trial t;

	trial_begin(&t, policy_of(first, "", ""));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	policy_free(t.policy);
	t.policy = policy_of(second, "", "");
	counters_adopt(t.counters, t.policy, t.now);
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	trial_end(&t);
}
END_TEST

static bool
adopt(struct trial *t, const char *limits)
{
	policy_free(t->policy);
	t->policy = policy_of(limits, "", "");
	return counters_adopt(t->counters, t->policy, t->now);
}

/* Another window hands out no budget anew. */
START_TEST(other_window)
{
	struct trial t;

	trial_begin(&t, policy_of(LIMITS(LIMIT("a", "\"*\"", "calls", "session",
				      "1h", "2", "deny")),
			    "", ""));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	t.now += 50 * MINUTE;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	adopt(&t,
	    LIMITS(LIMIT("a", "\"*\"", "calls", "session", "7d", "2", "deny")));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	t.now += 24 * HOUR;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	adopt(&t, LIMITS(LIMIT(
		      "a", "\"*\"", "calls", "session", "30m", "2", "deny")));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	adopt(&t,
	    LIMITS(LIMIT("a", "\"*\"", "calls", "session", "1m", "1", "deny")));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	t.now += 3 * MINUTE;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	trial_end(&t);
}
END_TEST

/* What a limit has not counted is not taken from what it has. */
START_TEST(refund_after_reload)
{
	struct charge before;
	struct trial t;

	trial_begin(&t, policy_of("", "", ""));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	before = t.charge;
	adopt(&t,
	    LIMITS(LIMIT("a", "\"*\"", "calls", "session", "1h", "1", "deny")));
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	counters_give_back(t.counters, t.policy, &before, t.now);
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "limit");
	trial_end(&t);
}
END_TEST

#define PAID(window)                                                           \
	LIMITS(LIMIT("m", "\"bank.pay\"", "money", "capability", window,       \
	    "100", "deny"))

/* Nor does money, of which the inbox knows more than the old window. */
START_TEST(money_of_other_window)
{
	struct trial t;

	folder_make("/tmp");
	OK(reopen(NULL));
	trial_begin(&t, policy_of(PAID("1h"), "", ""));
	t.now = clock_ms();
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":70}"), "yes");
	OK(inbox_spent_add(inbox, t.policy, &t.charge));
	ck_assert(!adopt(&t, PAID("1h")));
	ck_assert(adopt(&t, PAID("31d")));
	OK(inbox_spent_load(inbox, t.counters));
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":30.01}"), "limit");
	/* once, not twice */
	ck_assert(!adopt(&t, PAID("31d")));
	OK(inbox_spent_load(inbox, t.counters));
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":30}"), "yes");
	/* a clock far ahead erases nothing that it did not write */
	OK(inbox_spent_expire(inbox, INT64_C(4102444800000)));
	ck_assert(adopt(&t, PAID("7d")));
	OK(inbox_spent_load(inbox, t.counters));
	ck_assert_str_eq(
	    call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":30.01}"), "limit");
	trial_end(&t);
	folder_remove();
}
END_TEST

/* Money is on disk before the order leaves, also for who kills the service
 * then; what was given back is not. */
START_TEST(money_outlives_kill)
{
	const char *limits = LIMITS(LIMIT(
	    "m", "\"bank.pay\"", "money", "capability", "24h", "100", "deny"));
	int status;
	pid_t pid;

	folder_make("/tmp");
	pid = fork();
	if (pid == 0) {
		struct trial t;

		OK(reopen(NULL));
		trial_begin(&t, policy_of(limits, "", ""));
		call(&t, "bank.pay", "{\"to\":\"x\",\"amount\":70}");
		OK(inbox_spent_add(inbox, t.policy, &t.charge));
		call(&t, "bank.pay", "{\"to\":\"y\",\"amount\":20}");
		OK(inbox_spent_add(inbox, t.policy, &t.charge));
		OK(inbox_spent_remove(inbox, &t.charge));
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	OK(reopen(NULL));
	{
		struct trial t;

		trial_begin(&t, policy_of(limits, "", ""));
		t.now = clock_ms();
		OK(inbox_spent_load(inbox, t.counters));
		ck_assert_str_eq(
		    call(&t, "bank.pay", "{\"to\":\"z\",\"amount\":30.01}"),
		    "limit");
		ck_assert_str_eq(
		    call(&t, "bank.pay", "{\"to\":\"z\",\"amount\":30}"),
		    "yes");
		trial_end(&t);
	}
	folder_remove();
}
END_TEST

/* The meter: what is neither the operator's nor his own, by destination. */
START_TEST(leak_meter)
{
	struct trial t;
	char text[200];

	trial_begin(&t, policy_of(",\"leak\":{\"bytes_per_destination\":10,"
				  "\"bytes_per_session\":25}",
			    "", ""));
	OK(facts_add_words(t.facts, SPAN("say hello to her")));
	for (char name[] = "a@b.example"; name[0] <= 'd'; name[0]++)
		facts_add(t.facts, VALUE_ADDRESS,
		    (struct span){name, strlen(name)}, ORIGIN_BOOK);
	/* nothing was read yet */
	ck_assert_str_eq(call(&t, "mail.send",
			     "{\"to\":\"a@b.example\",\"text\":\"0123456789"
			     "0123456789\"}"),
	    "yes");
	ck_assert_uint_eq(t.leak.bytes, 0);
	t.legs = LEG_A;
	ck_assert_str_eq(mail_to(&t, "a@b.example"), "yes");
	ck_assert_uint_eq(t.leak.bytes, 0); /* "hello" is his own word */
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text,
		    "{\"to\":\"%s@b.example\",\"text\":[\"12345\",\"abc\"]}",
		    i < 2    ? "a"
		    : i == 2 ? "b"
			     : "c");
		ck_assert_str_eq(
		    call(&t, "mail.send", text), i == 1 ? "leak" : "yes");
	}
	ck_assert_int_eq(t.decision.verdict, VERDICT_ALLOW);
	ck_assert_uint_eq(t.leak.bytes, 24);
	ck_assert_uint_eq(t.leak.fields, 6);
	ck_assert_uint_eq(t.leak.count, 3);
	ck_assert_str_eq(
	    call(&t, "mail.send", "{\"to\":\"d@b.example\",\"text\":\"ab\"}"),
	    "leak");
	ck_assert_int_eq(t.decision.verdict, VERDICT_ASK);
	ck_assert_ptr_nonnull(strstr(t.decision.detail, "session"));
	trial_end(&t);
}
END_TEST

/* What was read can leave in an address or a URL as well as in a text. */
START_TEST(leak_meter_of_destinations)
{
	struct trial t;

	trial_begin(
	    &t, policy_of(",\"leak\":{\"bytes_per_session\":30}", "", ""));
	OK(facts_add_words(t.facts, SPAN("say hello to ben@b.example")));
	facts_add(
	    t.facts, VALUE_ADDRESS, SPAN("ann@b.example"), ORIGIN_UNVERIFIED);
	facts_add_prose(t.facts, SPAN("or secret@b.example"), ORIGIN_PROSE);
	t.legs = LEG_A;
	ck_assert_str_eq(mail_to(&t, "ben@b.example"), "yes");
	ck_assert_str_eq(mail_to(&t, "ann@b.example"), "yes");
	ck_assert_uint_eq(t.leak.bytes, 0);
	ck_assert_str_eq(mail_to(&t, "secret@b.example"), "yes");
	ck_assert_uint_eq(t.leak.bytes, strlen("secret@b.example"));
	ck_assert_uint_eq(t.leak.fields, 1);
	ck_assert_str_eq(mail_to(&t, "the.secret@b.example"), "leak");
	trial_end(&t);
}
END_TEST

START_TEST(leak_meter_fills_up)
{
	struct trial t;
	char to[40];

	trial_begin(&t, policy_of(",\"leak\":{\"verdict\":\"deny\"}", "", ""));
	t.legs = LEG_B;
	for (unsigned i = 0; i < LEAK_DESTINATIONS; i++) {
		snprintf(to, sizeof to, "n%u@b.example", i);
		ck_assert_str_eq(mail_to(&t, to), "yes");
	}
	ck_assert_str_eq(mail_to(&t, "one.more@b.example"), "leak");
	ck_assert_int_eq(t.decision.error, ERR_LIMIT);
	ck_assert_str_eq(mail_to(&t, "n1@b.example"), "yes");
	trial_end(&t);
}
END_TEST

START_TEST(leak_meter_is_kept)
{
	struct count_keys keys = {.destinations = 1};
	destination_labels labels = {"a@b.example"};
	struct leak leak = {0}, got;

	folder_make("/tmp");
	OK(reopen(NULL));
	for (int i = 0; i < 2; i++) {
		leak_add(&leak, &keys, labels, 1000, 2);
		OK(inbox_leak_save(inbox, 7, &leak, &keys));
	}
	OK(reopen(NULL));
	OK(inbox_leak_load(inbox, 8, &got));
	ck_assert_uint_eq(got.bytes, 0);
	OK(inbox_leak_load(inbox, 7, &got));
	ck_assert_uint_eq(got.bytes, 2000);
	ck_assert_uint_eq(got.fields, 4);
	ck_assert_uint_eq(got.count, 1);
	ck_assert_uint_eq(got.at[0].bytes, 2000);
	ck_assert_str_eq(got.at[0].label, "a@b.example");
	folder_remove();
}
END_TEST

/* Recipients against sets, each of them. */
static const struct {
	const char *from, *to, *rule;
} recipients[] = {
    {"book", "\"Friend@known.example\"", "yes"},
    {"book", "[\"friend@known.example\"]", "yes"},
    {"book", "[\"friend@known.example\",\"evil@x.example\"]", "default"},
    {"book", "\"friend@known.example, evil@x.example\"", "default"},
    {"book", "\"friend@known.example\\nBcc: evil@x.example\"", "default"},
    {"book", "\"Friend <friend@known.example>\"", "default"},
    {"book", "\"friend@known.example.evil.example\"", "default"},
    {"book", "\"writer@seen.example\"", "default"},
    {"book", "[]", "default"},
    {"book", "{\"friend@known.example\":\"evil@x.example\"}", "default"},
    {"verified", "\"writer@seen.example\"", "yes"},
    {"verified", "\"forged@seen.example\"", "default"},
    {"verified", "\"friend@known.example\"", "default"},
    {"party", "\"other@seen.example\"", "yes"},
    {"party", "\"writer@seen.example\"", "default"},
    {"self", "\"me@op.example\"", "yes"},
    {"self", "\"me@op.example.evil.example\"", "default"},
};

START_TEST(recipients_against_sets)
{
	char condition[200], text[300];
	struct trial t;

	snprintf(condition, sizeof condition,
	    ",\"from\":{\"destination\":[\"%s\"]}", recipients[_i].from);
	trial_begin(&t, policy_of("", "", condition));
	facts_add(t.facts, VALUE_ADDRESS, SPAN("me@op.example"), ORIGIN_SELF);
	facts_add(
	    t.facts, VALUE_ADDRESS, SPAN("friend@known.example"), ORIGIN_BOOK);
	facts_add(t.facts, VALUE_ADDRESS, SPAN("writer@seen.example"),
	    ORIGIN_VERIFIED);
	facts_add(t.facts, VALUE_ADDRESS, SPAN("forged@seen.example"),
	    ORIGIN_UNVERIFIED);
	facts_add(
	    t.facts, VALUE_ADDRESS, SPAN("other@seen.example"), ORIGIN_PARTY);
	snprintf(text, sizeof text, "{\"to\":%s,\"text\":\"hi\"}",
	    recipients[_i].to);
	ck_assert_msg(
	    strcmp(call(&t, "mail.send", text), recipients[_i].rule) == 0,
	    "%s from %s: %s", recipients[_i].to, recipients[_i].from,
	    t.decision.rule);
	trial_end(&t);
}
END_TEST

static const struct {
	const char *links, *text, *rule;
	enum verdict verdict;
} outbound[] = {
    {"ask", "see https://evil.example/?d=1", "outbound", VERDICT_ASK},
    {"deny", "see https://evil.example/?d=1", "outbound", VERDICT_DENY},
    {"deny",
	"see evil\xe3\x80\x82"
	"com",
	"outbound", VERDICT_DENY},
    {"deny", "see https://op.example", "yes", VERDICT_ALLOW},
    {"deny", "see you", "yes", VERDICT_ALLOW},
    {"allow", "see https://evil.example/?d=1", "yes", VERDICT_ALLOW},
    {"defang", "see https://evil.example/?d=1", "yes", VERDICT_ALLOW},
};

START_TEST(outbound_verdicts)
{
	char rules[100], text[200];
	struct trial t;

	snprintf(rules, sizeof rules,
	    ",\"outbound\":{\"links\":\"%s\",\"markup\":\"keep\"}",
	    outbound[_i].links);
	trial_begin(&t, policy_of("", rules, ""));
	OK(facts_add_words(t.facts, SPAN("tell her of https://op.example")));
	snprintf(text, sizeof text, "{\"to\":\"a@b.example\",\"text\":\"%s\"}",
	    outbound[_i].text);
	ck_assert_str_eq(call(&t, "mail.send", text), outbound[_i].rule);
	ck_assert_int_eq(t.decision.verdict, outbound[_i].verdict);
	trial_end(&t);
}
END_TEST

static const struct {
	const char *limits, *reason;
} wrong[] = {
    {LIMITS("{\"id\":\"x\"}"), "\"why\""},
    {LIMITS(LIMIT("x", "\"nope\"", "calls", "session", "1h", "1", "deny")),
	"no capability"},
    {LIMITS(LIMIT("x", "[]", "calls", "session", "1h", "1", "deny")),
	"at least one"},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "session", "1h", "1", "allow")),
	"ask or deny"},
    {LIMITS(LIMIT("x", "\"*\"", "call", "session", "1h", "1", "deny")),
	"\"of\""},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "zone", "1h", "1", "deny")),
	"\"per\""},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "session", "1s", "1", "deny")),
	"\"window\""},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "session", "32d", "1", "deny")),
	"\"window\""},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "session", "1", "1", "deny")),
	"\"window\""},
    {LIMITS(LIMIT("x", "\"*\"", "calls", "session", "1h", "1.5", "deny")),
	"\"most\""},
    {LIMITS(LIMIT("x", "\"*\"", "money", "session", "1h", "-1", "deny")),
	"\"most\""},
    {LIMITS(
	 LIMIT("x", "\"*\"", "calls", "session", "1h", "1", "deny") "," LIMIT(
	     "x", "\"*\"", "calls", "session", "1h", "1", "deny")),
	"twice"},
    {",\"leak\":{\"bytes\":1}", "\"bytes\""},
    {",\"leak\":{\"verdict\":\"allow\"}", "ask or deny"},
};

START_TEST(refuses_text)
{
	static char text[16384];
	struct policy *policy = NULL;
	struct json_error where;

	snprintf(text, sizeof text,
	    "{\"version\":1,\"capabilities\":[" MAIL "]%s}", "",
	    wrong[_i].limits);
	ck_assert_int_ne(policy_parse(span_of(text), &policy, &where), 0);
	ck_assert_msg(strstr(where.detail, wrong[_i].reason) != NULL,
	    "%s: \"%s\"", wrong[_i].limits, where.detail);
}
END_TEST

/* The whole step, with three limits, the meter and a text of 200 bytes. */
static void
decide_many(size_t rounds, int row)
{
	struct trial t;

	(void)row;
	trial_begin(
	    &t, policy_of(
		    LIMITS(LIMIT("a", "\"*\"", "calls", "session", "1h",
			"1000000", "deny") "," LIMIT("b", "\"*\"", "bytes",
			"destination", "1h", "100000000", "deny") "," LIMIT("c",
			"\"*\"", "calls", "capability", "1d", "1000000",
			"ask")) ",\"leak\":{\"bytes_per_"
				"destination\":100000000,\"bytes_per_session\":"
				"100000000}",
		    "", ""));
	t.timed = true;
	t.legs = LEG_A;
	for (size_t i = 0; i < rounds; i++)
		ck_assert_str_eq(
		    call(&t, "mail.send",
			"{\"to\":\"ann@b.example\",\"text\":\"One line of a "
			"mail as people write them, not too long and not too "
			"short, with a comma, a full stop. And another "
			"sentence that goes on until there are two hundred "
			"bytes.\"}"),
		    "yes");
	trial_end(&t);
}

/* No call costs more for those before it. */
START_TEST(decides_many)
{
	expect_linear(decide_many, 20000, 0);
}
END_TEST

#define EACH(test, rows)                                                       \
	tcase_add_loop_test(c, test, 0, sizeof rows / sizeof rows[0])

int
main(void)
{
	Suite *s = suite_create("limit");
	TCase *c = tcase_create("limit");

	EACH(reads_amounts, amounts);
	tcase_add_test(c, burst_of_64_against_10);
	tcase_add_test(c, gives_back);
	tcase_add_test(c, destinations);
	tcase_add_test(c, full_table);
	tcase_add_test(c, bytes_and_money);
	tcase_add_test(c, kept_over_reload);
	tcase_add_test(c, other_window);
	tcase_add_test(c, refund_after_reload);
	tcase_add_test(c, money_of_other_window);
	tcase_add_test(c, money_outlives_kill);
	tcase_add_test(c, leak_meter);
	tcase_add_test(c, leak_meter_of_destinations);
	tcase_add_test(c, leak_meter_fills_up);
	tcase_add_test(c, leak_meter_is_kept);
	EACH(recipients_against_sets, recipients);
	EACH(outbound_verdicts, outbound);
	EACH(refuses_text, wrong);
	tcase_add_test(c, decides_many);
	suite_add_tcase(s, c);
	return run_suite(s);
}
