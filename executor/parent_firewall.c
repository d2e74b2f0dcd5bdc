/*
 * What goes into the kernel's sets. The resolver asks for it, and is believed
 * nothing: it gets addresses in for the names of its accounts alone, and only
 * such as a name of that account may lead to. Runs in the parent, which reads
 * records of a fixed size here and no other byte.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/parent_impl.h"

#define BATCH 64	/* what the kernel takes at its quickest */
#define ROOM 8192u	/* elements that make room for others */
#define AGES 1024u	/* how finely they are told apart */
#define ORDERS_MAX 64	/* before others get their turn */
#define REFUSED_MS 1000 /* orders that were, in one line at least */
#define LINK_MS 2000	/* a resolver that does not read by then is stuck */
#define LISTED_MAX                                                             \
	(1u << 20) /* elements; a kernel that lists more is broken             \
		    */

/*
 * To the resolver.
 */
static void
tell(struct parent *p, enum link_what what, struct span body)
{
	struct link_head head = {
	    .what = (uint32_t)what, .bytes = (uint32_t)body.n};
	struct wall *wall = &p->wall;
	int rc;

	if (wall->link < 0 || wall->resolver.child.pid <= 0)
		return;
	rc = write_all(wall->link, &head, sizeof head, LINK_MS);
	if (rc == 0)
		rc = write_all(wall->link, body.p, body.n, LINK_MS);
	if (rc == -ERR_DEADLINE) {
		log_event(LOG_ERROR, "resolver-stuck", "bytes=%zu", body.n);
		kill(wall->resolver.child.pid, SIGKILL);
	}
}

/*
 * Sets, by at most BATCH items.
 */
struct batch {
	struct set *set;
	uid_t uid;
	int (*change)(struct set *set, uid_t uid, const struct set_item *items,
	    size_t count);
	struct set_item items[BATCH];
	size_t count;
	int error; /* the first */
};

static void
batch_end(struct batch *b)
{
	if (b->count != 0 && b->error == 0)
		b->error = b->change(b->set, b->uid, b->items, b->count);
	b->count = 0;
}

static void
batch_add(struct batch *b, const struct model_host *host,
    const struct address *address, uint32_t timeout_s)
{
	struct set_item *item = &b->items[b->count++];

	*item = (struct set_item){.address = *address,
	    .port = host->port,
	    .protocol = host->protocol,
	    .timeout_s = timeout_s};
	(void)snprintf(item->name, sizeof item->name, "%.*s",
	    (int)sizeof item->name - 1, host->name);
	if (b->count == BATCH)
		batch_end(b);
}

static bool
is_literal(const struct model_host *host)
{
	return host->address.family != ADDRESS_NONE;
}

/* An element of the policy itself has no end, and gets none by a name. */
static bool
has_literal(const struct model_account *account, const struct model_host *like,
    const struct address *a)
{
	for (size_t i = 0; i < account->host_count; i++) {
		const struct model_host *host = &account->hosts[i];

		if (is_literal(host) && host->port == like->port &&
		    host->protocol == like->protocol &&
		    address_equal(&host->address, a))
			return true;
	}
	return false;
}

/*
 * Orders.
 */

/* NULL: it may be done; else why not. */
static const char *
refuse(const struct wall *wall, const struct link_order *order)
{
	const struct model *model = &wall->model;
	const struct model_account *account;

	if (order->models > wall->models)
		return "of no policy that there was";
	if (order->account >= model->count)
		return "no such account";
	account = &model->accounts[order->account];
	if (account->blocked)
		return "the account is blocked";
	if (order->host >= account->host_count ||
	    is_literal(&account->hosts[order->host]))
		return "no such name";
	if (order->count > LINK_ADDRESSES_MAX)
		return "too many addresses";
	if (order->remove > 1 ||
	    (order->remove == 0 && (order->timeout_s == 0 ||
				       order->timeout_s > WALL_TIMEOUT_MOST_S)))
		return "no such time";
	for (uint32_t i = 0; i < order->count; i++) {
		const struct address *a = &order->addresses[i];

		if (a->family != ADDRESS_4 && a->family != ADDRESS_6)
			return "no address";
		if (model_refuses(account, a) != NULL)
			return "an address that is not public";
	}
	return NULL;
}

/* Items of sets that are to be taken out. */
struct sweep {
	const struct model_account *account;
	struct set_item *items;
	size_t count, room;
};

