/*
 * What the resolver does. It reads what confined accounts ask and what
 * strangers answer, and believes neither; the parent checks once more what it
 * orders. It owns no set, no file and no credential.
 */
#include "executor/firewall/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/firewall/cache.h"
#include "executor/firewall/guard.h"
#include "executor/firewall/link.h"
#include "executor/firewall/lookup.h"

#define TICK_MS 500	       /* while something has a deadline */
#define IDLE_MS 5000	       /* at least so often what is due is looked for */
#define ORDERS_MAX CACHE_LOOKS /* without an answer */
#define OUT_ORDERS 256u	       /* that the parent has not read yet */
#define LINK_READ 16384u       /* bytes at a time */

struct order_sent {
	struct cache_key key;
	uint32_t serial;
	int64_t end_ms;
};

struct resolve {
	struct loop *loop;
	struct model *model;
	struct cache *cache;
	struct lookup *lookup;
	struct guard *guard;
	size_t accounts; /* that have a guard, or all */
	int link, notes;
	struct watch *link_in, *link_out, *timer;
	struct buf in, out;
	struct order_sent orders[ORDERS_MAX];
	size_t order_count;
	uint32_t serial, models;
	uint32_t lost_notes;
	struct guard_question *waiting; /* newest first */
};

/*
 * To the listener.
 */
static void
tell(struct resolve *r, enum note_what what, uint32_t account, const char *name,
    const struct address *address)
{
	struct note note;
	ssize_t put;

	memset(&note, 0, sizeof note);
	note.what = (uint32_t)what;
	note.account = account;
	note.lost = r->lost_notes;
	if (address != NULL)
		note.address = *address;
	strcpy(note.name, name[0] == '\0' ? "." : name);
	put = write(r->notes, &note, sizeof note);
	if (put == (ssize_t)sizeof note)
		r->lost_notes = 0;
	else if (r->lost_notes < UINT32_MAX)
		r->lost_notes++;
}

/*
 * To the parent.
 */
