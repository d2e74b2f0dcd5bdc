/*
 * The format of segment files; reading and erasing rows. Runs in the auditor
 * on its own files and in the operator's commands, which believe nothing of
 * what is in them but what opens with a key.
 */
#include "executor/inputs_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/record.h"
#include "executor/sync.h"

#define MAGIC "TZINPUT1"
#define MAGIC_BYTES 8
#define FIXED_BYTES 32 /* of a segment's head */
#define ROW_MAGIC 0x545a4952u
#define ROW_WHOLE 1
#define ROW_ERASED 2
#define NONCE_AT 32
#define KEY_AT 48
#define HASHED_BYTES 96 /* of a row's head */
#define NAME_FRONT "segment-"
#define ERASE_BYTES 65536

_Static_assert(HASHED_BYTES + SHA256_BYTES == INPUTS_ROW_BYTES, "a row");

static void
put_u32(unsigned char *to, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (unsigned char)value;
}

static void
put_u64(unsigned char *to, uint64_t value)
{
	put_u32(to, (uint32_t)(value >> 32));
	put_u32(to + 4, (uint32_t)value);
}

static uint32_t
get_u32(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

static uint64_t
get_u64(const unsigned char *from)
{
	return (uint64_t)get_u32(from) << 32 | get_u32(from + 4);
}

void
inputs_name(uint64_t number, char out[INPUTS_NAME_BYTES])
{
	snprintf(out, INPUTS_NAME_BYTES, NAME_FRONT "%016llx",
	    (unsigned long long)number);
}

int
inputs_name_parse(const char *name, uint64_t *number_out)
{
	size_t front = sizeof NAME_FRONT - 1;

	if (strncmp(name, NAME_FRONT, front) != 0 ||
	    strlen(name) != front + RECORD_SEQ_DIGITS)
		return -ERR_SYNTAX;
	return record_seq_parse(
	    (struct span){name + front, RECORD_SEQ_DIGITS}, number_out);
}

size_t
inputs_segment_write(const struct inputs_segment *segment, unsigned char *out)
{
	size_t length = FIXED_BYTES + segment->wrapped_bytes;

	memcpy(out, MAGIC, MAGIC_BYTES);
	put_u64(out + 8, segment->number);
	put_u64(out + 16, segment->created_ms);
	put_u32(out + 24, segment->steps);
	put_u32(out + 28, segment->wrapped_bytes);
	memcpy(out + FIXED_BYTES, segment->wrapped, segment->wrapped_bytes);
	sha256_of(out, length, out + length);
	return length + SHA256_BYTES;
}

void
inputs_row_write(
    const struct inputs_row *row, unsigned char out[INPUTS_ROW_BYTES])
{
	memset(out, 0, INPUTS_ROW_BYTES);
	put_u32(out, ROW_MAGIC);
	put_u32(out + 4, row->erased ? ROW_ERASED : ROW_WHOLE);
	put_u64(out + 8, row->sequence);
	put_u64(out + 16, row->time_ms);
	put_u32(out + 24, row->sealed_bytes);
	if (!row->erased) {
		memcpy(out + NONCE_AT, row->nonce, SEAL_NONCE_BYTES);
		memcpy(out + KEY_AT, row->key, INPUTS_SEALED_KEY);
	}
	sha256_of(out, HASHED_BYTES, out + HASHED_BYTES);
}

/* As many bytes as there are, up to `count`; or -ERR_IO. */
static ssize_t
read_at(int fd, void *to, size_t count, uint64_t offset)
{
	size_t have = 0;

	while (have < count) {
		ssize_t got = pread(fd, (char *)to + have, count - have,
		    (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -ERR_IO;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
inputs_segment_read(int fd, struct inputs_segment *segment, uint64_t *rows_out)
{
	unsigned char head[INPUTS_HEAD_MAX], hash[SHA256_BYTES];
	ssize_t got = read_at(fd, head, sizeof head, 0);
	size_t length;

	if (got < 0)
		return (int)got;
	if (got < FIXED_BYTES || memcmp(head, MAGIC, MAGIC_BYTES) != 0)
		return -ERR_CORRUPT;
	*segment = (struct inputs_segment){.number = get_u64(head + 8),
	    .created_ms = get_u64(head + 16),
	    .steps = get_u32(head + 24),
	    .wrapped_bytes = get_u32(head + 28)};
	if (segment->wrapped_bytes > INPUTS_WRAPPED_MAX)
		return -ERR_CORRUPT;
	length = FIXED_BYTES + segment->wrapped_bytes;
	if ((size_t)got < length + SHA256_BYTES)
		return -ERR_CORRUPT;
	sha256_of(head, length, hash);
	if (memcmp(hash, head + length, sizeof hash) != 0)
		return -ERR_CORRUPT;
	memcpy(segment->wrapped, head + FIXED_BYTES, segment->wrapped_bytes);
	*rows_out = length + SHA256_BYTES;
	return 0;
}

static int
parse_row(const unsigned char *head, struct inputs_row *row)
{
	unsigned char hash[SHA256_BYTES];
	uint32_t state = get_u32(head + 4);

	sha256_of(head, HASHED_BYTES, hash);
	if (get_u32(head) != ROW_MAGIC ||
	    memcmp(hash, head + HASHED_BYTES, sizeof hash) != 0 ||
	    (state != ROW_WHOLE && state != ROW_ERASED))
		return -ERR_CORRUPT;
	*row = (struct inputs_row){.erased = state == ROW_ERASED,
	    .sequence = get_u64(head + 8),
	    .time_ms = get_u64(head + 16),
	    .sealed_bytes = get_u32(head + 24)};
	memcpy(row->nonce, head + NONCE_AT, sizeof row->nonce);
	memcpy(row->key, head + KEY_AT, sizeof row->key);
	if (row->sealed_bytes < SEAL_TAG_BYTES ||
	    row->sealed_bytes > INPUTS_SEALED_MAX)
		return -ERR_CORRUPT;
	return 1;
}

int
inputs_row_read(int fd, uint64_t offset, struct inputs_row *row)
{
	unsigned char head[INPUTS_ROW_BYTES];
	ssize_t got = read_at(fd, head, sizeof head, offset);
	struct stat status;
	int rc;

	if (got <= 0)
		return (int)got;
	if (got < INPUTS_ROW_BYTES)
		return -ERR_CORRUPT;
	rc = parse_row(head, row);
	if (rc != 1)
		return rc;
	if (fstat(fd, &status) != 0)
		return -ERR_IO;
	return offset + INPUTS_ROW_BYTES + row->sealed_bytes <=
		       (uint64_t)status.st_size
		   ? 1
		   : -ERR_CORRUPT;
}

#define BOUND_BYTES 24

static struct span
bind_to(const struct inputs_row *row, uint64_t segment,
    unsigned char store[BOUND_BYTES])
{
	put_u64(store, segment);
	put_u64(store + 8, row->sequence);
	put_u64(store + 16, row->time_ms);
	return (struct span){(const char *)store, BOUND_BYTES};
}

static const unsigned char no_nonce[SEAL_NONCE_BYTES];

void
inputs_row_seal(struct inputs_row *row, uint64_t segment,
    const unsigned char segment_key[SEAL_KEY_BYTES],
    const unsigned char row_key[SEAL_KEY_BYTES], struct span text,
    unsigned char *out)
{
	unsigned char store[BOUND_BYTES];
	struct span bound = bind_to(row, segment, store);

	seal_random(row->nonce, sizeof row->nonce);
	seal_close(segment_key, row->nonce, bound,
	    (struct span){(const char *)row_key, SEAL_KEY_BYTES}, row->key);
	seal_close(row_key, no_nonce, bound, text, out);
	row->sealed_bytes = (uint32_t)(text.n + SEAL_TAG_BYTES);
}

int
inputs_row_open(const struct inputs_row *row, uint64_t segment,
    const unsigned char segment_key[SEAL_KEY_BYTES],
    const unsigned char *sealed, unsigned char row_key_out[SEAL_KEY_BYTES],
    unsigned char *out)
{
	unsigned char store[BOUND_BYTES];
	struct span bound = bind_to(row, segment, store);
	int rc;

	if (row->erased)
		return -ERR_WRONG_STATE;
	rc = seal_open(segment_key, row->nonce, bound,
	    (struct span){(const char *)row->key, sizeof row->key},
	    row_key_out);
	if (rc == 0)
		rc = seal_open(row_key_out, no_nonce, bound,
		    (struct span){(const char *)sealed, row->sealed_bytes},
		    out);
	return rc;
}

void
inputs_reference(const unsigned char row_key[SEAL_KEY_BYTES], struct span text,
    unsigned char out[SHA256_BYTES])
{
	unsigned char both[SEAL_KEY_BYTES + SHA256_BYTES];

	memcpy(both, row_key, SEAL_KEY_BYTES);
	sha256_of(text.p, text.n, both + SEAL_KEY_BYTES);
	sha256_of(both, sizeof both, out);
	wipe(both, sizeof both);
}

/*
 * Erasing.
 */
static int
write_at(int fd, const void *bytes, size_t count, uint64_t offset)
{
	return pwrite(fd, bytes, count, (off_t)offset) == (ssize_t)count
		   ? 0
		   : -ERR_IO;
}

static int
erase_row(int fd, uint64_t offset, struct inputs_row *row)
{
	static const unsigned char zeros[ERASE_BYTES];
	unsigned char head[INPUTS_ROW_BYTES];
	uint64_t at = offset + INPUTS_ROW_BYTES, left = row->sealed_bytes;
	int rc;

	row->erased = true;
	inputs_row_write(row, head);
	rc = write_at(fd, head, sizeof head, offset);
	if (rc == 0)
		rc = sync_data(fd);
	while (rc == 0 && left > 0) {
		size_t some = left > ERASE_BYTES ? ERASE_BYTES : (size_t)left;

		rc = write_at(fd, zeros, some, at);
		at += some;
		left -= some;
	}
	return rc != 0 ? rc : sync_data(fd);
}

/* 1: erased; 0: it is not here. */
static int
erase_in(int fd, uint64_t sequence)
{
	struct inputs_segment segment;
	struct inputs_row row;
	uint64_t offset;
	int rc = inputs_segment_read(fd, &segment, &offset), found = 0;

	if (rc != 0)
		return rc == -ERR_CORRUPT ? 0 : rc;
	while ((rc = inputs_row_read(fd, offset, &row)) == 1) {
		if (row.sequence == sequence) {
			rc = erase_row(fd, offset, &row);
			if (rc != 0)
				return rc;
			found = 1;
		}
		offset += INPUTS_ROW_BYTES + row.sealed_bytes;
	}
	return rc == -ERR_IO ? rc : found;
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
inputs_list(int folder, uint64_t **numbers_out)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	size_t count = 0, room = 0;
	uint64_t *numbers = NULL, number;
	struct dirent *entry;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return -ERR_IO;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (inputs_name_parse(entry->d_name, &number) != 0)
			continue;
		if (count == room) {
			room = room == 0 ? 64 : room * 2;
			numbers = alloc_resize(numbers, room, sizeof *numbers);
		}
		numbers[count++] = number;
	}
	closedir(dir);
	if (count != 0)
		qsort(numbers, count, sizeof *numbers, compare_numbers);
	*numbers_out = numbers;
	return (int)count;
}

int
inputs_erase(const char *path, uint64_t sequence)
{
	int folder =
	    open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char name[INPUTS_NAME_BYTES];
	uint64_t *numbers = NULL;
	int count, rc = 0, found = 0;

	if (folder < 0)
		return err_from_errno(errno);
	count = inputs_list(folder, &numbers);
	for (int i = 0; i < count && rc >= 0; i++) {
		int fd;

		inputs_name(numbers[i], name);
		fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		rc = fd < 0 ? err_from_errno(errno) : erase_in(fd, sequence);
		found |= rc == 1;
		if (fd >= 0)
			close(fd);
	}
	close(folder);
	free(numbers);
	if (count < 0 || rc < 0)
		return count < 0 ? count : rc;
	return found ? 0 : -ERR_NOT_FOUND;
}
