/*
 * Tickets: the store, the card and the grant, rules of "don't ask again" in
 * decide(), spent grants of the auditor, canonical JSON, mixed alphabets, and
 * the step from the database before.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/user.h"
#include "executor/audit_grants.h"
#include "executor/canonical.h"
#include "executor/confusable.h"
#include "executor/facts.h"
#include "executor/inbox_schema.h"
#include "executor/ticket_card.h"
#include "tests/unit/inbox_fixture.h"
#include "tests/unit/run_suite.h"

static const char policy_text[] =
    "{\"version\":1,\"capabilities\":["
    "{\"name\":\"file.write\",\"kind\":\"file\",\"method\":\"write\","
    "\"why\":\"notes\",\"settings\":{\"root\":\"/srv/x\",\"write\":true}},"
    "{\"name\":\"file.read\",\"kind\":\"file\",\"method\":\"read\","
    "\"why\":\"notes\",\"settings\":{\"root\":\"/srv/x\"}}],"
    "\"rules\":["
    "{\"id\":\"never\",\"why\":\"w\",\"verdict\":\"deny\","
    "\"capability\":\"file.write\",\"arguments\":{\"properties\":{\"path\":"
    "{\"const\":\"secret\"}},\"required\":[\"path\"]}},"
    "{\"id\":\"ask\",\"why\":\"look first\",\"verdict\":\"ask\","
    "\"capability\":\"file.write\",\"arguments\":{\"properties\":{\"path\":"
    "{\"const\":\"a\"}},\"required\":[\"path\"]}},"
    "{\"id\":\"all\",\"why\":\"w\",\"verdict\":\"allow\","
    "\"capability\":[\"file.write\",\"file.read\"]}]}";

static struct policy *policy;
static int64_t session;

static void
setup(void)
{
	struct json_error where;

	log_set_level(LOG_ERROR);
	folder_make("/tmp");
	OK(reopen(NULL));
	OK(inbox_session_new(
	    inbox, SPAN("planner"), SESSION_PER_TASK, &session));
	OK(policy_parse(span_of(policy_text), &policy, &where));
}

static void
teardown(void)
{
	policy_free(policy);
	folder_remove();
}

/* The model wrote the path, strangers the text. */
#define ORIGINS "[[2,0,\"id\",\"file\",512],[4,0,\"text\",\"\",128]]"

static void
make(struct ticket *t, const char *arguments)
{
	ticket_init(t);
	t->session = session;
	t->legs = LEG_A;
	t->opened_ms = 1000;
	t->expires_ms = 2000;
	strcpy(t->zone, "planner");
	strcpy(t->capability, "file.write");
	strcpy(t->rule, "ask");
	strcpy(t->why, "look first");
	OK(buf_add_text(&t->arguments, arguments));
	OK(buf_add_text(&t->origins, ORIGINS));
}

static int64_t
add(const char *arguments)
{
	struct ticket t;
	int64_t id;

	make(&t, arguments);
	OK(ticket_add(inbox, &t));
	id = t.id;
	ticket_done(&t);
	return id;
}

START_TEST(kept)
{
	struct ticket t, found;
	int64_t id;

	make(&t, "{\"path\":\"a\",\"text\":\"x\"}");
	OK(ticket_add(inbox, &t));
	OK(reopen(NULL));
	OK(ticket_find(inbox, session, t.digest, &id));
	ck_assert_int_eq(id, t.id);
	ck_assert_int_eq(
	    ticket_find(inbox, session + 1, t.digest, &id), -ERR_NOT_FOUND);
	ticket_init(&found);
	OK(ticket_get(inbox, t.id, &found));
	ck_assert_int_eq(found.state, TICKET_OPEN);
	ck_assert_uint_eq(found.origins.len, strlen(ORIGINS));
	ck_assert_mem_eq(found.origins.data, ORIGINS, strlen(ORIGINS));
	ck_assert_uint_eq(found.legs, LEG_A);
	ck_assert_str_eq(found.rule, "ask");
	ck_assert_uint_eq(found.arguments.len, t.arguments.len);
	/* one live ticket of a call */
	ck_assert_int_eq(ticket_add(inbox, &t), -ERR_CORRUPT);
	ticket_done(&found);
	ticket_done(&t);
}
END_TEST