static void
write_link(struct resolve *r)
{
	while (r->out.len != 0) {
		ssize_t put = write(r->link, r->out.data, r->out.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			loop_stop(r->loop); /* the parent is gone */
		if (put <= 0)
			break;
		buf_consume(&r->out, (size_t)put);
	}
	watch_set(r->link_out, r->out.len != 0);
}

static void
on_link_out(void *context)
{
	write_link(context);
}

static bool
send_order(struct resolve *r, struct cache_key key, struct link_order *order)
{
	struct order_sent *sent = &r->orders[r->order_count];

	if (r->order_count == ORDERS_MAX)
		return false;
	order->serial = ++r->serial;
	order->models = r->models;
	if (buf_add(&r->out, order, sizeof *order) != 0)
		return false;
	r->order_count++;
	*sent = (struct order_sent){
	    key, order->serial, clock_ms() + RESOLVE_ORDER_MS};
	write_link(r);
	return true;
}

/* Begin what is due, and come back when the next is. */
static void
pump(struct resolve *r)
{
	int64_t now = clock_ms(), delay;
	struct cache_key key;

	while (cache_next(r->cache, now, &key))
		lookup_ask(r->lookup, key, cache_name(r->cache, key.row));
	delay = cache_delay(r->cache, now);
	if (delay < 0 || delay > IDLE_MS)
		delay = IDLE_MS;
	if (delay < TICK_MS || r->waiting != NULL || r->order_count != 0)
		delay = TICK_MS;
	timer_set(r->timer, delay);
}

/*
 * Questions.
 */
static void
answer(struct guard_question *q, enum guard_code code,
    const struct cache_told *told)
{
	struct guard_answer out = {.code = code};

	if (told != NULL) {
		out.ttl_s = told->ttl_s;
		out.addresses = told->addresses;
		out.count = told->count;
	}
	guard_answer(q, &out);
}

/* True: it was answered, and is no more. */
static bool
answer_known(struct resolve *r, struct guard_question *q)
{
	struct cache_told told;

	switch (cache_ask(r->cache, q->row, q->family, clock_ms(), &told)) {
	case CACHE_WAIT:
		return false;
	case CACHE_ADDRESSES:
		answer(q, GUARD_NOERROR, &told);
		break;
	case CACHE_EMPTY:
		answer(q, GUARD_NOERROR, NULL);
		break;
	case CACHE_NO_NAME:
		answer(q, GUARD_NXDOMAIN, NULL);
		break;
	case CACHE_FAILED:
		answer(q, GUARD_SERVFAIL, NULL);
		break;
	}
	return true;
}

static void
on_asked(void *context, struct guard_question *q)
{
	struct resolve *r = context;

	if (q->query.odd ||
	    !cache_find(r->cache, q->account, q->query.name, &q->row)) {
		tell(r, NOTE_NAME_REFUSED, q->account, q->query.name, NULL);
		answer(q, GUARD_REFUSED, NULL);
		return;
	}
	if (q->query.type != GUARD_A && q->query.type != GUARD_AAAA) {
		answer(q, GUARD_NOERROR, NULL); /* it has none of those */
		return;
	}
	q->family = q->query.type == GUARD_A ? ADDRESS_4 : ADDRESS_6;
	if (answer_known(r, q))
		return;
	q->end_ms = clock_ms() + RESOLVE_WAIT_MS;
	q->next = r->waiting;
	r->waiting = q;
	pump(r);
}

/* Those that wait for that half, or, without a key, for anything: answer what
 * is known now. */
static void
serve_waiting(struct resolve *r, const struct cache_key *key)
{
	struct guard_question **at = &r->waiting;

	while (*at != NULL) {
		struct guard_question *q = *at, *next = q->next;

		if (key != NULL &&
		    (q->row != key->row || q->family != key->family)) {
			at = &q->next;
		} else if (answer_known(r, q)) {
			*at = next;
		} else {
			at = &q->next;
		}
	}
}

static void
end_late(struct resolve *r, int64_t now)
{
	struct guard_question **at = &r->waiting;

	while (*at != NULL) {
		struct guard_question *q = *at;

		if (q->end_ms > now) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		answer(q, GUARD_SERVFAIL, NULL);
	}
}

/* After another model: names have other numbers, or are no more. */
static void
find_waiting(struct resolve *r)
{
	struct guard_question **at = &r->waiting;

	while (*at != NULL) {
		struct guard_question *q = *at;

		if (cache_find(r->cache, q->account, q->query.name, &q->row)) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		answer(q, GUARD_REFUSED, NULL);
	}
}

/*
 * Look-ups.
 */
static void
placed(struct resolve *r, struct cache_key key, bool good)
{
	uint32_t account;
	struct cache_told told;

	if (!cache_valid(r->cache, key))
		return;
	cache_placed(r->cache, key, clock_ms(), good);
	account = cache_account(r->cache, key.row);
	cache_peek(r->cache, key, &told);
	for (size_t i = 0; good && i < told.count; i++)
		tell(r, NOTE_ANSWERED, account, cache_name(r->cache, key.row),
		    &told.addresses[i]);
	serve_waiting(r, &key);
}

/* Leave out what the account may not have, and note it. */
static void
filter(struct resolve *r, struct cache_key key, struct cache_found *found)
{
	uint32_t account = cache_account(r->cache, key.row);
	size_t all = found->count, kept = 0;

	for (size_t i = 0; i < all; i++) {
		const struct address *a = &found->addresses[i];

		if (model_refuses(&r->model->accounts[account], a) == NULL)
			found->addresses[kept++] = *a;
		else
			tell(r, NOTE_ADDRESS_REFUSED, account,
			    cache_name(r->cache, key.row), a);
	}
	found->count = kept;
	if (all != 0 && kept == 0) {
		found->say = CACHE_FAILED;
		found->inward = true;
	}
}

static void
on_found(void *context, struct cache_key key, const struct cache_found *said)
{
	struct resolve *r = context;
	struct cache_found found = *said;
	struct link_order order;

	if (!cache_valid(r->cache, key))
		return;
	filter(r, key, &found);
	if (!cache_found(r->cache, key, clock_ms(), &found, &order))
		serve_waiting(r, &key);
	else if (!send_order(r, key, &order))
		placed(r, key, false);
	pump(r);
}

static void
on_changed(void *context, struct cache_key key)
{
	struct resolve *r = context;

	cache_changed(r->cache, key, clock_ms());
	pump(r);
}

static void
end_orders(struct resolve *r, int64_t now)
{
	for (size_t i = 0; i < r->order_count;) {
		struct order_sent sent = r->orders[i];

		if (sent.end_ms > now) {
			i++;
			continue;
		}
		r->orders[i] = r->orders[--r->order_count];
		placed(r, sent.key, false);
	}
}

static void
on_timer(void *context)
{
	struct resolve *r = context;
	int64_t now = clock_ms();

	end_orders(r, now);
	end_late(r, now);
	pump(r);
}

/*
 * From the parent.
 */
static void
take_answer(struct resolve *r, struct span body)
{
	struct link_answer said;

	if (body.n != sizeof said)
		bug("an answer of the parent of %zu bytes", body.n);
	memcpy(&said, body.p, sizeof said);
	for (size_t i = 0; i < r->order_count; i++) {
		struct order_sent sent = r->orders[i];

		if (sent.serial != said.serial)
			continue;
		r->orders[i] = r->orders[--r->order_count];
		if (said.error != 0)
			log_event(LOG_WARN, "not-in-place", "reason=%s",
			    err_text(said.error));
		placed(r, sent.key, said.error == 0);
		return;
	}
}

/* What is under way belongs to keys that are void; answers to orders are of no
 * number that is known. */
static void
forget_orders(struct resolve *r)
{
	r->order_count = 0;
}

static void
take_model(struct resolve *r, struct span body)
{
	struct model *next = alloc_bytes(sizeof *next);

	model_unpack(body, next);
	if (next->count != r->accounts)
		bug("a model with other accounts");
	cache_replace(r->cache, next, clock_ms());
	r->models++;
	forget_orders(r);
	model_free(r->model);
	free(r->model);
	r->model = next;
	find_waiting(r);
}

static void
take_message(struct resolve *r, uint32_t what, struct span body)
{
	switch (what) {
	case LINK_ANSWER:
		take_answer(r, body);
		return;
	case LINK_MODEL:
		take_model(r, body);
		return;
	case LINK_EMPTIED:
		cache_emptied(r->cache, clock_ms());
		forget_orders(r);
		return;
	default:
		bug("the parent says %u", what);
	}
}

static void
take_messages(struct resolve *r)
{
	struct link_head head;
	size_t at = 0;

	while (r->in.len - at >= sizeof head) {
		memcpy(&head, r->in.data + at, sizeof head);
		if (head.bytes > MODEL_PACK_BYTES)
			bug("the parent says %u bytes", head.bytes);
		if (r->in.len - at - sizeof head < head.bytes)
			break;
		at += sizeof head;
		take_message(
		    r, head.what, (struct span){r->in.data + at, head.bytes});
		at += head.bytes;
	}
	buf_consume(&r->in, at);
	if (r->in.len == 0 && r->in.cap > 4 * LINK_READ) {
		buf_free(&r->in); /* it was a model */
		buf_init(&r->in, MODEL_PACK_BYTES + 2 * LINK_READ);
	}
}

static void
on_link_in(void *context)
{
	struct resolve *r = context;
	char *to = buf_reserve(&r->in, LINK_READ);
	ssize_t got;

	if (to == NULL)
		bug("the parent's message does not fit");
	got = read(r->link, to, LINK_READ);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		loop_stop(r->loop);
		return;
	}
	r->in.len += (size_t)got;
	take_messages(r);
	pump(r);
}

