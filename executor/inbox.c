/*
 * Opening the inbox, settling what a crash left in it, and looking at what is
 * there. Runs in the broker, which alone may read the folder. Believes the
 * folder's owner and mode, and what is in the database only as far as it was
 * checked; must never hand out an item that an effect may have left for.
 */
#include "executor/inbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/inbox_copy.h"
#include "executor/inbox_item.h"

#define DB_NAME "inbox.db"
#define LOCK_NAME "inbox.lock"
#define DAYS_MAX 36500 /* a hundred years of milliseconds fit anywhere */

static const struct inbox_limits default_limits = {
    .total_bytes = (uint64_t)2 << 30,
    .item_bytes = MAIL_MAX_BYTES,
    .items = 100000,
    .stubs = 1000000,
    .done_days = 30,
    .stub_days = 365,
};

static const char *const state_names[INBOX_STATE_COUNT] = {
    [INBOX_NEW] = "new",
    [INBOX_CLEANING] = "cleaning",
    [INBOX_READY] = "ready",
    [INBOX_CLAIMED] = "claimed",
    [INBOX_ACTED] = "acted",
    [INBOX_DONE] = "done",
    [INBOX_QUARANTINED] = "quarantined",
    [INBOX_INTERRUPTED] = "interrupted",
    [INBOX_DROPPED] = "dropped",
    [INBOX_HELD] = "held",
};

/* What a restart makes of each state in flight; the first row that matches an
 * item is its row. */
static const struct recovery {
	enum inbox_state from, to;
	int attempts; /* at least */
	bool keep_session;
	const char *note;
} recoveries[] = {
    {INBOX_CLEANING, INBOX_QUARANTINED, INBOX_ATTEMPTS_MAX, false,
	"the service ended while a reader had it, for the last time"},
    {INBOX_CLEANING, INBOX_NEW, 0, false,
	"the service ended while a reader had it"},
    {INBOX_CLAIMED, INBOX_READY, 0, false, ""},
    {INBOX_ACTED, INBOX_INTERRUPTED, 0, true,
	"the service ended before it was known what became of it"},
};

/* A zero in `limits` becomes its default. */
static int
limits_set(struct inbox_limits *out, const struct inbox_limits *limits)
{
	struct inbox_limits set = default_limits;

	if (limits == NULL) {
		*out = set;
		return 0;
	}
	if (limits->item_bytes > MAIL_MAX_BYTES ||
	    limits->done_days > DAYS_MAX || limits->stub_days > DAYS_MAX)
		return -ERR_RANGE;
	if (limits->total_bytes != 0)
		set.total_bytes = limits->total_bytes;
	if (limits->item_bytes != 0)
		set.item_bytes = limits->item_bytes;
	if (limits->items != 0)
		set.items = limits->items;
	if (limits->stubs != 0)
		set.stubs = limits->stubs;
	if (limits->done_days != 0)
		set.done_days = limits->done_days;
	if (limits->stub_days != 0)
		set.stub_days = limits->stub_days;
	*out = set;
	return 0;
}

/* Ours, and nobody else has the rights in `forbidden`. */
static int
owner_check(int fd, const char *name, mode_t type, mode_t forbidden)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	if ((st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	    (st.st_mode & forbidden) == 0)
		return 0;
	log_event(LOG_ERROR, "inbox_owner",
	    "name=%s uid=%ld mode=%lo not ours alone", name, (long)st.st_uid,
	    (unsigned long)st.st_mode);
	return -ERR_CONFIG;
}

static int
folder_open(const char *path, int *fd_out)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return err_from_errno(errno);
	error = owner_check(fd, path, S_IFDIR, S_IWGRP | S_IWOTH);
	if (error != 0)
		close(fd);
	else
		*fd_out = fd;
	return error;
}

/* Open or make a private file; never through a link, never waiting. */
static int
file_make(int folder, const char *name, int *fd_out)
{
	int fd = openat(folder, name,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    S_IRUSR | S_IWUSR);
	int error;

	if (fd < 0)
		return err_from_errno(errno);
	error = owner_check(fd, name, S_IFREG, S_IRWXG | S_IRWXO);
	if (error != 0)
		close(fd);
	else
		*fd_out = fd;
	return error;
}

static int
lock_take(int folder, int *lock_out)
{
	int fd, error;

	error = file_make(folder, LOCK_NAME, &fd);
	if (error != 0)
		return error;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*lock_out = fd;
		return 0;
	}
	error = errno == EWOULDBLOCK ? -ERR_BUSY : err_from_errno(errno);
	log_event(LOG_ERROR, "inbox_lock", "reason=%s", strerror(errno));
	close(fd);
	return error;
}

/* SQLite would make it readable for all; so make it first. Its name is
 * durable when this returns 0. */
static int
database_make(int folder)
{
	int fd, error;

	error = file_make(folder, DB_NAME, &fd);
	if (error != 0)
		return error;
	close(fd);
	return fsync(folder) == 0 ? 0 : err_from_errno(errno);
}

