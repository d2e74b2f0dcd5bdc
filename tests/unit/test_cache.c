/*
 * Names and their addresses over time, with a clock of the test's own: floor
 * and ceiling, refresh, names that move, vanish, flap, point inward, fail.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "executor/firewall/cache.h"
#include "tests/unit/run_suite.h"

static struct model model;
static struct cache *cache;
static int64_t now;

static void
add_host(struct model_account *account, const char *text)
{
	char reason[256];

	account->hosts = alloc_resize(
	    account->hosts, account->host_count + 1, sizeof *account->hosts);
	ck_assert_int_eq(
	    model_host_read(span_of(text),
		&account->hosts[account->host_count++], reason, sizeof reason),
	    0);
}

/* Two accounts; api.example.com twice, with two ports, and a literal. */
static void
set_up(void)
{
	model = (struct model){.count = 2};
	strcpy(model.accounts[0].name, "agent");
	add_host(&model.accounts[0], "www.example.com:443");
	add_host(&model.accounts[0], "192.0.2.7:443");
	add_host(&model.accounts[0], "api.example.com:443");
	add_host(&model.accounts[0], "api.example.com:8443");
	strcpy(model.accounts[1].name, "robot");
	add_host(&model.accounts[1], "api.example.com:443");
	now = 1000000;
	cache = cache_new(&model, false, now);
}

static void
down(void)
{
	cache_free(cache);
	model_free(&model);
}

static uint32_t
row_of(uint32_t account, const char *name)
{
	uint32_t row = 0;

	ck_assert(cache_find(cache, account, name, &row));
	return row;
}

static enum cache_say
ask(uint32_t account, const char *name, unsigned char family)
{
	struct cache_told told;

	return cache_ask(cache, row_of(account, name), family, now, &told);
}

static struct cache_told
told(uint32_t account, const char *name, unsigned char family)
{
	struct cache_told out;

	ck_assert_int_eq(
	    cache_ask(cache, row_of(account, name), family, now, &out),
	    CACHE_ADDRESSES);
	return out;
}

static struct cache_found
addresses(
    uint32_t ttl_s, size_t count, unsigned char family, unsigned char first)
{
	struct cache_found found = {
	    .say = CACHE_ADDRESSES, .ttl_s = ttl_s, .count = count};

	for (size_t i = 0; i < count; i++) {
		found.addresses[i].family = family;
		found.addresses[i].bytes[0] = (unsigned char)(first + i);
	}
	return found;
}

/* The look-up that is due for the half: others get "nothing". */
static struct cache_key
look(uint32_t account, const char *name, unsigned char family)
{
	struct cache_found nothing = {.say = CACHE_EMPTY};
	struct link_order order;
	struct cache_key key;

	while (cache_next(cache, now, &key)) {
		if (key.row == row_of(account, name) && key.family == family)
			return key;
		ck_assert(!cache_found(cache, key, now, &nothing, &order));
	}
	ck_abort_msg("no look-up of %s is due", name);
}

static bool
found(struct cache_key key, struct cache_found what)
{
	struct link_order order;
	bool more = cache_found(cache, key, now, &what, &order);

	if (more)
		cache_placed(cache, key, now, true);
	return more;
}

static bool
none_due(void)
{
	struct cache_key key;

	return !cache_next(cache, now, &key);
}

/* All but that half have nothing; that half has an address for a while. */
static void
settle(uint32_t ttl_s)
{
	struct cache_found nothing = {.say = CACHE_EMPTY};
	struct cache_key key;

	ck_assert(found(look(0, "api.example.com", ADDRESS_4),
	    addresses(ttl_s, 1, ADDRESS_4, 1)));
	while (cache_next(cache, now, &key))
		ck_assert(!found(key, nothing));
}

START_TEST(names)
{
	uint32_t row = 99;

	ck_assert_uint_ne(
	    row_of(0, "api.example.com"), row_of(1, "api.example.com"));
	ck_assert_uint_eq(cache_host(cache, row_of(0, "api.example.com")), 2);
	ck_assert_uint_eq(
	    cache_account(cache, row_of(1, "api.example.com")), 1);
	ck_assert_str_eq(
	    cache_name(cache, row_of(0, "www.example.com")), "www.example.com");
	ck_assert(!cache_find(cache, 1, "www.example.com", &row));
	ck_assert(!cache_find(cache, 0, "192.0.2.7", &row));
	ck_assert(!cache_find(cache, 0, "x.api.example.com", &row));
	ck_assert(!cache_find(cache, 0, "example.com", &row));
	ck_assert(!cache_find(cache, 0, "", &row));
	ck_assert(!cache_find(cache, 2, "api.example.com", &row));
	ck_assert_uint_eq(row, 99);
}
END_TEST

