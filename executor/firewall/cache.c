/*
 * Names and their addresses over time. Pure; runs in the resolver.
 */
#include "executor/firewall/cache.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

#define NEVER INT64_MAX
#define DOUBLINGS_MAX 6 /* 64 s between tries of a name that is in use */
#define IDLE_DOUBLINGS_MAX 9

enum doing { IDLE, LOOKING, PLACING };

struct half {
	int64_t due_ms; /* to be looked up then, if somebody wants it */
	int64_t end_ms; /* `list` is told until then; 0: nothing is */
	int64_t said_until_ms;
	struct address *list, *next; /* in place; to be put in place */
	uint32_t next_ttl_s;
	unsigned char count, next_count;
	unsigned char doing, said; /* enum cache_say, where nothing is told */
	unsigned char fails;	   /* in a row */
	bool wanted;		   /* though not in use */
	bool urgent;		   /* somebody waits */
};

struct row {
	const char *name; /* the model's */
	uint32_t account, host;
	int64_t asked_ms; /* when an account asked last; -CACHE_USE_MS */
	struct half halves[2];
};

struct cache {
	struct row *rows; /* by account, and by name */
	size_t count;
	size_t cursor; /* where cache_next goes on */
	uint32_t generation;
	bool always;
	size_t looks, urgent;
	unsigned account_looks[MODEL_ACCOUNTS_MAX];
};

static struct half *
half_of(struct row *row, unsigned char family)
{
	return &row->halves[family == ADDRESS_6];
}

static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	order = strcmp(x->name, y->name);
	if (order != 0)
		return order;
	return x->host < y->host ? -1 : x->host > y->host;
}

static bool
same(const struct row *a, const struct row *b)
{
	return a->account == b->account && strcmp(a->name, b->name) == 0;
}

static void
begin_half(struct half *half, int64_t now)
{
	*half = (struct half){.due_ms = now, .wanted = true};
}

static void
add_names(struct cache *cache, const struct model *model, uint32_t account,
    int64_t now)
{
	const struct model_account *a = &model->accounts[account];

	if (a->blocked)
		return;
	for (uint32_t i = 0; i < a->host_count; i++) {
		struct row *row = &cache->rows[cache->count];

		if (a->hosts[i].address.family != ADDRESS_NONE)
			continue;
		cache->count++;
		row->name = a->hosts[i].name;
		row->account = account;
		row->host = i;
		row->asked_ms = now - CACHE_USE_MS;
		begin_half(&row->halves[0], now);
		begin_half(&row->halves[1], now);
	}
}

/* The rows of a model: sorted, each name of an account once. */
static void
make_rows(struct cache *cache, const struct model *model, int64_t now)
{
	size_t all = 0, kept = 0;

	for (size_t i = 0; i < model->count; i++)
		all += model->accounts[i].host_count;
	cache->rows = alloc_array(all, sizeof *cache->rows);
	cache->count = 0;
	for (size_t i = 0; i < model->count; i++)
		add_names(cache, model, (uint32_t)i, now);
	if (cache->count != 0)
		qsort(cache->rows, cache->count, sizeof *cache->rows, compare);
	for (size_t i = 0; i < cache->count; i++)
		if (kept == 0 || !same(&cache->rows[kept - 1], &cache->rows[i]))
			cache->rows[kept++] = cache->rows[i];
	cache->count = kept;
}

struct cache *
cache_new(const struct model *model, bool always, int64_t now)
{
	struct cache *cache = alloc_bytes(sizeof *cache);

	cache->always = always;
	make_rows(cache, model, now);
	return cache;
}

static void
free_rows(struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int h = 0; h < 2; h++) {
			free(rows[i].halves[h].list);
			free(rows[i].halves[h].next);
		}
	free(rows);
}

void
cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	free_rows(cache->rows, cache->count);
	free(cache);
}

/* What is under way has no answer that counts any more. */
static void
forget_ways(struct cache *cache)
{
	cache->generation++;
	cache->looks = cache->urgent = 0;
	cache->cursor = 0;
	memset(cache->account_looks, 0, sizeof cache->account_looks);
}

/* Nothing is under way in it. */
static void
stop_half(struct half *half, int64_t now)
{
	free(half->next);
	half->next = NULL;
	if (half->doing != IDLE || half->urgent) {
		half->wanted = true;
		half->due_ms = now;
	}
	half->doing = IDLE;
	half->urgent = false;
}

static struct row *
find_row(const struct cache *cache, uint32_t account, const char *name)
{
	struct row wanted = {.name = name, .account = account};
	size_t low = 0, high = cache->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&cache->rows[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == cache->count || !same(&cache->rows[low], &wanted))
		return NULL;
	return &cache->rows[low];
}

/* What was known of it goes over. */
static void
move_row(struct row *from, struct row *to, int64_t now)
{
	to->asked_ms = from->asked_ms;
	for (int h = 0; h < 2; h++) {
		stop_half(&from->halves[h], now);
		to->halves[h] = from->halves[h];
		from->halves[h].list = NULL;
	}
}