/* A kill between making a stage's file and unlinking it leaves its name. */
static void
stages_sweep(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (span_starts(span_of(entry->d_name), INBOX_STAGE_PREFIX))
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
}

static void
settled_add(struct inbox *inbox, const struct recovery *recovery, int64_t id,
    int64_t session)
{
	size_t count = inbox->settled_count;

	if ((count & (count - 1)) == 0) /* full at each power of two */
		inbox->settled = alloc_resize(inbox->settled,
		    count == 0 ? 1 : 2 * count, sizeof *inbox->settled);
	inbox->settled[inbox->settled_count++] =
	    (struct inbox_settled){.id = id,
		.session = session,
		.from = recovery->from,
		.to = recovery->to,
		.note = recovery->note};
}

static int
recover_one(struct inbox *inbox, const struct recovery *recovery)
{
	size_t before = inbox->settled_count;
	struct query q;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_RECOVER);
	query_integer(&q, 1, recovery->from);
	query_integer(&q, 2, recovery->to);
	query_text(&q, 3, span_of(recovery->note));
	query_integer(&q, 4, clock_utc_ms());
	query_integer(&q, 5, recovery->keep_session);
	query_integer(&q, 6, recovery->attempts);
	while ((error = query_row(&q)) == 0)
		settled_add(inbox, recovery, query_get_integer(&q, 0),
		    query_get_integer(&q, 1));
	if (error != -ERR_NOT_FOUND)
		return error;
	if (inbox->settled_count > before)
		log_event(LOG_WARN, "inbox_recovered",
		    "items=%zu from=%s to=%s", inbox->settled_count - before,
		    state_names[recovery->from], state_names[recovery->to]);
	return 0;
}

static int
recover(struct inbox *inbox)
{
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	for (size_t i = 0;
	     i < sizeof recoveries / sizeof recoveries[0] && error == 0; i++)
		error = recover_one(inbox, &recoveries[i]);
	return inbox_end(inbox, error);
}

static int
count(struct inbox *inbox)
{
	struct inbox_counts counts = {.bytes = 0};
	uint64_t bytes;
	int64_t made = 0;
	struct query q;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_COUNTS);
	while ((error = query_row(&q)) == 0) {
		int64_t state = query_get_integer(&q, 0);

		if (state < 0 || state >= INBOX_STATE_COUNT) {
			query_done(&q);
			return -ERR_CORRUPT;
		}
		counts.items[state] = (uint64_t)query_get_integer(&q, 1);
		bytes = (uint64_t)query_get_integer(&q, 2);
		if (state != INBOX_DROPPED)
			counts.bytes += bytes;
		if (WAITS_FOR_READER(state))
			counts.waiting_bytes += bytes;
	}
	if (error != -ERR_NOT_FOUND)
		return error;
	query_init(&q, &inbox->db, SQL_CLEAN_BYTES_ALL);
	error = query_one(&q, &made);
	counts.bytes += (uint64_t)made;
	if (error == 0)
		inbox->counts = counts;
	return error;
}

/* With the lock held: the database, then what a crash left. */
static int
database_open(struct inbox *inbox, int folder)
{
	char *path = alloc_format("%s/%s", inbox->folder, DB_NAME);
	int error = database_make(folder);

	if (error == 0)
		error = db_open(&inbox->db, path);
	free(path);
	if (error != 0)
		return error;
	stages_sweep(inbox->folder);
	error = recover(inbox);
	return error == 0 ? count(inbox) : error;
}

/* The row of the first item above filter->after that matches. */
static int
item_next(struct inbox *inbox, const struct inbox_filter *filter,
    struct inbox_item *item_out)
{
	struct inbox_item item;
	struct query q;
	struct span hash;
	int64_t state;
	int error;

	query_init(&q, &inbox->db, SQL_ITEM_NEXT);
	query_integer(&q, 1, filter->after);
	query_integer(&q, 2, filter->states == 0 ? ~0u : filter->states);
	error = query_row(&q);
	if (error != 0)
		return error;
	item.id = query_get_integer(&q, 0);
	state = query_get_integer(&q, 1);
	item.bytes = (uint64_t)query_get_integer(&q, 2);
	item.failures = (uint32_t)query_get_integer(&q, 3);
	item.attempts = (uint32_t)query_get_integer(&q, 4);
	item.session = query_get_integer(&q, 5);
	item.arrived_ms = query_get_integer(&q, 6);
	item.changed_ms = query_get_integer(&q, 7);
	hash = query_get_bytes(&q, 8);
	if (hash.n == sizeof item.hash)
		memcpy(item.hash, hash.p, sizeof item.hash);
	else
		error = -ERR_CORRUPT;
	if (span_copy(query_get_bytes(&q, 9), item.channel,
		sizeof item.channel) != 0 ||
	    span_copy(query_get_bytes(&q, 10), item.note, sizeof item.note) !=
		0 ||
	    state < 0 || state >= INBOX_STATE_COUNT || item.id <= filter->after)
		error = -ERR_CORRUPT;
	query_done(&q);
	if (error != 0)
		return error;
	item.state = (enum inbox_state)state;
	*item_out = item;
	return 0;
}

