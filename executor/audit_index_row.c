/*
 * Rows of the index. What is read here is believed by no proof.
 */
#include "executor/audit_index_row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ascii.h"

#define PROBES 4
#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

_Static_assert(sizeof(struct index_row) == 32 + 2 * RECORD_TIME_BYTES +
					       RECORD_HASH_DIGITS +
					       INDEX_BLOOM_BYTES + SHA256_BYTES,
    "a row has no holes");

void
index_put(unsigned char out[8], uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(value >> (56 - 8 * i));
}

uint64_t
index_get(const unsigned char in[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | in[i];
	return value;
}

void
index_name(uint64_t first, char out[INDEX_NAME_BYTES])
{
	snprintf(out, INDEX_NAME_BYTES, "%016llx", (unsigned long long)first);
}

void
index_sum(const struct index_row *row, unsigned char out[SHA256_BYTES])
{
	sha256_of(row, offsetof(struct index_row, sum), out);
}

/* FNV-1a, and a finish so that high bits depend on all. */
static uint64_t
hash_of(char member, struct span text)
{
	uint64_t hash = (FNV_START ^ (unsigned char)member) * FNV_PRIME;

	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * FNV_PRIME;
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint32_t
bit_of(uint64_t hash, uint32_t probe)
{
	uint32_t step = (uint32_t)(hash >> 32) | 1;

	return ((uint32_t)hash + probe * step) % (INDEX_BLOOM_BYTES * 8);
}

void
index_add(struct index_row *row, char member, struct span text)
{
	uint64_t hash = hash_of(member, text);

	for (uint32_t i = 0; i < PROBES; i++) {
		uint32_t bit = bit_of(hash, i);

		row->bloom[bit / 8] |= (unsigned char)(1u << bit % 8);
	}
}

bool
index_has(const struct index_row *row, char member, struct span text)
{
	uint64_t hash = hash_of(member, text);

	for (uint32_t i = 0; i < PROBES; i++) {
		uint32_t bit = bit_of(hash, i);

		if ((row->bloom[bit / 8] & 1u << bit % 8) == 0)
			return false;
	}
	return true;
}

#define GRAM 3
static const struct span cut_term = {"cut", 3};

void
index_add_destination(
    struct index_row *row, struct span destination, bool is_cut)
{
	char gram[GRAM];

	if (is_cut)
		index_add(row, 'D', cut_term);
	for (size_t i = 0; i + GRAM <= destination.n; i++) {
		for (size_t j = 0; j < GRAM; j++)
			gram[j] = ascii_lower(destination.p[i + j]);
		index_add(row, 'd', (struct span){gram, GRAM});
	}
}

bool
index_has_destination(const struct index_row *row, const char *wanted)
{
	size_t length = strlen(wanted);

	if (index_has(row, 'D', cut_term))
		return true;
	for (size_t i = 0; i + GRAM <= length; i++)
		if (!index_has(row, 'd', (struct span){wanted + i, GRAM}))
			return false;
	return true;
}

void
index_add_number(struct index_row *row, char member, uint64_t number)
{
	index_add(
	    row, member, (struct span){(const char *)&number, sizeof number});
}

bool
index_has_number(const struct index_row *row, char member, uint64_t number)
{
	return index_has(
	    row, member, (struct span){(const char *)&number, sizeof number});
}

static bool
read_at(int fd, void *to, size_t count, uint64_t offset)
{
	size_t done = 0;

	while (done < count) {
		ssize_t got = pread(fd, (char *)to + done, count - done,
		    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool
read_row(int index, uint64_t first, struct index_row *out)
{
	char name[INDEX_NAME_BYTES];
	unsigned char sum[SHA256_BYTES];
	struct stat status;
	int fd;
	bool good;

	index_name(first, name);
	fd = openat(index, name, READ_FLAGS);
	if (fd < 0)
		return false;
	good = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_size == (off_t)sizeof *out &&
	       read_at(fd, out, sizeof *out, 0);
	close(fd);
	if (!good || memcmp(out->magic, INDEX_MAGIC, sizeof out->magic) != 0)
		return false;
	index_sum(out, sum);
	return memcmp(sum, out->sum, sizeof sum) == 0 &&
	       index_get(out->first) == first && index_get(out->last) >= first;
}

/* Whether the segment has the size and the last record it had then. */
static bool
is_same(int log, const struct segment *segment, const struct index_row *row)
{
	char name[SEGMENT_NAME_BYTES], tail[RECORD_LINE_MAX];
	size_t count = sizeof tail;
	struct stat status;
	const char *line;
	int fd;
	bool good;

	segment_name(segment, name);
	fd = openat(log, name, READ_FLAGS);
	if (fd < 0)
		return false;
	good = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_size > 0 &&
	       (uint64_t)status.st_size == index_get(row->bytes);
	if (good && (uint64_t)status.st_size < count)
		count = (size_t)status.st_size;
	good =
	    good && read_at(fd, tail, count, (uint64_t)status.st_size - count);
	close(fd);
	if (!good || tail[count - 1] != '\n')
		return false;
	for (line = tail + count - 1; line > tail && line[-1] != '\n';)
		line--;
	return tail + count - line > RECORD_HASHED_AT &&
	       memcmp(line + RECORD_HASH_AT, row->end_hash,
		   RECORD_HASH_DIGITS) == 0;
}

bool
index_read(
    int index, int log, const struct segment *segment, struct index_row *out)
{
	return segment->kind != SEGMENT_STUB &&
	       read_row(index, segment->first, out) &&
	       is_same(log, segment, out);
}