/* At the start each half of each name once. */
START_TEST(start)
{
	struct cache_key key;
	unsigned seen = 0;

	ck_assert_int_eq(cache_delay(cache, now), 0);
	while (cache_next(cache, now, &key))
		seen |= 1u << (key.row * 2 + (key.family == ADDRESS_6));
	ck_assert_uint_eq(seen, 0x3f);
	ck_assert_int_eq(cache_delay(cache, now), -1);
}
END_TEST

/* Nothing is told before it is in place. */
START_TEST(place_first)
{
	struct cache_found what = addresses(300, 3, ADDRESS_4, 1);
	struct link_order order;
	struct cache_key key;

	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	key = look(0, "api.example.com", ADDRESS_4);
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	what.addresses[2] = what.addresses[0]; /* twice the same */
	ck_assert(cache_found(cache, key, now, &what, &order));
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert_uint_eq(order.count, 2);
	ck_assert_uint_eq(order.account, 0);
	ck_assert_uint_eq(order.host, 2);
	ck_assert_uint_eq(order.timeout_s, 315);
	ck_assert_uint_eq(order.remove, 0);
	cache_placed(cache, key, now, true);
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).count, 2);
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 300);
	/* of that account and that half only */
	ck_assert_int_eq(ask(1, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_6), CACHE_WAIT);
}
END_TEST

START_TEST(times)
{
	static const struct {
		uint32_t ttl_s, told_s;
	} cases[] = {{0, 60}, {59, 60}, {60, 60}, {61, 61}, {3600, 3600},
	    {3601, 3600}, {UINT32_MAX, 3600}};
	struct cache_found what = addresses(cases[_i].ttl_s, 1, ADDRESS_4, 1);
	uint32_t told_s = cases[_i].told_s;
	struct link_order order;
	struct cache_key key = look(0, "api.example.com", ADDRESS_4);

	ck_assert(cache_found(cache, key, now, &what, &order));
	ck_assert_uint_eq(order.timeout_s, told_s + CACHE_GRACE_S);
	now += 400; /* while it was put in place */
	cache_placed(cache, key, now, true);
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, told_s);
	now += told_s * 1000 - 1000;
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 1);
	now += 1;
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
}
END_TEST

/* Before the end, if it was asked for within the hour. */
START_TEST(refresh)
{
	struct cache_key key;

	settle(600);
	(void)told(0, "api.example.com", ADDRESS_4);
	now += 539 * 1000;
	ck_assert(none_due());
	ck_assert_int_le(cache_delay(cache, now), 1000);
	now += 1000;
	key = look(0, "api.example.com", ADDRESS_4);
	/* told on while it is looked up, and while it fails */
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 60);
	ck_assert(!found(key, (struct cache_found){.say = CACHE_FAILED}));
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 60);
	ck_assert(none_due());
	now += 1000;
	key = look(0, "api.example.com", ADDRESS_4);
	ck_assert(found(key, addresses(600, 1, ADDRESS_4, 1)));
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 600);
}
END_TEST

START_TEST(out_of_use)
{
	settle(3600);
	/* never asked for: it ends, nobody looks it up */
	now += 3601 * 1000;
	ck_assert(none_due());
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert(found(look(0, "api.example.com", ADDRESS_4),
	    addresses(60, 1, ADDRESS_4, 1)));
	/* once: for an hour */
	for (int i = 0; i < 66; i++) {
		now += 54 * 1000;
		ck_assert(found(look(0, "api.example.com", ADDRESS_4),
		    addresses(60, 1, ADDRESS_4, 1)));
	}
	now += 54 * 1000;
	ck_assert(none_due());
}
END_TEST

START_TEST(moves)
{
	settle(60);
	(void)told(0, "api.example.com", ADDRESS_4);
	for (unsigned char i = 2; i < 200; i++) {
		struct cache_told out;

		now += 54 * 1000;
		ck_assert(found(look(0, "api.example.com", ADDRESS_4),
		    addresses(0, 1, ADDRESS_4, i)));
		out = told(0, "api.example.com", ADDRESS_4);
		ck_assert_uint_eq(out.count, 1);
		ck_assert_uint_eq(out.addresses[0].bytes[0], i);
	}
}
END_TEST

START_TEST(vanishes)
{
	enum cache_say say = _i == 0 ? CACHE_EMPTY : CACHE_NO_NAME;

	settle(600);
	(void)told(0, "api.example.com", ADDRESS_4);
	now += 540 * 1000;
	ck_assert(!found(look(0, "api.example.com", ADDRESS_4),
	    (struct cache_found){.say = say}));
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), say);
	now += CACHE_EMPTY_S * 1000 - 1;
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), say);
	ck_assert(none_due());
	/* and comes back */
	now += 1;
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert(found(look(0, "api.example.com", ADDRESS_4),
	    addresses(60, 1, ADDRESS_4, 9)));
	ck_assert_uint_eq(
	    told(0, "api.example.com", ADDRESS_4).addresses[0].bytes[0], 9);
}
END_TEST