static int
text_read(struct inbox *inbox, int64_t id, enum inbox_sql sql, struct buf *out)
{
	struct item_row row;
	struct query q;
	struct span text;
	int error = item_load(inbox, id, ~0u, &row);

	if (error != 0)
		return error;
	query_init(&q, &inbox->db, sql);
	query_integer(&q, 1, id);
	error = query_row(&q);
	if (error != 0)
		return error == -ERR_NOT_FOUND ? -ERR_WRONG_STATE : error;
	text = query_get_bytes(&q, 0);
	error = buf_add(out, text.p, text.n);
	query_done(&q);
	return error;
}

const char *
inbox_state_name(enum inbox_state state)
{
	return state < INBOX_STATE_COUNT ? state_names[state] : "unknown";
}

enum inbox_state
inbox_state_find(struct span name)
{
	int state = 0;

	while (state < INBOX_STATE_COUNT && !span_is(name, state_names[state]))
		state++;
	return (enum inbox_state)state;
}

int
inbox_open(const char *path, const struct inbox_limits *limits,
    struct inbox **inbox_out)
{
	struct inbox *inbox = alloc_bytes(sizeof *inbox);
	int folder = -1;
	int error;

	inbox->lock = -1;
	error = limits_set(&inbox->limits, limits);
	if (error == 0)
		error = folder_open(path, &folder);
	if (error == 0) {
		inbox->folder = realpath(path, NULL);
		if (inbox->folder == NULL)
			error = err_from_errno(errno);
	}
	if (error == 0)
		error = lock_take(folder, &inbox->lock);
	if (error == 0) /* of one that was killed */
		inbox_copy_end(NULL, inbox->folder);
	if (error == 0)
		error = database_open(inbox, folder);
	if (folder >= 0)
		close(folder);
	if (error != 0)
		inbox_close(inbox);
	else
		*inbox_out = inbox;
	return error;
}

int
inbox_backup(struct inbox *inbox, int64_t *left_out)
{
	return inbox_copy_step(
	    inbox->db.handle, inbox->folder, &inbox->copy, left_out);
}

void
inbox_close(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	for (int i = 0; i < INBOX_STAGES_MAX; i++)
		inbox_stage_abort(inbox->stages[i]);
	if (inbox->lock >= 0)
		inbox_copy_end(inbox->copy, inbox->folder);
	db_close(&inbox->db);
	if (inbox->lock >= 0)
		close(inbox->lock);
	free(inbox->settled);
	free(inbox->folder);
	free(inbox);
}

void
inbox_settled(struct inbox *inbox, inbox_settled_fn *each, void *arg)
{
	for (size_t i = 0; i < inbox->settled_count; i++)
		each(&inbox->settled[i], arg);
	free(inbox->settled);
	inbox->settled = NULL;
	inbox->settled_count = 0;
}

int
inbox_check(struct inbox *inbox)
{
	struct inbox_filter held = {.states = ~(1u << INBOX_DROPPED)};
	struct inbox_item item;
	int error = db_check(&inbox->db);

	while (error == 0 && (error = item_next(inbox, &held, &item)) == 0) {
		error = item_verify(inbox, &item);
		held.after = item.id;
	}
	return error == -ERR_NOT_FOUND ? 0 : error;
}

int
inbox_get(struct inbox *inbox, int64_t id, struct inbox_item *item_out)
{
	struct inbox_filter from = {.states = 0};
	struct inbox_item item;
	int error;

	if (id <= 0)
		return -ERR_NOT_FOUND;
	from.after = id - 1;
	error = item_next(inbox, &from, &item);
	if (error == 0 && item.id != id)
		error = -ERR_NOT_FOUND;
	if (error == 0)
		*item_out = item;
	return error;
}

int
inbox_clean_text(struct inbox *inbox, int64_t id, struct buf *out)
{
	return text_read(inbox, id, SQL_CLEAN_JSON, out);
}

int
inbox_record_text(struct inbox *inbox, int64_t id, struct buf *out)
{
	return text_read(inbox, id, SQL_CLEAN_RECORD, out);
}

int
inbox_list(struct inbox *inbox, const struct inbox_filter *filter,
    inbox_each_fn *each, void *arg)
{
	struct inbox_filter from = *filter;
	struct inbox_item item;
	uint32_t given = 0;
	int error = 0;

	while (filter->most == 0 || given < filter->most) {
		error = item_next(inbox, &from, &item);
		if (error != 0)
			break;
		given++;
		if (!each(&item, arg))
			break;
		from.after = item.id;
	}
	return error == -ERR_NOT_FOUND ? 0 : error;
}

struct inbox_counts
inbox_counts(const struct inbox *inbox)
{
	return inbox->counts;
}
