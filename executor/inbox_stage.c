/*
 * Raw bytes: gathered in an unlinked file while they arrive, moved into the
 * database in one transaction, read back in pieces. Stored as parts of
 * CHUNK_BYTES, so that memory stays small, each byte is written to the log
 * once, and reading at any offset costs one or two look-ups. Runs in the
 * broker; the bytes are hostile and are only counted and hashed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/inbox_item.h"

#define PART_BYTES CHUNK_BYTES /* a part fits one chunk of the wire */

/* Not used to its last byte by mail, nor by what readers make of it, else no
 * item could change its state any more: the log may grow to 4 MiB. */
#define RESERVE_BYTES ((uint64_t)4 << 20)
/* A delivery leaves further room: for the log while clean texts are stored,
 * and for the clean texts of all that waits for a reader. One has seldom more
 * bytes than its mail, and a little; but a reader may send CLEAN_MAX_BYTES for
 * any mail, and then items wait until there is room again. */
#define CLEAN_LOG_BYTES ((uint64_t)4 << 20)
#define CLEAN_LEAST_BYTES                                                      \
	8192	       /* a clean text and record of next to nothing           \
			*/
#define STAGE_COPIES 3 /* of a delivery at once: stage, log, database */
#define CLEAN_COPIES 2 /* of a clean text: log, database */

struct inbox_stage {
	struct inbox *inbox;
	int fd;
	int place; /* in inbox->stages */
	int error; /* of the first addition that failed; for good */
	uint64_t declared, received;
	struct sha256 *raw_hash;  /* what the sender can know */
	struct sha256 *item_hash; /* of channel and bytes: the identity */
	struct span channel;	  /* points into channel_text */
	char channel_text[NAME_MAX_BYTES];
};

/* The length byte keeps ("ab", "c") and ("a", "bc") apart. */
static void
identity_start(struct sha256 *hash, struct span channel)
{
	unsigned char length = (unsigned char)channel.n;

	sha256_start(hash);
	sha256_add(hash, &length, 1);
	sha256_add(hash, channel.p, channel.n);
}

static int
free_place(const struct inbox *inbox)
{
	int place = 0;

	while (place < INBOX_STAGES_MAX && inbox->stages[place] != NULL)
		place++;
	return place;
}

/* Would so many bytes leave the reserve? */
static int
disk_check(const struct inbox *inbox, uint64_t bytes)
{
	struct statvfs disk;

	if (statvfs(inbox->folder, &disk) != 0)
		return err_from_errno(errno);
	if (disk.f_frsize != 0 &&
	    disk.f_bavail < (bytes + RESERVE_BYTES) / disk.f_frsize)
		return -ERR_NO_SPACE;
	return 0;
}

int
inbox_clean_room(const struct inbox *inbox, uint64_t bytes)
{
	return disk_check(inbox, bytes * CLEAN_COPIES);
}

/* Would one more item of so many bytes fit, beside what is being staged? */
static int
room_check(const struct inbox *inbox, uint64_t bytes)
{
	const struct inbox_limits *limits = &inbox->limits;
	const uint64_t *held = inbox->counts.items;
	uint64_t staged = bytes, items = 0;
	uint64_t waiting = held[INBOX_NEW] + held[INBOX_CLEANING] + 1;

	for (int i = 0; i < INBOX_STATE_COUNT; i++)
		items += i == INBOX_DROPPED ? 0 : held[i];
	for (int i = 0; i < INBOX_STAGES_MAX; i++) {
		if (inbox->stages[i] == NULL)
			continue;
		staged += inbox->stages[i]->declared;
		items++;
		waiting++;
	}
	if (items >= limits->items ||
	    inbox->counts.bytes > limits->total_bytes ||
	    staged > limits->total_bytes - inbox->counts.bytes)
		return -ERR_QUOTA;
	return disk_check(
	    inbox, staged * (STAGE_COPIES + 1) + inbox->counts.waiting_bytes +
		       waiting * CLEAN_LEAST_BYTES + CLEAN_LOG_BYTES);
}

static int
file_open(const struct inbox *inbox, int *fd_out)
{
	char *path =
	    alloc_format("%s/%sXXXXXX", inbox->folder, INBOX_STAGE_PREFIX);
	int fd = mkostemp(path, O_CLOEXEC);
	int error = fd < 0 ? err_from_errno(errno) : 0;

	if (fd >= 0 && unlink(path) != 0) {
		error = err_from_errno(errno);
		close(fd);
	}
	free(path);
	if (error == 0)
		*fd_out = fd;
	return error;
}