struct resolve *
resolve_new(struct loop *loop, struct model *model, struct span servers,
    int link, int notes, const int *guards, size_t guard_count)
{
	struct resolve *r = alloc_bytes(sizeof *r);
	struct lookup_calls calls = {on_found, on_changed, r};

	r->loop = loop;
	r->model = alloc_bytes(sizeof *r->model);
	*r->model = *model;
	*model = (struct model){.count = 0};
	r->accounts = r->model->count;
	if (guard_count != 0 && guard_count != r->accounts * GUARD_SOCKETS_MAX)
		bug("%zu sockets for %zu guards", guard_count, r->accounts);
	r->link = link;
	r->notes = notes;
	buf_init(&r->in, MODEL_PACK_BYTES + 2 * LINK_READ);
	buf_init(&r->out, OUT_ORDERS * sizeof(struct link_order));
	r->cache = cache_new(r->model, guard_count == 0, clock_ms());
	r->lookup = lookup_new(loop, servers, &calls);
	if (r->lookup == NULL)
		die(EXIT_CONFIG,
		    "no name server can be asked: see \"resolver\" in the "
		    "configuration");
	r->guard = guard_new(loop, guards, guard_count, on_asked, r);
	r->link_in = loop_watch_read(loop, link, on_link_in, r);
	r->link_out = loop_watch_write(loop, link, on_link_out, r);
	r->timer = loop_timer(loop, on_timer, r);
	watch_set(r->link_in, true);
	timer_set(r->timer, 0);
	return r;
}

void
resolve_free(struct resolve *r)
{
	lookup_free(r->lookup);
	while (r->waiting != NULL) {
		struct guard_question *q = r->waiting;

		r->waiting = q->next;
		answer(q, GUARD_SERVFAIL, NULL);
	}
	guard_free(r->guard);
	loop_unwatch(r->link_in);
	loop_unwatch(r->link_out);
	loop_unwatch(r->timer);
	cache_free(r->cache);
	model_free(r->model);
	free(r->model);
	buf_free(&r->in);
	buf_free(&r->out);
	free(r);
}
