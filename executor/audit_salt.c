/*
 * The file of salts. Written by the auditor; read to prove what a commitment
 * stands for; rows are overwritten when a person's data are to be erased.
 * Believes nothing of what the file holds.
 */
#include "executor/audit_salt.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/text.h"
#include "executor/audit_files.h"
#include "executor/record.h"
#include "executor/sync.h"

#define SALT_AT 17	  /* in a row */
#define ROWS_AT_ONCE 1000 /* 50,000 bytes of stack */
#define SALT_DIGITS ((size_t)2 * SALT_BYTES)

static const char erased[] = "--------------------------------";

_Static_assert(sizeof erased - 1 == SALT_DIGITS, "an erased salt");
_Static_assert(SALT_AT + SALT_DIGITS + 1 == SALT_ROW_BYTES, "a row");

struct row {
	uint64_t seq;
	bool is_erased;
	unsigned char salt[SALT_BYTES];
};

int
salt_new(unsigned char salt_out[SALT_BYTES])
{
	/* fetched sixteen at a time: the system call costs more than the rest
	 * of a record; each is wiped as it is given out */
	static unsigned char ahead[16 * SALT_BYTES];
	static size_t left;

	if (left == 0 && getentropy(ahead, sizeof ahead) != 0)
		return -ERR_SYSTEM;
	left = left == 0 ? sizeof ahead : left;
	left -= SALT_BYTES;
	memcpy(salt_out, ahead + left, SALT_BYTES);
	wipe(ahead + left, SALT_BYTES);
	return 0;
}

void
salt_commit(struct sha256 *digest, const unsigned char salt[SALT_BYTES],
    const unsigned char body[SHA256_BYTES],
    unsigned char commit_out[SHA256_BYTES])
{
	sha256_start(digest);
	sha256_add(digest, salt, SALT_BYTES);
	sha256_add(digest, body, SHA256_BYTES);
	sha256_end(digest, commit_out);
}

int
salt_add_row(
    struct buf *out, uint64_t seq, const unsigned char salt[SALT_BYTES])
{
	char row[SALT_ROW_BYTES + 1];
	unsigned char big[8];
	int rc;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (unsigned char)(seq >> (56 - 8 * i));
	hex_encode(big, sizeof big, row);
	row[SALT_AT - 1] = ' ';
	hex_encode(salt, SALT_BYTES, row + SALT_AT);
	row[SALT_ROW_BYTES - 1] = '\n';
	rc = buf_add(out, row, SALT_ROW_BYTES);
	wipe(row, sizeof row);
	return rc;
}

static int
parse_row(const char text[SALT_ROW_BYTES], struct row *row_out)
{
	struct span salt = {text + SALT_AT, SALT_DIGITS};
	struct row row = {0};
	int rc;

	if (text[SALT_AT - 1] != ' ' || text[SALT_ROW_BYTES - 1] != '\n')
		return -ERR_CORRUPT;
	rc = record_seq_parse((struct span){text, RECORD_SEQ_DIGITS}, &row.seq);
	row.is_erased = span_is(salt, erased);
	if (rc == 0 && !row.is_erased)
		rc = hex_decode(salt, row.salt, SALT_BYTES);
	if (rc != 0)
		return -ERR_CORRUPT;
	*row_out = row;
	return 0;
}

static int
read_row(int fd, uint64_t number, struct row *row_out)
{
	char text[SALT_ROW_BYTES];
	off_t offset = (off_t)(number * SALT_ROW_BYTES);
	int rc;

	if (pread(fd, text, sizeof text, offset) != (ssize_t)sizeof text)
		return -ERR_IO;
	rc = parse_row(text, row_out);
	wipe(text, sizeof text);
	return rc;
}

static int
count_rows(int fd, uint64_t *count_out)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -ERR_IO;
	*count_out = (uint64_t)status.st_size / SALT_ROW_BYTES;
	return 0;
}

/* The first row from *number on, and before `end`, that is one: a loss of power
 * may have left holes. -ERR_NOT_FOUND: there is none. */
static int
read_whole_row(int fd, uint64_t *number, uint64_t end, struct row *row_out)
{
	int rc = -ERR_CORRUPT;

	for (; rc == -ERR_CORRUPT && *number < end; (*number)++)
		rc = read_row(fd, *number, row_out);
	if (rc == -ERR_CORRUPT)
		return -ERR_NOT_FOUND;
	(*number)--;
	return rc;
}

/* So it is the number of the first row that is not, and is whole; 64 reads
 * where there are no holes. */
int
salt_count_before(int fd, uint64_t seq, uint64_t *rows_out)
{
	uint64_t low = 0, high = 0, all = 0;
	int rc = count_rows(fd, &all);
	struct row row;

	high = all;
	while (rc == 0 && low < high) {
		uint64_t middle = low + (high - low) / 2, at = middle;

		rc = read_whole_row(fd, &at, high, &row);
		if (rc == 0 && row.seq < seq)
			low = at + 1;
		else
			high = middle;
		rc = rc == -ERR_NOT_FOUND ? 0 : rc;
	}
	if (rc == 0 && low < all)
		rc = read_whole_row(fd, &low, all, &row);
	wipe(&row, sizeof row);
	*rows_out = rc == -ERR_NOT_FOUND ? all : low;
	return rc == -ERR_NOT_FOUND ? 0 : rc;
}

static int
find_row(int fd, uint64_t seq, uint64_t *number_out, struct row *row_out)
{
	uint64_t all;
	int rc = salt_count_before(fd, seq, number_out);

	if (rc == 0)
		rc = count_rows(fd, &all);
	if (rc == 0 && *number_out == all)
		rc = -ERR_NOT_FOUND;
	if (rc == 0)
		rc = read_row(fd, *number_out, row_out);
	return rc != 0 ? rc : row_out->seq == seq ? 0 : -ERR_NOT_FOUND;
}