/* All of its addresses are refused: what was in place is told no more. */
START_TEST(inward)
{
	struct cache_found bad = {.say = CACHE_FAILED, .inward = true};

	settle(600);
	(void)told(0, "api.example.com", ADDRESS_4);
	now += 540 * 1000;
	ck_assert(!found(look(0, "api.example.com", ADDRESS_4), bad));
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_FAILED);
}
END_TEST

/* Later and later while it fails; who asks after a while, begins anew. */
START_TEST(fails)
{
	struct cache_found bad = {.say = CACHE_FAILED};
	int64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};

	settle(60);
	now += 120 * 1000;
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		ck_assert(!found(look(0, "api.example.com", ADDRESS_4), bad));
		now += waits[i] * 1000 - 1;
		ck_assert(none_due());
		now += 1;
	}
	ck_assert(!found(look(0, "api.example.com", ADDRESS_4), bad));
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_FAILED);
	now += CACHE_FAILED_S * 1000;
	ck_assert(none_due());
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert(found(look(0, "api.example.com", ADDRESS_4),
	    addresses(60, 1, ADDRESS_4, 1)));
}
END_TEST

/* At the start nothing answers: it is tried on, though nobody asks. */
START_TEST(fails_at_start)
{
	struct cache_found bad = {.say = CACHE_FAILED};
	struct cache_key key;
	int tries = 0;

	for (int64_t end = now + 3600 * 1000; now < end; now += 500)
		while (cache_next(cache, now, &key)) {
			ck_assert(!found(key, bad));
			tries++;
		}
	ck_assert_int_ge(tries, 6 * 14);
	ck_assert_int_le(tries, 6 * 18);
}
END_TEST

START_TEST(not_placed)
{
	struct cache_found what = addresses(300, 2, ADDRESS_4, 1);
	struct link_order order;
	struct cache_key key = look(0, "api.example.com", ADDRESS_4);

	ck_assert(cache_found(cache, key, now, &what, &order));
	cache_placed(cache, key, now, false);
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_FAILED);
	now += 1000;
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
}
END_TEST

START_TEST(emptied)
{
	struct cache_key pending, key;
	struct cache_found what = addresses(300, 1, ADDRESS_4, 1);
	struct link_order order;
	int count = 0;

	settle(600);
	(void)told(0, "api.example.com", ADDRESS_4);
	ck_assert_int_eq(ask(1, "api.example.com", ADDRESS_4), CACHE_EMPTY);
	now += 31 * 1000;
	ck_assert_int_eq(ask(1, "api.example.com", ADDRESS_4), CACHE_WAIT);
	pending = look(1, "api.example.com", ADDRESS_4);
	ck_assert(cache_found(cache, pending, now, &what, &order));
	cache_emptied(cache, now);
	ck_assert(!cache_valid(cache, pending));
	cache_placed(cache, pending, now, true); /* an answer that is late */
	ck_assert_int_eq(ask(0, "api.example.com", ADDRESS_4), CACHE_WAIT);
	ck_assert_int_eq(ask(1, "api.example.com", ADDRESS_4), CACHE_WAIT);
	while (cache_next(cache, now, &key))
		count++;
	ck_assert_int_eq(count, 4); /* what was asked for, both halves */
}
END_TEST

START_TEST(replaced)
{
	struct model next = {.count = 2};
	struct cache_key pending;

	settle(600);
	(void)told(0, "api.example.com", ADDRESS_4);
	now += 31 * 1000;
	ck_assert_int_eq(ask(0, "www.example.com", ADDRESS_6), CACHE_WAIT);
	pending = look(0, "www.example.com", ADDRESS_6);
	next.accounts[0] = model.accounts[0];
	next.accounts[0].hosts = NULL;
	next.accounts[0].host_count = 0;
	add_host(&next.accounts[0], "new.example.com:443");
	add_host(&next.accounts[0], "api.example.com:443");
	cache_replace(cache, &next, now);
	model_free(&model);
	model = next;
	ck_assert(!cache_valid(cache, pending));
	ck_assert(!cache_find(cache, 0, "www.example.com", &pending.row));
	ck_assert(!cache_find(cache, 1, "api.example.com", &pending.row));
	ck_assert_uint_eq(cache_host(cache, row_of(0, "api.example.com")), 1);
	ck_assert_uint_eq(told(0, "api.example.com", ADDRESS_4).ttl_s, 569);
	ck_assert_int_eq(ask(0, "new.example.com", ADDRESS_4), CACHE_WAIT);
	(void)look(0, "new.example.com", ADDRESS_4);
}
END_TEST

