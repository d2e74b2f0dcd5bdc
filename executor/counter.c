/*
 * Sliding windows of limits. Runs in the broker; believes its caller.
 */
#include "executor/counter.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

struct window {
	int64_t newest; /* number of the newest slot */
	uint64_t total;
	uint64_t slot[COUNTER_SLOTS];
};

struct table {
	char *id;
	enum limit_of of;
	enum limit_per per;
	int64_t slot_ms;
	uint64_t born; /* with which policy */
	uint32_t count;
	unsigned char key[COUNTER_KEYS][COUNT_KEY_BYTES];
	struct window window[COUNTER_KEYS];
};

struct counters {
	struct table *tables[POLICY_MAX_LIMITS]; /* as the policy's limits */
	size_t count;
	uint64_t adopted; /* policies so far */
};

struct counters *
counters_new(void)
{
	return alloc_bytes(sizeof(struct counters));
}

static void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	free(table->id);
	free(table);
}

void
counters_free(struct counters *counters)
{
	if (counters == NULL)
		return;
	for (size_t i = 0; i < counters->count; i++)
		table_free(counters->tables[i]);
	free(counters);
}

static int64_t
slot_of(const struct limit *limit)
{
	return (limit->window_ms + COUNTER_SLOTS - 2) / (COUNTER_SLOTS - 1);
}

static bool
is_of(const struct table *table, const struct limit *limit)
{
	return table != NULL && strcmp(table->id, limit->id) == 0 &&
	       table->of == limit->of && table->per == limit->per;
}

/* Drop the slots that fell out of the window. */
static void
move_to(struct window *w, int64_t slot)
{
	if (slot - w->newest >= COUNTER_SLOTS) {
		memset(w->slot, 0, sizeof w->slot);
		w->total = 0;
		w->newest = slot;
	}
	while (w->newest < slot) {
		w->newest++;
		w->total -= w->slot[w->newest % COUNTER_SLOTS];
		w->slot[w->newest % COUNTER_SLOTS] = 0;
	}
}

static struct window *
find(struct table *table, const unsigned char key[COUNT_KEY_BYTES])
{
	for (uint32_t i = 0; i < table->count; i++)
		if (memcmp(table->key[i], key, COUNT_KEY_BYTES) == 0)
			return &table->window[i];
	return NULL;
}

/* A place for a key that has none: a new one, or of one whose window is empty
 * by now. NULL: there is none. */
static struct window *
place(struct table *table, int64_t slot, uint32_t *index_out)
{
	if (table->count < COUNTER_KEYS) {
		*index_out = table->count;
		return &table->window[table->count];
	}
	for (uint32_t i = 0; i < COUNTER_KEYS; i++) {
		move_to(&table->window[i], slot);
		if (table->window[i].total == 0) {
			*index_out = i;
			return &table->window[i];
		}
	}
	return NULL;
}

size_t
limit_keys(const struct limit *limit, const struct count_keys *keys,
    const unsigned char (**keys_out)[COUNT_KEY_BYTES])
{
	if (limit->per == LIMIT_DESTINATION) {
		*keys_out = keys->destination;
		return keys->destinations;
	}
	*keys_out =
	    limit->per == LIMIT_SESSION ? &keys->session : &keys->capability;
	return 1;
}

static uint64_t
used_of(struct table *table, const struct limit *limit,
    const struct count_keys *keys, int64_t now_ms)
{
	const unsigned char(*key)[COUNT_KEY_BYTES];
	size_t count = limit_keys(limit, keys, &key), missing = 0;
	int64_t slot = now_ms / table->slot_ms;
	uint64_t most = 0;
	uint32_t index;

	if (limit->per == LIMIT_DESTINATION && keys->too_many)
		return AMOUNT_UNKNOWN;
	for (size_t i = 0; i < count; i++) {
		struct window *w = find(table, key[i]);

		if (w == NULL) {
			missing++;
			continue;
		}
		move_to(w, slot);
		if (w->total > most)
			most = w->total;
	}
	if (missing != 0 && table->count + missing > COUNTER_KEYS &&
	    (missing > 1 || place(table, slot, &index) == NULL))
		return AMOUNT_UNKNOWN;
	return most;
}

void
counters_read(struct counters *counters, const struct policy *policy,
    uint32_t capability, const struct count_keys *keys, int64_t now_ms,
    uint64_t *used_out)
{
	for (size_t i = 0; i < counters->count; i++)
		used_out[i] = policy_limit_names(policy, i, capability)
				  ? used_of(counters->tables[i],
					policy_limit(policy, i), keys, now_ms)
				  : 0;
}

static bool
add(struct table *table, const unsigned char key[COUNT_KEY_BYTES],
    uint64_t amount, int64_t slot, int64_t now_slot)
{
	struct window *w = find(table, key);
	uint32_t index;

	if (w == NULL) {
		w = place(table, now_slot, &index);
		if (w == NULL)
			return false;
		*w = (struct window){.newest = now_slot};
		memcpy(table->key[index], key, COUNT_KEY_BYTES);
		if (index == table->count)
			table->count++;
	}
	move_to(w, now_slot);
	if (w->newest - slot >= COUNTER_SLOTS)
		return true;
	if (amount > AMOUNT_UNKNOWN - 1 - w->total)
		amount = AMOUNT_UNKNOWN - 1 - w->total;
	w->slot[slot % COUNTER_SLOTS] += amount;
	w->total += amount;
	return true;
}