int
salt_find(int fd, uint64_t seq, unsigned char salt_out[SALT_BYTES])
{
	uint64_t number;
	struct row row;
	int rc = find_row(fd, seq, &number, &row);

	if (rc == 0 && row.is_erased)
		rc = -ERR_WRONG_STATE;
	if (rc == 0)
		memcpy(salt_out, row.salt, SALT_BYTES);
	wipe(&row, sizeof row);
	return rc;
}

static int
erase_row(int fd, uint64_t seq)
{
	uint64_t number;
	struct row row;
	int rc = find_row(fd, seq, &number, &row);
	off_t offset;

	wipe(&row, sizeof row);
	if (rc != 0)
		return rc;
	offset = (off_t)(number * SALT_ROW_BYTES + SALT_AT);
	if (pwrite(fd, erased, SALT_DIGITS, offset) != (ssize_t)SALT_DIGITS)
		return -ERR_IO;
	return sync_data(fd);
}

/* Never while rows are being dropped: the row could be beyond the end. */
int
salt_erase(int fd, uint64_t seq)
{
	int rc;

	if (flock(fd, LOCK_EX) != 0)
		return -ERR_SYSTEM;
	rc = erase_row(fd, seq);
	flock(fd, LOCK_UN);
	return rc;
}

int
salt_erase_range(int fd, uint64_t first, uint64_t next)
{
	char rows[ROWS_AT_ONCE * SALT_ROW_BYTES];
	uint64_t at, end;
	int rc = salt_count_before(fd, first, &at);

	if (rc == 0)
		rc = salt_count_before(fd, next, &end);
	while (rc == 0 && at < end) {
		size_t count =
		    end - at < ROWS_AT_ONCE ? (size_t)(end - at) : ROWS_AT_ONCE;
		off_t offset = (off_t)(at * SALT_ROW_BYTES);
		ssize_t bytes = (ssize_t)(count * SALT_ROW_BYTES);

		if (pread(fd, rows, (size_t)bytes, offset) != bytes)
			rc = -ERR_IO;
		for (size_t i = 0; i < count; i++)
			memcpy(rows + i * SALT_ROW_BYTES + SALT_AT, erased,
			    SALT_DIGITS);
		if (rc == 0 && pwrite(fd, rows, (size_t)bytes, offset) != bytes)
			rc = -ERR_IO;
		at += count;
	}
	return rc;
}

int
salt_copy_from(int fd, uint64_t first, int to, uint64_t *rows_out)
{
	char rows[ROWS_AT_ONCE * SALT_ROW_BYTES];
	uint64_t at, end;
	int rc = salt_count_before(fd, first, &at);

	if (rc == 0)
		rc = count_rows(fd, &end);
	*rows_out = at;
	while (rc == 0 && at < end) {
		size_t count =
		    end - at < ROWS_AT_ONCE ? (size_t)(end - at) : ROWS_AT_ONCE;
		ssize_t bytes = (ssize_t)(count * SALT_ROW_BYTES);

		if (pread(fd, rows, (size_t)bytes,
			(off_t)(at * SALT_ROW_BYTES)) != bytes)
			rc = -ERR_IO;
		else if (write(to, rows, (size_t)bytes) != bytes)
			rc = -ERR_NO_SPACE;
		at += count;
	}
	wipe(rows, sizeof rows);
	return rc;
}

/* Not where nothing is to go: it would give up the room behind. */
static int
cut_to(int fd, uint64_t size)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -ERR_IO;
	return (uint64_t)status.st_size == size ||
		       ftruncate(fd, (off_t)size) == 0
		   ? 0
		   : -ERR_IO;
}

static int
trim_rows(int fd, uint64_t last, uint64_t most, uint64_t *size_out)
{
	uint64_t all = 0, keep;
	struct row row = {0};
	int rc = count_rows(fd, &all);

	for (keep = all; rc == 0 && keep > 0 && all - keep <= most; keep--) {
		rc = read_row(fd, keep - 1, &row);
		if (rc == 0 && row.seq <= last)
			break;
		if (rc == -ERR_CORRUPT)
			rc = 0;
	}
	wipe(&row, sizeof row);
	if (rc == 0 && all - keep > most)
		rc = -ERR_CORRUPT;
	if (rc != 0)
		return rc;
	*size_out = keep * SALT_ROW_BYTES;
	return cut_to(fd, *size_out);
}

int
salt_trim(int fd, uint64_t last, uint64_t most, uint64_t *size_out)
{
	int rc;

	if (flock(fd, LOCK_EX) != 0)
		return -ERR_SYSTEM;
	rc = trim_rows(fd, last, most, size_out);
	flock(fd, LOCK_UN);
	return rc;
}

int
salt_write_again(int fd, uint64_t size)
{
	char rows[ROWS_AT_ONCE * SALT_ROW_BYTES];
	uint64_t last = (uint64_t)SALT_ROWS_AGAIN * SALT_ROW_BYTES;
	uint64_t at = size > last ? size - last : 0;
	int rc = flock(fd, LOCK_EX) == 0 ? 0 : -ERR_SYSTEM;

	while (rc == 0 && at < size) {
		size_t count =
		    size - at < sizeof rows ? (size_t)(size - at) : sizeof rows;

		if (pread(fd, rows, count, (off_t)at) != (ssize_t)count)
			rc = -ERR_IO;
		else if (pwrite(fd, rows, count, (off_t)at) != (ssize_t)count)
			rc = audit_write_error(err_from_errno(errno));
		at += count;
	}
	wipe(rows, sizeof rows);
	if (rc == 0)
		rc = sync_data(fd);
	flock(fd, LOCK_UN);
	return rc;
}