/* One account cannot take all ways, and who waits comes before who does not. */
START_TEST(bounds)
{
	struct cache_key key;
	char text[64];
	size_t begun = 0, of_first = 0;

	down();
	model = (struct model){.count = 8};
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 100; k++) {
			(void)snprintf(
			    text, sizeof text, "host-%u.example.com:443", k);
			add_host(&model.accounts[i], text);
		}
	cache = cache_new(&model, false, now);
	while (cache_next(cache, now, &key)) {
		begun++;
		of_first += cache_account(cache, key.row) == 0;
	}
	ck_assert_uint_eq(begun, CACHE_LOOKS - CACHE_SPARE);
	ck_assert_uint_eq(of_first, CACHE_ACCOUNT_LOOKS);
	/* of an account that has none under way */
	ck_assert_int_eq(ask(7, "host-99.example.com", ADDRESS_6), CACHE_WAIT);
	key = look(7, "host-99.example.com", ADDRESS_6);
	ck_assert(none_due());
	/* and of one that has all it may */
	ck_assert_int_eq(ask(0, "host-99.example.com", ADDRESS_6), CACHE_WAIT);
	ck_assert(none_due());
}
END_TEST

/*
 * Any order of events: what is told was put in place and not ended, and was
 * the last; never more under way than may be.
 */
#define HALVES 6

struct shadow {
	struct cache_key key;
	int state; /* 0 idle, 1 looked up, 2 to be placed */
	unsigned char first, next;
	int64_t sets_ms, next_s; /* in the sets until then; of the order */
};

static uint32_t seed = 1;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void
shadow_find(struct shadow *s)
{
	static const uint32_t ttls[] = {0, 1, 60, 300, 3600, 100000};
	struct cache_found what = addresses(ttls[any(6)], 1 + any(3),
	    s->key.family, (unsigned char)(1 + any(200)));
	struct link_order order;

	if (any(3) == 0) {
		what = (struct cache_found){
		    .say = CACHE_EMPTY + any(3), .inward = any(4) == 0};
		what.inward = what.inward && what.say == CACHE_FAILED;
	}
	s->state = 0;
	if (cache_found(cache, s->key, now, &what, &order)) {
		s->state = 2;
		s->next = what.addresses[0].bytes[0];
		s->next_s = order.timeout_s;
	}
}

static void
shadow_place(struct shadow *s)
{
	bool good = any(4) != 0;

	if (good) {
		s->sets_ms = now + s->next_s * 1000;
		s->first = s->next;
	}
	now += any(300);
	cache_placed(cache, s->key, now, good);
	s->state = 0;
}

static void
shadow_ask(struct shadow *s, uint32_t row, unsigned char family)
{
	struct cache_told out;
	enum cache_say say = cache_ask(cache, row, family, now, &out);

	ck_assert((say == CACHE_ADDRESSES) == (out.count != 0));
	if (say != CACHE_ADDRESSES)
		return;
	ck_assert_uint_ge(out.ttl_s, 1);
	ck_assert_int_le(now + (int64_t)out.ttl_s * 1000, s->sets_ms);
	ck_assert_uint_eq(out.addresses[0].bytes[0], s->first);
}

START_TEST(any_order)
{
	struct shadow all[HALVES] = {0};
	size_t told = 0;

	for (int step = 0; step < 300000; step++) {
		uint32_t at = any(HALVES);
		struct shadow *s = &all[at];
		struct cache_key key;

		now += any(50) == 0 ? any(4000000) : any(3000);
		if (s->state == 1)
			shadow_find(s);
		else if (s->state == 2)
			shadow_place(s);
		shadow_ask(s, at / 2, at % 2 ? ADDRESS_6 : ADDRESS_4);
		told += s->sets_ms > now;
		if (any(4) != 0 && cache_next(cache, now, &key)) {
			s = &all[key.row * 2 + (key.family == ADDRESS_6)];
			ck_assert_int_eq(s->state, 0);
			s->state = 1;
			s->key = key;
		}
		if (any(500) != 0)
			continue;
		cache_emptied(cache, now);
		for (at = 0; at < HALVES; at++)
			all[at].state = 0, all[at].sets_ms = 0;
	}
	ck_assert_uint_gt(told, 10000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cache");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, down);
	tcase_add_test(t, names);
	tcase_add_test(t, start);
	tcase_add_test(t, place_first);
	tcase_add_loop_test(t, times, 0, 7);
	tcase_add_test(t, refresh);
	tcase_add_test(t, out_of_use);
	tcase_add_test(t, moves);
	tcase_add_loop_test(t, vanishes, 0, 2);
	tcase_add_test(t, inward);
	tcase_add_test(t, fails);
	tcase_add_test(t, fails_at_start);
	tcase_add_test(t, not_placed);
	tcase_add_test(t, emptied);
	tcase_add_test(t, replaced);
	tcase_add_test(t, bounds);
	tcase_add_test(t, any_order);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