int
inbox_stage_begin(struct inbox *inbox, struct span channel, uint64_t bytes,
    struct inbox_stage **stage_out)
{
	struct inbox_stage *stage;
	int place = free_place(inbox);
	int error, fd;

	if (bytes == 0 || !inbox_name_check(channel))
		return -ERR_RANGE;
	if (bytes > inbox->limits.item_bytes)
		return -ERR_TOO_LARGE;
	if (place == INBOX_STAGES_MAX)
		return -ERR_BUSY;
	error = room_check(inbox, bytes);
	if (error == 0)
		error = file_open(inbox, &fd);
	if (error != 0)
		return error;
	stage = alloc_bytes(sizeof *stage);
	stage->inbox = inbox;
	stage->fd = fd;
	stage->place = place;
	stage->declared = bytes;
	memcpy(stage->channel_text, channel.p, channel.n);
	stage->channel = (struct span){stage->channel_text, channel.n};
	stage->raw_hash = sha256_new();
	stage->item_hash = sha256_new();
	identity_start(stage->item_hash, stage->channel);
	inbox->stages[place] = stage;
	*stage_out = stage;
	return 0;
}

static int
write_all(int fd, const char *p, size_t count)
{
	while (count > 0) {
		ssize_t wrote = write(fd, p, count);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_from_errno(errno);
		p += wrote;
		count -= (size_t)wrote;
	}
	return 0;
}

int
inbox_stage_add(struct inbox_stage *stage, const void *bytes, size_t count)
{
	if (stage->error == 0 && count > stage->declared - stage->received)
		stage->error = -ERR_STREAM;
	if (stage->error == 0)
		stage->error = write_all(stage->fd, bytes, count);
	if (stage->error != 0)
		return stage->error;
	sha256_add(stage->raw_hash, bytes, count);
	sha256_add(stage->item_hash, bytes, count);
	stage->received += count;
	return 0;
}

void
inbox_stage_abort(struct inbox_stage *stage)
{
	if (stage == NULL)
		return;
	stage->inbox->stages[stage->place] = NULL;
	close(stage->fd);
	sha256_free(stage->raw_hash);
	sha256_free(stage->item_hash);
	free(stage);
}

static int
item_add(const struct inbox_stage *stage,
    const unsigned char hash[SHA256_BYTES], int64_t *id_out)
{
	struct query q;
	int error;

	query_init(&q, &stage->inbox->db, SQL_ITEM_ADD);
	query_text(&q, 1, stage->channel);
	query_blob(&q, 2, hash, SHA256_BYTES);
	query_integer(&q, 3, INBOX_NEW);
	query_integer(&q, 4, (int64_t)stage->declared);
	query_integer(&q, 5, clock_utc_ms());
	error = query_run(&q);
	if (error == 0)
		*id_out = sqlite3_last_insert_rowid(stage->inbox->db.handle);
	return error;
}

/* All `count` bytes at `offset`; a shorter file is an error. */
static int
read_all(int fd, char *out, size_t count, off_t offset)
{
	while (count > 0) {
		ssize_t got = pread(fd, out, count, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_from_errno(errno);
		if (got == 0)
			return -ERR_IO;
		out += got;
		offset += got;
		count -= (size_t)got;
	}
	return 0;
}

static size_t
part_bytes(uint64_t total, uint64_t part)
{
	uint64_t left = total - part * PART_BYTES;

	return left < PART_BYTES ? (size_t)left : PART_BYTES;
}

static uint64_t
part_count(uint64_t total)
{
	return (total + PART_BYTES - 1) / PART_BYTES;
}

static int
part_add(struct inbox *inbox, int64_t id, uint64_t part, struct span bytes)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_RAW_ADD);
	query_integer(&q, 1, id);
	query_integer(&q, 2, (int64_t)part);
	query_blob(&q, 3, bytes.p, bytes.n);
	return query_run(&q);
}

static int
parts_add(const struct inbox_stage *stage, int64_t id)
{
	char *buffer = alloc_bytes(PART_BYTES);
	uint64_t parts = part_count(stage->declared);
	int error = 0;

	for (uint64_t i = 0; i < parts && error == 0; i++) {
		struct span bytes = {buffer, part_bytes(stage->declared, i)};

		error = read_all(
		    stage->fd, buffer, bytes.n, (off_t)(i * PART_BYTES));
		if (error == 0)
			error = part_add(stage->inbox, id, i, bytes);
	}
	free(buffer);
	return error;
}