START_TEST(states)
{
	int64_t id = add("{}"), found;
	struct ticket t;

	ticket_init(&t);
	OK(ticket_get(inbox, id, &t));
	t.state = TICKET_SPENT;
	t.grant = (UINT64_C(1) << 53) - 1;
	ck_assert_int_eq(
	    ticket_save(inbox, &t, 1u << TICKET_APPROVED), -ERR_WRONG_STATE);
	OK(ticket_save(inbox, &t, TICKET_ASKS));
	ck_assert_int_eq(ticket_save(inbox, &t, TICKET_ASKS), -ERR_WRONG_STATE);
	OK(reopen(NULL));
	OK(ticket_get(inbox, id, &t));
	ck_assert_int_eq(t.state, TICKET_SPENT);
	ck_assert_uint_eq(t.grant, (UINT64_C(1) << 53) - 1);
	/* a spent one does not expire under its order */
	ck_assert_int_eq(ticket_overdue(inbox, 5000, &found), -ERR_NOT_FOUND);
	t.state = TICKET_DONE;
	OK(ticket_save(inbox, &t, 1u << TICKET_SPENT));
	OK(ticket_overdue(inbox, 5000, &found));
	ck_assert_int_eq(found, id);
	t.state = TICKET_CLOSED;
	OK(ticket_save(inbox, &t, 1u << TICKET_DONE));
	ck_assert_int_eq(
	    ticket_find(inbox, session, t.digest, &found), -ERR_NOT_FOUND);
	OK(ticket_erase_old(inbox, clock_utc_ms()));
	OK(ticket_get(inbox, id, &t));
	OK(ticket_erase_old(inbox,
	    clock_utc_ms() + (int64_t)(TICKET_KEEP_DAYS + 1) * 86400000));
	ck_assert_int_eq(ticket_get(inbox, id, &t), -ERR_NOT_FOUND);
	ticket_done(&t);
	/* a number is not given twice */
	ck_assert_int_gt(add("{}"), id);
}
END_TEST

