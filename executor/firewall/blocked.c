/*
 * Gathering what was refused. Pure; runs in the listener, and believes none of
 * what it counts.
 */
#include "executor/firewall/blocked.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

struct row {
	bool used, told;
	uint64_t count;	  /* since it was told */
	int64_t until_ms; /* of its window, once it was */
	struct blocked_attempt attempt;
};

struct share {
	struct row rows[BLOCKED_ROWS];
	uint64_t left_out;
	unsigned tokens;
	int64_t filled_ms; /* when tokens was what it is */
	unsigned next; /* row to look at first, so that all get their turn */
};

struct blocked {
	struct share shares[MODEL_ACCOUNTS_MAX];
};

struct blocked *
blocked_new(void)
{
	struct blocked *blocked = alloc_bytes(sizeof *blocked);

	for (size_t i = 0; i < MODEL_ACCOUNTS_MAX; i++)
		blocked->shares[i].tokens = BLOCKED_BURST;
	return blocked;
}

void
blocked_free(struct blocked *blocked)
{
	free(blocked);
}

static struct share *
share_of(struct blocked *blocked, uint32_t account)
{
	if (account >= MODEL_ACCOUNTS_MAX)
		bug("blocked account %u", account);
	return &blocked->shares[account];
}

static bool
is_same(const struct blocked_attempt *a, const struct blocked_attempt *b)
{
	return a->what == b->what && a->port == b->port &&
	       a->protocol == b->protocol &&
	       address_equal(&a->address, &b->address) &&
	       strcmp(a->name, b->name) == 0;
}

static struct row *
find_row(struct share *share, const struct blocked_attempt *attempt)
{
	struct row *unused = NULL;

	for (size_t i = 0; i < BLOCKED_ROWS; i++) {
		struct row *row = &share->rows[i];

		if (row->used && is_same(&row->attempt, attempt))
			return row;
		if (!row->used && unused == NULL)
			unused = row;
	}
	if (unused != NULL)
		*unused = (struct row){.used = true, .attempt = *attempt};
	return unused;
}

void
blocked_take(struct blocked *blocked, const struct blocked_attempt *attempt,
    uint64_t count, int64_t now_ms)
{
	struct share *share = share_of(blocked, attempt->account);
	struct row *row = find_row(share, attempt);

	if (share->filled_ms == 0)
		share->filled_ms = now_ms;
	if (row == NULL)
		share->left_out += count;
	else
		row->count += count;
}

void
blocked_miss(struct blocked *blocked, uint32_t account, uint64_t count)
{
	share_of(blocked, account)->left_out += count;
}

static void
fill(struct share *share, int64_t now_ms)
{
	int64_t more = (now_ms - share->filled_ms) / BLOCKED_EVERY_MS;

	if (more <= 0)
		return;
	if (more >= (int64_t)(BLOCKED_BURST - share->tokens)) {
		share->tokens = BLOCKED_BURST;
		share->filled_ms = now_ms;
		return;
	}
	share->tokens += (unsigned)more;
	share->filled_ms += more * BLOCKED_EVERY_MS;
}

/* A window that ends with nothing in it makes room for others. */
static bool
is_due(struct row *row, int64_t now_ms)
{
	if (!row->used || (row->told && now_ms < row->until_ms))
		return false;
	if (row->count != 0)
		return true;
	row->used = false;
	return false;
}

static bool
next_of(struct share *share, int64_t now_ms, struct blocked_record *out)
{
	fill(share, now_ms);
	for (unsigned i = 0; i < BLOCKED_ROWS; i++) {
		struct row *row =
		    &share->rows[(share->next + i) % BLOCKED_ROWS];

		if (!is_due(row, now_ms))
			continue;
		if (share->tokens == 0)
			return false;
		share->tokens--;
		*out = (struct blocked_record){.attempt = row->attempt,
		    .count = row->count,
		    .left_out = share->left_out};
		share->left_out = 0;
		row->told = true;
		row->count = 0;
		row->until_ms = now_ms + BLOCKED_WINDOW_MS;
		share->next = (share->next + i + 1) % BLOCKED_ROWS;
		return true;
	}
	return false;
}

bool
blocked_next(
    struct blocked *blocked, int64_t now_ms, struct blocked_record *out)
{
	for (size_t i = 0; i < MODEL_ACCOUNTS_MAX; i++)
		if (next_of(&blocked->shares[i], now_ms, out))
			return true;
	return false;
}

static int64_t
due_of(const struct share *share, int64_t now_ms)
{
	int64_t first = 0;

	for (size_t i = 0; i < BLOCKED_ROWS; i++) {
		const struct row *row = &share->rows[i];
		int64_t at = row->told ? row->until_ms : now_ms;

		if (row->used && (first == 0 || at < first))
			first = at;
	}
	if (first != 0 && share->tokens == 0 &&
	    first < share->filled_ms + BLOCKED_EVERY_MS)
		first = share->filled_ms + BLOCKED_EVERY_MS;
	return first;
}

int64_t
blocked_due(const struct blocked *blocked, int64_t now_ms)
{
	int64_t first = 0;

	for (size_t i = 0; i < MODEL_ACCOUNTS_MAX; i++) {
		int64_t at = due_of(&blocked->shares[i], now_ms);

		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	return first;
}