void
cache_replace(struct cache *cache, const struct model *model, int64_t now)
{
	struct row *old = cache->rows;
	size_t count = cache->count;

	forget_ways(cache);
	make_rows(cache, model, now);
	for (size_t i = 0; i < count; i++) {
		struct row *row = find_row(cache, old[i].account, old[i].name);

		if (row != NULL)
			move_row(&old[i], row, now);
	}
	free_rows(old, count);
}

static bool
in_use(const struct cache *cache, const struct row *row, int64_t now)
{
	return cache->always || now - row->asked_ms < CACHE_USE_MS;
}

void
cache_emptied(struct cache *cache, int64_t now)
{
	forget_ways(cache);
	for (size_t i = 0; i < cache->count; i++)
		for (int h = 0; h < 2; h++) {
			struct half *half = &cache->rows[i].halves[h];

			stop_half(half, now);
			half->wanted = half->wanted || half->end_ms > now ||
				       in_use(cache, &cache->rows[i], now);
			half->due_ms = now;
			half->end_ms = half->said_until_ms = 0;
			half->fails = 0;
		}
}

bool
cache_find(const struct cache *cache, uint32_t account, const char *name,
    uint32_t *row_out)
{
	const struct row *row = find_row(cache, account, name);

	if (row == NULL)
		return false;
	*row_out = (uint32_t)(row - cache->rows);
	return true;
}

const char *
cache_name(const struct cache *cache, uint32_t row)
{
	return cache->rows[row].name;
}

uint32_t
cache_account(const struct cache *cache, uint32_t row)
{
	return cache->rows[row].account;
}

uint32_t
cache_host(const struct cache *cache, uint32_t row)
{
	return cache->rows[row].host;
}

bool
cache_valid(const struct cache *cache, struct cache_key key)
{
	return key.generation == cache->generation && key.row < cache->count;
}

static void
set_urgent(struct cache *cache, struct half *half, bool urgent)
{
	if (half->urgent == urgent)
		return;
	half->urgent = urgent;
	cache->urgent += urgent ? 1 : (size_t)-1;
}

enum cache_say
cache_ask(struct cache *cache, uint32_t row, unsigned char family, int64_t now,
    struct cache_told *out)
{
	struct row *asked = &cache->rows[row];
	struct half *half = half_of(asked, family);

	*out = (struct cache_told){0};
	asked->asked_ms = now;
	if (half->end_ms - now >= 1000) {
		out->ttl_s = (uint32_t)((half->end_ms - now) / 1000);
		out->addresses = half->list;
		out->count = half->count;
		return CACHE_ADDRESSES;
	}
	if (half->said_until_ms > now)
		return half->said;
	if (half->doing == IDLE) {
		half->due_ms = now;
		set_urgent(cache, half, true);
	}
	return CACHE_WAIT;
}

static bool
is_due(const struct cache *cache, const struct row *row,
    const struct half *half, int64_t now)
{
	if (half->doing != IDLE || half->due_ms > now ||
	    cache->account_looks[row->account] >= CACHE_ACCOUNT_LOOKS)
		return false;
	return half->urgent || half->wanted || in_use(cache, row, now);
}

static void
begin_look(struct cache *cache, size_t at, int h, struct cache_key *out)
{
	struct row *row = &cache->rows[at];

	row->halves[h].doing = LOOKING;
	set_urgent(cache, &row->halves[h], false);
	cache->looks++;
	cache->account_looks[row->account]++;
	cache->cursor = h == 0 ? at : at + 1; /* its other half next */
	*out = (struct cache_key){.generation = cache->generation,
	    .row = (uint32_t)at,
	    .family = h == 0 ? ADDRESS_4 : ADDRESS_6};
}

static bool
search(struct cache *cache, int64_t now, bool urgent, struct cache_key *out)
{
	for (size_t i = 0; i < cache->count; i++) {
		size_t at = (cache->cursor + i) % cache->count;
		struct row *row = &cache->rows[at];

		for (int h = 0; h < 2; h++) {
			if (!is_due(cache, row, &row->halves[h], now) ||
			    (urgent && !row->halves[h].urgent))
				continue;
			begin_look(cache, at, h, out);
			return true;
		}
	}
	return false;
}

bool
cache_next(struct cache *cache, int64_t now, struct cache_key *out)
{
	if (cache->looks >= CACHE_LOOKS)
		return false;
	if (cache->urgent != 0 && search(cache, now, true, out))
		return true;
	return cache->looks < CACHE_LOOKS - CACHE_SPARE &&
	       search(cache, now, false, out);
}

int64_t
cache_delay(const struct cache *cache, int64_t now)
{
	int64_t soonest = NEVER;

	if (cache->looks >= CACHE_LOOKS - CACHE_SPARE)
		return -1; /* the next one that ends makes room */
	for (size_t i = 0; i < cache->count; i++)
		for (int h = 0; h < 2; h++) {
			const struct row *row = &cache->rows[i];
			const struct half *half = &row->halves[h];

			if (half->doing == IDLE && half->due_ms < soonest &&
			    (half->urgent || half->wanted ||
				in_use(cache, row, now)))
				soonest = half->due_ms;
		}
	if (soonest == NEVER)
		return -1;
	return soonest > now ? soonest - now : 0;
}