static int
store(const struct inbox_stage *stage, const unsigned char hash[SHA256_BYTES],
    int64_t *id_out)
{
	struct inbox *inbox = stage->inbox;
	int64_t id = 0;
	int error = inbox_begin(inbox);

	if (error != 0)
		return error;
	error = item_add(stage, hash, &id);
	if (error == 0)
		error = parts_add(stage, id);
	inbox->counts.items[INBOX_NEW]++;
	inbox->counts.bytes += stage->declared;
	inbox->counts.waiting_bytes += stage->declared;
	error = inbox_end(inbox, error);
	if (error == 0)
		*id_out = id;
	return error;
}

static int
find(struct inbox *inbox, const unsigned char hash[SHA256_BYTES],
    int64_t *id_out)
{
	struct query q;

	query_init(&q, &inbox->db, SQL_ITEM_BY_HASH);
	query_blob(&q, 1, hash, SHA256_BYTES);
	return query_one(&q, id_out);
}

static int
commit(const struct inbox_stage *stage, const unsigned char *sha256,
    int64_t *id_out, bool *duplicate_out)
{
	unsigned char raw[SHA256_BYTES], identity[SHA256_BYTES];
	int error;

	if (stage->error != 0)
		return stage->error;
	if (stage->received != stage->declared)
		return -ERR_STREAM;
	sha256_end(stage->raw_hash, raw);
	sha256_end(stage->item_hash, identity);
	if (sha256 != NULL && memcmp(sha256, raw, SHA256_BYTES) != 0)
		return -ERR_STREAM;
	error = find(stage->inbox, identity, id_out);
	if (error == 0)
		*duplicate_out = true;
	if (error != -ERR_NOT_FOUND)
		return error;
	error = store(stage, identity, id_out);
	if (error == 0)
		*duplicate_out = false;
	return error;
}

int
inbox_stage_commit(struct inbox_stage *stage,
    const unsigned char sha256[SHA256_BYTES], int64_t *id_out,
    bool *duplicate_out)
{
	int error = commit(stage, sha256, id_out, duplicate_out);

	inbox_stage_abort(stage);
	return error;
}

/* Bytes of one part from `skip` on into out; all of its bytes must be there. */
static int
part_read(struct inbox *inbox, const struct item_row *row, uint64_t offset,
    struct span out, size_t *read_out)
{
	uint64_t part = offset / PART_BYTES;
	size_t skip = (size_t)(offset % PART_BYTES);
	struct span stored;
	struct query q;
	size_t count;
	int error;

	query_init(&q, &inbox->db, SQL_RAW_PART);
	query_integer(&q, 1, row->id);
	query_integer(&q, 2, (int64_t)part);
	error = query_row(&q);
	if (error != 0)
		return error == -ERR_NOT_FOUND ? -ERR_CORRUPT : error;
	stored = query_get_bytes(&q, 0);
	if (stored.n != part_bytes(row->bytes, part)) {
		query_done(&q);
		return -ERR_CORRUPT;
	}
	count = stored.n - skip < out.n ? stored.n - skip : out.n;
	memcpy((char *)out.p, stored.p + skip, count);
	query_done(&q);
	*read_out = count;
	return 0;
}

int
inbox_raw_read(struct inbox *inbox, int64_t id, uint64_t offset, void *out,
    size_t bytes, size_t *read_out)
{
	const unsigned held = ~(1u << INBOX_DROPPED);
	struct item_row row;
	size_t used = 0, count;
	int error = item_load(inbox, id, held, &row);

	while (error == 0 && used < bytes && offset < row.bytes) {
		struct span room = {(char *)out + used, bytes - used};

		error = part_read(inbox, &row, offset, room, &count);
		if (error == 0) {
			used += count;
			offset += count;
		}
	}
	if (error == 0)
		*read_out = used;
	return error;
}

int
item_verify(struct inbox *inbox, const struct inbox_item *item)
{
	char *buffer = alloc_bytes(PART_BYTES);
	struct sha256 *hash = sha256_new();
	unsigned char found[SHA256_BYTES];
	uint64_t offset = 0;
	size_t count = 1;
	int error = 0;

	identity_start(hash, span_of(item->channel));
	while (error == 0 && count > 0) {
		error = inbox_raw_read(
		    inbox, item->id, offset, buffer, PART_BYTES, &count);
		if (error == 0)
			sha256_add(hash, buffer, count);
		offset += count;
	}
	sha256_end(hash, found);
	if (error == 0 && memcmp(found, item->hash, SHA256_BYTES) != 0) {
		log_event(LOG_ERROR, "inbox_hash", "id=%" PRId64, item->id);
		error = -ERR_CORRUPT;
	}
	sha256_free(hash);
	free(buffer);
	return error;
}