static int
collect(struct sweep *sweep, const struct set_item *item)
{
	if (sweep->count == LISTED_MAX)
		return -ERR_LIMIT;
	if (sweep->count == sweep->room) {
		size_t room = sweep->room == 0 ? BATCH : 2 * sweep->room;
		struct set_item *more = alloc_array(room, sizeof *more);

		if (sweep->count != 0)
			memcpy(more, sweep->items, sweep->count * sizeof *more);
		free(sweep->items);
		sweep->items = more;
		sweep->room = room;
	}
	sweep->items[sweep->count++] = *item;
	return 0;
}

/* A set that changes while it is listed is listed again. */
static int
list(struct wall *wall, uid_t uid, bool known,
    int (*each)(void *data, const struct set_item *item), void *data)
{
	int rc = -ERR_BUSY;

	for (int i = 0; i < 5 && rc == -ERR_BUSY; i++)
		rc = set_list(wall->set, uid, known, each, data);
	return rc;
}

static int
take_out(struct wall *wall, const struct sweep *sweep)
{
	int rc = 0;

	for (size_t at = 0; at < sweep->count && rc == 0; at += BATCH)
		rc = set_remove(wall->set, sweep->account->uid,
		    sweep->items + at,
		    sweep->count - at < BATCH ? sweep->count - at : BATCH);
	return rc;
}

/*
 * A name whose owner gives other addresses each minute fills the set of what
 * may go on, as its elements stay for days. What was used or told the longest
 * time ago goes then: no name of the account is in the way of the others.
 */
struct ages {
	uint32_t counts[AGES]; /* by the time that is left */
	size_t limit;	       /* those up to there are to go */
	struct sweep sweep;
};

static size_t
age_of(const struct set_item *item)
{
	size_t age = (size_t)item->left_s * AGES / (SET_KNOWN_S + 1);

	return age < AGES ? age : AGES - 1;
}

static int
count_age(void *data, const struct set_item *item)
{
	struct ages *ages = data;

	if (item->timeout_s != 0)
		ages->counts[age_of(item)]++;
	return 0;
}

static int
take_old(void *data, const struct set_item *item)
{
	struct ages *ages = data;

	if (item->timeout_s == 0 || age_of(item) > ages->limit ||
	    ages->sweep.count == ROOM)
		return 0;
	return collect(&ages->sweep, item);
}

static int
make_room(struct wall *wall, const struct model_account *account)
{
	struct ages *ages = alloc_bytes(sizeof *ages);
	size_t count = 0;
	int rc = list(wall, account->uid, true, count_age, ages);

	while (ages->limit < AGES && count < ROOM)
		count += ages->counts[ages->limit++];
	ages->sweep.account = account;
	if (rc == 0)
		rc = list(wall, account->uid, true, take_old, ages);
	if (rc == 0)
		rc = take_out(wall, &ages->sweep);
	log_event(LOG_WARN, "firewall-full",
	    "account=%s removed=%zu reason=its names have more addresses than "
	    "its sets hold; the oldest are cut",
	    account->name, ages->sweep.count);
	free(ages->sweep.items);
	free(ages);
	return rc;
}

/* For every row with that name, whatever its port. */
static int
put(struct wall *wall, const struct link_order *order)
{
	const struct model_account *account =
	    &wall->model.accounts[order->account];
	const char *name = account->hosts[order->host].name;
	struct batch b = {.set = wall->set,
	    .uid = account->uid,
	    .change = order->remove != 0 ? set_remove : set_add};

	for (size_t i = 0; i < account->host_count; i++) {
		const struct model_host *host = &account->hosts[i];

		if (is_literal(host) || strcmp(host->name, name) != 0)
			continue;
		for (uint32_t j = 0; j < order->count; j++)
			if (!has_literal(account, host, &order->addresses[j]))
				batch_add(&b, host, &order->addresses[j],
				    order->timeout_s);
	}
	batch_end(&b);
	return b.error;
}

static int
obey(struct wall *wall, const struct link_order *order)
{
	int rc = put(wall, order);

	if (rc == -ERR_LIMIT &&
	    make_room(wall, &wall->model.accounts[order->account]) == 0)
		rc = put(wall, order);
	return rc;
}

/* Who has taken the resolver over does not write the log as he likes. */
static void
tell_refused(struct wall *wall, const struct link_order *order, const char *why)
{
	int64_t now = clock_ms();

	wall->refused++;
	if (now < wall->refused_ms)
		return;
	log_event(LOG_ERROR, "resolver-refused",
	    "account=%u host=%u orders=%u reason=%s", order->account,
	    order->host, wall->refused, why);
	wall->refused = 0;
	wall->refused_ms = now + REFUSED_MS;
}