static struct table *
table_new(const struct limit *limit, uint64_t born)
{
	struct table *table = alloc_bytes(sizeof *table);

	table->id = alloc_text(limit->id, strlen(limit->id));
	table->of = limit->of;
	table->per = limit->per;
	table->slot_ms = slot_of(limit);
	table->born = born;
	return table;
}

/* What was taken of the same limit when it had another window: as late as it
 * can have been, so that nothing is forgotten too early. */
static void
carry(struct table *to, const struct table *from, int64_t now_ms)
{
	int64_t now = now_ms / to->slot_ms;

	for (uint32_t i = 0; i < from->count; i++)
		for (int64_t k = 0; k < COUNTER_SLOTS; k++) {
			const struct window *w = &from->window[i];
			int64_t slot = w->newest - k;
			int64_t last =
			    ((slot + 1) * from->slot_ms - 1) / to->slot_ms;

			if (slot >= 0)
				add(to, from->key[i],
				    w->slot[slot % COUNTER_SLOTS],
				    last < now ? last : now, now);
		}
}

/* The limit's table out of those there were, or a new one. */
static struct table *
adopt(struct counters *was, const struct limit *limit, uint64_t born,
    int64_t now_ms, bool *restore_out)
{
	struct table *old = NULL, *table;

	for (size_t k = 0; k < was->count && old == NULL; k++)
		if (is_of(was->tables[k], limit)) {
			old = was->tables[k];
			was->tables[k] = NULL;
		}
	if (old != NULL && old->slot_ms == slot_of(limit))
		return old;
	table = table_new(limit, born);
	if (limit->of == LIMIT_MONEY)
		*restore_out = true;
	else if (old != NULL)
		carry(table, old, now_ms);
	table_free(old);
	return table;
}

bool
counters_adopt(
    struct counters *counters, const struct policy *policy, int64_t now_ms)
{
	struct counters was = *counters;
	bool restore = false;

	counters->count = policy_limit_count(policy);
	counters->adopted++;
	for (size_t i = 0; i < counters->count; i++)
		counters->tables[i] = adopt(&was, policy_limit(policy, i),
		    counters->adopted, now_ms, &restore);
	for (size_t k = 0; k < was.count; k++)
		table_free(was.tables[k]);
	return restore;
}

static void
take_away(struct table *table, const unsigned char key[COUNT_KEY_BYTES],
    uint64_t amount, int64_t slot, int64_t now_slot)
{
	struct window *w = find(table, key);

	if (w == NULL)
		return;
	move_to(w, now_slot);
	if (w->newest - slot >= COUNTER_SLOTS)
		return; /* it has fallen out by itself */
	if (amount > w->slot[slot % COUNTER_SLOTS])
		amount = w->slot[slot % COUNTER_SLOTS];
	w->slot[slot % COUNTER_SLOTS] -= amount;
	w->total -= amount;
}

bool
counters_take(struct counters *counters, const struct policy *policy,
    struct charge *charge)
{
	const unsigned char(*key)[COUNT_KEY_BYTES];

	charge->adopted = counters->adopted;
	for (size_t i = 0; i < counters->count; i++) {
		const struct limit *limit = policy_limit(policy, i);
		struct table *table = counters->tables[i];
		int64_t slot = charge->at_ms / table->slot_ms;
		size_t count = limit_keys(limit, &charge->keys, &key);

		if (charge->amounts.of[limit->of] == 0 ||
		    !policy_limit_names(policy, i, charge->capability))
			continue;
		for (size_t k = 0; k < count; k++)
			if (!add(table, key[k], charge->amounts.of[limit->of],
				slot, slot))
				return false;
	}
	return true;
}

void
counters_give_back(struct counters *counters, const struct policy *policy,
    const struct charge *charge, int64_t now_ms)
{
	const unsigned char(*key)[COUNT_KEY_BYTES];

	if (charge->adopted != counters->adopted)
		return;
	for (size_t i = 0; i < counters->count; i++) {
		const struct limit *limit = policy_limit(policy, i);
		struct table *table = counters->tables[i];
		size_t count = limit_keys(limit, &charge->keys, &key);

		if (!policy_limit_names(policy, i, charge->capability))
			continue;
		for (size_t k = 0; k < count; k++)
			take_away(table, key[k], charge->amounts.of[limit->of],
			    charge->at_ms / table->slot_ms,
			    now_ms / table->slot_ms);
	}
}

void
counters_restore(struct counters *counters, struct span limit,
    const unsigned char key[COUNT_KEY_BYTES], uint64_t amount, int64_t age_ms,
    int64_t now_ms)
{
	for (size_t i = 0; i < counters->count; i++) {
		struct table *table = counters->tables[i];
		int64_t now_slot = now_ms / table->slot_ms;
		int64_t slots = age_ms / table->slot_ms;

		if (!span_is(limit, table->id) || table->of != LIMIT_MONEY ||
		    table->born != counters->adopted)
			continue;
		if (slots > now_slot) /* the clock has not run so long */
			slots =
			    slots >= COUNTER_SLOTS ? COUNTER_SLOTS : now_slot;
		if (slots < COUNTER_SLOTS)
			add(table, key, amount, now_slot - slots, now_slot);
	}
}