START_TEST(capped)
{
	char arguments[32];
	struct ticket t;
	int64_t ids[200];
	size_t count;

	for (int s = 0; s < 5; s++) {
		for (int i = 0; i < TICKETS_SESSION_MAX; i++) {
			snprintf(arguments, sizeof arguments, "{\"n\":%d}", i);
			add(arguments);
		}
		make(&t, "{\"n\":99}");
		ck_assert_int_eq(ticket_add(inbox, &t), -ERR_QUOTA);
		ticket_done(&t);
		session++;
	}
	make(&t, "{\"n\":99}");
	ck_assert_int_eq(ticket_add(inbox, &t), -ERR_QUOTA);
	ticket_done(&t);
	OK(ticket_list(inbox, 1u << TICKET_OPEN, 0, ids, 200, &count));
	ck_assert_uint_eq(count, TICKETS_OPEN_MAX);
	ck_assert_int_eq(ids[0], 1);
	OK(ticket_list(inbox, 1u << TICKET_DONE, 0, ids, 200, &count));
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* Whatever is bound changes the hash. */
START_TEST(grants)
{
	unsigned char first[SHA256_BYTES], hash[SHA256_BYTES];
	char text[2 * sizeof policy_text];
	struct policy *changed_policy;
	struct json_error where;
	uint64_t number, other;
	struct ticket t;

	make(&t, "{\"path\":\"a\",\"text\":\"x\"}");
	t.id = 5;
	t.approvals = 1;
	grant_hash(&t, policy, first, &number);
	ck_assert_uint_gt(number, 0);
	ck_assert_uint_lt(number, UINT64_C(1) << 53);
	for (int what = 0; what < 10; what++) {
		struct ticket changed = t;

		buf_init(&changed.arguments, 1000);
		buf_init(&changed.origins, 1000);
		OK(buf_add_text(&changed.origins, ORIGINS));
		OK(buf_add_text(&changed.arguments,
		    what == 0 ? "{\"path\":\"a\",\"text\":\"y\"}"
			      : "{\"path\":\"a\",\"text\":\"x\"}"));
		changed.id += what == 1;
		changed.session += what == 2;
		changed.approvals += what == 3;
		changed.legs |= what == 4 ? LEG_B : 0;
		if (what == 5)
			changed.origins.data[changed.origins.len - 3] = '3';
		changed.rule[0] ^= what == 6;
		changed.zone[0] ^= what == 7;
		changed.opened_ms += what == 8;
		if (what == 9)
			strcpy(changed.capability, "file.read");
		grant_hash(&changed, policy, hash, &other);
		ck_assert_msg(memcmp(hash, first, sizeof hash) != 0,
		    "member %d is not bound", what);
		ck_assert_uint_ne(other, number);
		buf_free(&changed.arguments);
		buf_free(&changed.origins);
	}
	grant_hash(&t, policy, hash, &other);
	ck_assert_mem_eq(hash, first, sizeof hash);
	/* another root under the same name */
	snprintf(text, sizeof text, "%s", policy_text);
	*strstr(text, "/srv/x") = '\0';
	snprintf(text + strlen(text), sizeof text - strlen(text), "/srv/y%s",
	    strstr(policy_text, "/srv/x") + strlen("/srv/x"));
	OK(policy_parse(span_of(text), &changed_policy, &where));
	grant_hash(&t, changed_policy, hash, &other);
	ck_assert(memcmp(hash, first, sizeof hash) != 0);
	policy_free(changed_policy);
	ticket_done(&t);
}
END_TEST

START_TEST(cards)
{
	char code[CARD_CODE_BYTES], again[CARD_CODE_BYTES];
	struct buf card;
	struct ticket t;

	make(&t, "{\"path\":\"a\",\"text\":\"p\u0430y \u202e\\u0007\"}");
	buf_init(&card, CARD_MAX_BYTES);
	OK(card_write(&card, &t, policy, LEG_A));
	OK(buf_add_byte(&card, '\0'));
	ck_assert_ptr_nonnull(strstr(card.data, "path (object, from model)"));
	ck_assert_ptr_nonnull(strstr(card.data, "text (content, from prose)"));
	ck_assert_ptr_nonnull(strstr(card.data, "letters that look like"));
	ck_assert_ptr_nonnull(strstr(card.data, "shown as others"));
	ck_assert_ptr_null(strstr(card.data, "\u202e"));
	ck_assert_ptr_null(strchr(card.data, 7));
	card_code((struct span){card.data, card.len}, code);
	ck_assert_uint_eq(strlen(code), 8);
	buf_clear(&card);
	OK(card_write(&card, &t, policy, LEG_A | LEG_B));
	card_code((struct span){card.data, card.len}, again);
	ck_assert_str_ne(code, again);
	/* whatever is no JSON object is no card */
	buf_clear(&t.arguments);
	ck_assert_int_lt(card_write(&card, &t, policy, 0), 0);
	buf_free(&card);
	ticket_done(&t);
}
END_TEST

/* The most a frame can hold, of the widest kind. */
START_TEST(large_card)
{
	struct buf card;
	struct ticket t;

	make(&t, "{\"path\":\"a\",\"text\":\"");
	while (t.arguments.len < 900000)
		OK(buf_add_text(&t.arguments, "\u202e"));
	OK(buf_add_text(&t.arguments, "\"}"));
	buf_init(&card, CARD_MAX_BYTES);
	OK(card_write(&card, &t, policy, LEG_A));
	OK(buf_add_byte(&card, '\0'));
	ck_assert_ptr_nonnull(strstr(card.data, "[cut: "));
	buf_free(&card);
	ticket_done(&t);
}
END_TEST

/* A call against one rule of "don't ask again". */
static enum verdict
verdict_of(const struct again *again, const char *capability, const char *zone,
    const char *arguments, unsigned legs, const char *rule)
{
	struct decide_request request = {.capability = span_of(capability),
	    .zone = span_of(zone),
	    .legs = legs,
	    .again = again,
	    .again_count = 1};
	struct decision decision;
	struct json_doc doc;

	json_init(&doc);
	OK(json_parse(&doc, span_of(arguments), NULL, NULL));
	request.doc = &doc;
	request.arguments = json_root(&doc);
	decide(policy, &request, &decision);
	ck_assert_str_eq(decision.rule, rule);
	json_done(&doc);
	return decision.verdict;
}

#define A_X "{\"path\":\"a\",\"text\":\"x\"}"
#define A_Y "{\"path\":\"a\",\"text\":\"y\"}"
#define ALL (LEG_A | LEG_B | LEG_C)

START_TEST(again_rules)
{
	struct again again = {.id = "again:3",
	    .capability = SPAN("file.write"),
	    .zone = SPAN("planner"),
	    .asked_by = SPAN("ask")};
	struct json_doc doc;

	json_init(&doc);
	OK(json_parse(&doc, SPAN(A_X), NULL, NULL));
	again.doc = &doc;
	again.arguments = json_root(&doc);
	ck_assert_int_eq(verdict_of(&again, "file.write", "planner",
			     "{\"text\":\"x\",\"path\":\"a\"}", 0, "again:3"),
	    VERDICT_ALLOW);
	ck_assert_int_eq(
	    verdict_of(&again, "file.write", "planner", A_Y, 0, "ask"),
	    VERDICT_ASK);
	ck_assert_int_eq(
	    verdict_of(&again, "file.write", "other", A_X, 0, "ask"),
	    VERDICT_ASK);
	again.any_content = true;
	ck_assert_int_eq(
	    verdict_of(&again, "file.write", "planner", A_Y, 0, "again:3"),
	    VERDICT_ALLOW);
	/* the floor holds, and a rule that denies */
	ck_assert_int_eq(
	    verdict_of(&again, "file.write", "planner", A_X, ALL, "floor"),
	    VERDICT_ASK);
	again.asked_by = SPAN("never");
	ck_assert_int_eq(
	    verdict_of(&again, "file.write", "planner",
		"{\"path\":\"secret\",\"text\":\"x\"}", 0, "never"),
	    VERDICT_DENY);
	/* of the floor itself, where a rule allows */
	again.asked_by = SPAN("floor");
	json_done(&doc);
	OK(json_parse(
	    &doc, SPAN("{\"path\":\"b\",\"text\":\"x\"}"), NULL, NULL));
	again.arguments = json_root(&doc);
	ck_assert_int_eq(verdict_of(&again, "file.write", "planner",
			     "{\"path\":\"b\",\"text\":\"x\"}", ALL, "again:3"),
	    VERDICT_ALLOW);
	ck_assert_int_eq(verdict_of(&again, "file.write", "planner",
			     "{\"path\":\"c\",\"text\":\"x\"}", ALL, "floor"),
	    VERDICT_ASK);
	json_done(&doc);
}
END_TEST

START_TEST(again_store)
{
	struct again_row row = {.ticket = 1, .expires_ms = 5000}, found;

	buf_init(&row.arguments, 1000);
	OK(buf_add_text(&row.arguments, A_X));
	strcpy(row.zone, "planner");
	strcpy(row.capability, "file.write");
	strcpy(row.rule, "ask");
	for (int i = 0; i < AGAIN_RULES_MAX; i++)
		OK(again_add(inbox, &row));
	ck_assert_int_eq(again_add(inbox, &row), -ERR_QUOTA);
	OK(reopen(NULL));
	OK(again_next(inbox, 0, &found));
	ck_assert_int_eq(found.id, 1);
	ck_assert_uint_eq(found.arguments.len, row.arguments.len);
	again_done(&found);
	OK(again_remove(inbox, 1));
	ck_assert_int_eq(again_remove(inbox, 1), -ERR_NOT_FOUND);
	OK(ticket_erase_old(inbox, 5000));
	ck_assert_int_eq(again_next(inbox, 0, &found), -ERR_NOT_FOUND);
	again_done(&row);
}
END_TEST

/* An inbox of version 1 with an item and numbers that were given. */
START_TEST(older_database)
{
	struct inbox_item item;
	int64_t id, next;
	bool twice;
	sqlite3 *db;

	OK(deliver("one", 3, &id, &twice));
	OK(deliver("two", 3, &next, &twice));
	inbox_close(inbox);
	inbox = NULL;
	ck_assert_int_eq(sqlite3_open(path_of("inbox.db"), &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db,
		"DROP TABLE ticket; DROP TABLE again; DROP TABLE suspect;"
		"DROP TABLE task; DROP TABLE label; DROP TABLE spent;"
		"DROP TABLE leak;"
		"DELETE FROM item WHERE id = 2; PRAGMA user_version = 1",
		NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	OK(reopen(NULL));
	OK(inbox_get(inbox, id, &item));
	ck_assert_uint_eq(item.bytes, 3);
	OK(deliver("three", 5, &next, &twice));
	ck_assert_int_eq(next, 3);
	add("{}");
}
END_TEST

START_TEST(suspects)
{
	struct inbox_suspect suspect;
	struct inbox_item item;
	int64_t ids[3];
	bool twice;

	for (int i = 0; i < 3; i++) {
		char text = (char)('a' + i);

		OK(deliver(&text, 1, &ids[i], &twice));
		OK(inbox_clean_begin(inbox, ids[i]));
		OK(inbox_clean_suspect(
		    inbox, ids[i], SPAN("{}"), SPAN("{}"), i == 2));
	}
	OK(inbox_get(inbox, ids[0], &item));
	ck_assert_int_eq(item.state, INBOX_HELD);
	ck_assert_int_eq(inbox_release(inbox, ids[0]), -ERR_WRONG_STATE);
	OK(inbox_suspect_next(inbox, 0, false, &suspect));
	ck_assert_int_eq(suspect.id, ids[0]);
	OK(inbox_suspect_answer(inbox, ids[0], true));
	ck_assert_int_eq(
	    inbox_suspect_answer(inbox, ids[0], false), -ERR_WRONG_STATE);
	OK(inbox_suspect_answer(inbox, ids[1], false));
	OK(reopen(NULL));
	OK(inbox_get(inbox, ids[0], &item));
	ck_assert_int_eq(item.state, INBOX_READY);
	OK(inbox_get(inbox, ids[1], &item));
	ck_assert_int_eq(item.state, INBOX_QUARANTINED);
	OK(inbox_release(inbox, ids[1]));
	OK(inbox_get(inbox, ids[1], &item));
	ck_assert_int_eq(item.state, INBOX_HELD);
	OK(inbox_get(inbox, ids[2], &item));
	ck_assert_int_eq(item.state, INBOX_READY);
	OK(inbox_suspect_answer(inbox, ids[2], false));
	OK(inbox_get(inbox, ids[2], &item));
	ck_assert_int_eq(item.state, INBOX_QUARANTINED);
	OK(inbox_drop(inbox, ids[2]));
	ck_assert_int_eq(
	    inbox_suspect_get(inbox, ids[2], &suspect), -ERR_NOT_FOUND);
}
END_TEST

START_TEST(spent_grants)
{
	struct grants set = {0};

	for (uint64_t i = 0; i < 5000; i++)
		OK(grants_add(&set, (i * 7919) % 5003 + 1));
	OK(grants_add(&set, 1));
	ck_assert_uint_eq(set.count, 5000);
	for (size_t i = 1; i < set.count; i++)
		ck_assert_uint_lt(set.numbers[i - 1], set.numbers[i]);
	ck_assert(grants_have(&set, 1));
	ck_assert(!grants_have(&set, 5004));
	ck_assert(!grants_have(&set, 0));
	grants_done(&set);
	ck_assert(!grants_have(&set, 1));
}
END_TEST

/* Another user's process is seen, and only while it runs. */
START_TEST(processes)
{
	const uid_t nobodys = 64899;
	uint64_t count = 7;
	int status;
	pid_t child;

	if (geteuid() != 0 || user_processes(nobodys, &count) != 0)
		return; /* nobody can tell here */
	ck_assert_uint_eq(count, 0);
	child = fork();
	if (child == 0) {
		if (setuid(nobodys) != 0)
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 500 && count == 0; i++) {
		usleep(10000);
		OK(user_processes(nobodys, &count));
	}
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	OK(user_processes(nobodys, &count));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(canonical)
{
	static const char *const rows[][2] = {
	    {" { \"b\" : 1 , \"a\" : [ ] } ", "{\"a\":[],\"b\":1}"},
	    {"{\"\\u0061\":\"\\u0041\\/\"}", "{\"a\":\"A/\"}"},
	    {"{\"b\":{\"z\":null,\"y\":true},\"a\":[1.50,-0,{\"q\":2}]}",
		"{\"a\":[1.50,0,{\"q\":2}],\"b\":{\"y\":true,\"z\":null}}"},
	    {"{\"aa\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"aa\":1}"},
	};
	struct json_doc doc;
	struct buf out;

	json_init(&doc);
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&out);
		OK(json_parse(&doc, span_of(rows[i][0]), NULL, NULL));
		OK(canonical_add(&out, &doc, json_root(&doc)));
		ck_assert(
		    span_is((struct span){out.data, out.len}, rows[i][1]));
	}
	buf_free(&out);
	buf_init(&out, 4);
	ck_assert_int_eq(
	    canonical_add(&out, &doc, json_root(&doc)), -ERR_TOO_LARGE);
	buf_free(&out);
	json_done(&doc);
}
END_TEST

START_TEST(confusables)
{
	struct span word;

	ck_assert(!confusable_find(SPAN("plain pay@example.org"), &word));
	ck_assert(!confusable_find(SPAN("\u043c\u0438\u0440 world"), &word));
	ck_assert(!confusable_find(SPAN("caf\u00e9 \u03b1\u03b2"), &word));
	ck_assert(confusable_find(SPAN("x p\u0430y@example.org y"), &word));
	ck_assert(span_is(word, "p\u0430y@example.org"));
	ck_assert(confusable_find(SPAN("\uff21dmin"), &word));
	ck_assert(confusable_find(SPAN("\U0001d41a"), &word));
	ck_assert(!confusable_find(SPAN(""), &word));
}
END_TEST

static Suite *
suite(void)
{
	Suite *all = suite_create("ticket");
	TCase *store = tcase_create("store"), *pure = tcase_create("pure");

	tcase_add_checked_fixture(store, setup, teardown);
	tcase_add_test(store, kept);
	tcase_add_test(store, states);
	tcase_add_test(store, capped);
	tcase_add_test(store, grants);
	tcase_add_test(store, cards);
	tcase_add_test(store, large_card);
	tcase_add_test(store, again_rules);
	tcase_add_test(store, again_store);
	tcase_add_test(store, older_database);
	tcase_add_test(store, suspects);
	tcase_add_test(pure, spent_grants);
	tcase_add_test(pure, processes);
	tcase_add_test(pure, canonical);
	tcase_add_test(pure, confusables);
	suite_add_tcase(all, store);
	suite_add_tcase(all, pure);
	return all;
}

int
main(void)
{
	return run_suite(suite());
}