static void
take_order(struct parent *p, const struct link_order *order)
{
	struct link_answer answer = {.serial = order->serial};
	const char *why = refuse(&p->wall, order);

	if (order->models < p->wall.models) {
		answer.error = -ERR_BUSY; /* it has not read of the next one */
	} else if (why != NULL) {
		tell_refused(&p->wall, order, why);
		answer.error = -ERR_DENIED;
	} else {
		answer.error = obey(&p->wall, order);
	}
	tell(p, LINK_ANSWER,
	    (struct span){(const char *)&answer, sizeof answer});
}

void
wall_take_orders(struct parent *p)
{
	struct wall *wall = &p->wall;
	char *to = (char *)&wall->order;

	for (int i = 0; i < ORDERS_MAX && wall->link >= 0; i++) {
		/* read(2) takes no descriptors, whoever sends some */
		ssize_t got = read(wall->link, to + wall->order_bytes,
		    sizeof wall->order - wall->order_bytes);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return; /* none now */
		if (got <= 0) { /* it dies, or closed it and lives on */
			if (wall->resolver.child.pid > 0)
				kill(wall->resolver.child.pid, SIGKILL);
			return;
		}
		wall->order_bytes += (size_t)got;
		if (wall->order_bytes < sizeof wall->order)
			continue;
		wall->order_bytes = 0;
		take_order(p, &wall->order);
	}
}

/*
 * What the policy itself has.
 */
static int
fill_account(struct wall *wall, const struct model_account *account)
{
	struct batch b = {
	    .set = wall->set, .uid = account->uid, .change = set_add};

	for (size_t i = 0; i < account->host_count; i++)
		if (is_literal(&account->hosts[i]))
			batch_add(&b, &account->hosts[i],
			    &account->hosts[i].address, 0);
	batch_end(&b);
	return b.error;
}

void
wall_fill(struct parent *p)
{
	struct wall *wall = &p->wall;

	for (size_t i = 0; i < wall->model.count; i++) {
		const struct model_account *account = &wall->model.accounts[i];
		int rc = account->blocked ? 0 : fill_account(wall, account);

		if (rc != 0)
			log_event(LOG_WARN, "firewall-unfilled",
			    "account=%s reason=%s: see firewall status",
			    account->name, err_text(rc));
	}
	tell(p, LINK_EMPTIED, (struct span){0});
}

/*
 * Another policy.
 */
static bool
is_allowed(const struct model_account *account, const struct set_item *item)
{
	for (size_t i = 0; i < account->host_count; i++) {
		const struct model_host *host = &account->hosts[i];

		if (host->port != item->port ||
		    host->protocol != item->protocol)
			continue;
		if (is_literal(host)
			? address_equal(&host->address, &item->address)
			: strncmp(host->name, item->name,
			      sizeof item->name - 1) == 0 &&
			      model_refuses(account, &item->address) == NULL)
			return true;
	}
	return false;
}

static int
sweep_item(void *data, const struct set_item *item)
{
	struct sweep *sweep = data;

	return is_allowed(sweep->account, item) ? 0 : collect(sweep, item);
}

static void
remove_gone(struct wall *wall, const struct model_account *account)
{
	struct sweep sweep = {.account = account};
	int rc = list(wall, account->uid, false, sweep_item, &sweep);

	if (rc == 0)
		rc = list(wall, account->uid, true, sweep_item, &sweep);
	if (rc == 0)
		rc = take_out(wall, &sweep);
	/* what cannot be told apart goes altogether */
	if (rc != 0 && rc != -ERR_NOT_FOUND) {
		log_event(LOG_ERROR, "firewall-emptied",
		    "account=%s reason=%s: all its addresses are out of the "
		    "sets, and names are looked up anew",
		    account->name, err_text(rc));
		(void)set_clear(wall->set, account->uid);
	}
	free(sweep.items);
}

void
wall_reload(struct parent *p)
{
	struct wall *wall = &p->wall;
	struct model next = {.count = 0};
	struct buf text;

	if (!wall->on)
		return;
	model_copy(policy_firewall(p->policy), &next);
	for (size_t i = 0; i < next.count; i++)
		next.accounts[i].uid = wall->model.accounts[i].uid;
	model_free(&wall->model);
	wall->model = next;
	for (size_t i = 0; i < next.count; i++)
		remove_gone(wall, &wall->model.accounts[i]);
	buf_init(&text, MODEL_PACK_BYTES);
	model_pack(&wall->model, &text);
	wall->models++;
	tell(p, LINK_MODEL, (struct span){text.data, text.len});
	buf_free(&text);
	wall_fill(p);
	wall->refresh = true;
	wall->look_ms = clock_ms();
}