static void
end_look(struct cache *cache, struct row *row, struct half *half)
{
	half->doing = IDLE;
	cache->looks--;
	cache->account_looks[row->account]--;
}

/* It is tried again later and later; what is in place is told meanwhile. */
static void
fail(struct cache *cache, struct row *row, struct half *half, int64_t now)
{
	int most = in_use(cache, row, now) ? DOUBLINGS_MAX : IDLE_DOUBLINGS_MAX;
	int doublings = half->fails < most ? half->fails : most;
	int64_t wait_s = INT64_C(1) << doublings;
	int64_t told_s = wait_s < CACHE_FAILED_S ? wait_s : CACHE_FAILED_S;

	if (half->fails < UINT8_MAX)
		half->fails++;
	half->said = CACHE_FAILED;
	half->said_until_ms = now + told_s * 1000;
	half->due_ms = now + wait_s * 1000;
}

static void
forget_list(struct half *half)
{
	free(half->list);
	half->list = NULL;
	half->count = 0;
	half->end_ms = 0;
}

/* The name has nothing: asked again when somebody does, or it is always. */
static void
say_nothing(struct half *half, int64_t now, enum cache_say say)
{
	forget_list(half);
	half->fails = 0;
	half->wanted = false;
	half->said = (unsigned char)say;
	half->said_until_ms = now + CACHE_EMPTY_S * 1000;
	half->due_ms = now + CACHE_CEILING_S * 1000;
}

static uint32_t
clamp_ttl(uint32_t ttl_s)
{
	if (ttl_s < CACHE_FLOOR_S)
		return CACHE_FLOOR_S;
	return ttl_s > CACHE_CEILING_S ? CACHE_CEILING_S : ttl_s;
}

static void
take_addresses(struct half *half, const struct cache_found *found)
{
	half->next = alloc_array(found->count, sizeof *half->next);
	half->next_count = 0;
	for (size_t i = 0; i < found->count; i++) {
		bool twice = false;

		for (size_t j = 0; j < half->next_count; j++)
			twice = twice || address_equal(&half->next[j],
					     &found->addresses[i]);
		if (!twice)
			half->next[half->next_count++] = found->addresses[i];
	}
	half->next_ttl_s = clamp_ttl(found->ttl_s);
	half->doing = PLACING;
}

static void
write_order(
    const struct row *row, const struct half *half, struct link_order *out)
{
	memset(out, 0, sizeof *out);
	out->account = row->account;
	out->host = row->host;
	out->timeout_s = half->next_ttl_s + CACHE_GRACE_S;
	out->count = half->next_count;
	memcpy(
	    out->addresses, half->next, half->next_count * sizeof *half->next);
}

bool
cache_found(struct cache *cache, struct cache_key key, int64_t now,
    const struct cache_found *found, struct link_order *order_out)
{
	struct row *row;
	struct half *half;

	if (!cache_valid(cache, key))
		return false;
	row = &cache->rows[key.row];
	half = half_of(row, key.family);
	if (half->doing != LOOKING || found->count > LINK_ADDRESSES_MAX ||
	    (found->say == CACHE_ADDRESSES) != (found->count != 0))
		bug("a look-up that does not fit: %d", half->doing);
	if (found->say == CACHE_ADDRESSES) {
		take_addresses(half, found);
		write_order(row, half, order_out);
		return true;
	}
	end_look(cache, row, half);
	if (found->inward)
		forget_list(half);
	if (found->say == CACHE_FAILED)
		fail(cache, row, half, now);
	else
		say_nothing(half, now, found->say);
	return false;
}

void
cache_placed(
    struct cache *cache, struct cache_key key, int64_t now, bool placed)
{
	struct row *row;
	struct half *half;
	int64_t lives_ms;

	if (!cache_valid(cache, key))
		return;
	row = &cache->rows[key.row];
	half = half_of(row, key.family);
	if (half->doing != PLACING)
		bug("addresses that were not to be placed");
	end_look(cache, row, half);
	if (!placed) {
		free(half->next);
		half->next = NULL;
		fail(cache, row, half, now);
		return;
	}
	free(half->list);
	half->list = half->next;
	half->count = half->next_count;
	half->next = NULL;
	half->fails = 0;
	half->wanted = false;
	lives_ms = (int64_t)half->next_ttl_s * 1000;
	half->end_ms = now + lives_ms;
	half->said_until_ms = 0;
	half->due_ms = now + lives_ms - lives_ms / 10;
}

void
cache_changed(struct cache *cache, struct cache_key key, int64_t now)
{
	struct half *half;

	if (!cache_valid(cache, key))
		return;
	half = half_of(&cache->rows[key.row], key.family);
	half->wanted = true;
	half->due_ms = now;
}

void
cache_peek(
    const struct cache *cache, struct cache_key key, struct cache_told *out)
{
	const struct half *half = half_of(&cache->rows[key.row], key.family);

	*out =
	    (struct cache_told){.addresses = half->list, .count = half->count};
}
