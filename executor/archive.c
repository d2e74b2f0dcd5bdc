/*
 * Backups as ustar. Runs in the operator's commands; believes nothing of what
 * it reads: only names of one form are taken, and nothing counts before the
 * sums at the end agree.
 */
#include "executor/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "common/text.h"

#define BLOCK 512
#define CHUNK (256u << 10)
#define SIZE_DIGITS_MAX UINT64_C(077777777777)

/* Offsets in a header. */
enum {
	AT_MODE = 100,
	AT_OWNER = 108,
	AT_GROUP = 116,
	AT_SIZE = 124,
	AT_TIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257
};

void
archive_init(struct archive *archive, int fd)
{
	archive->fd = fd;
	buf_init(&archive->sums, ARCHIVE_SUMS_BYTES);
}

void
archive_done(struct archive *archive)
{
	buf_free(&archive->sums);
}

static int
write_out(int fd, const char *bytes, size_t count)
{
	if (io_write_all(fd, (struct span){bytes, count}) == 0)
		return 0;
	return errno == ENOSPC ? -ERR_NO_SPACE : -ERR_IO;
}

/* Exactly so many bytes: 0, -ERR_CORRUPT (there are fewer), -ERR_IO. */
static int
read_in(int fd, char *out, size_t count)
{
	while (count > 0) {
		ssize_t got = read(fd, out, count);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? -ERR_CORRUPT : -ERR_IO;
		out += got;
		count -= (size_t)got;
	}
	return 0;
}

/* So many zeros, two blocks at most. */
static int
read_zeros(int fd, size_t count)
{
	static const char zeros[2 * BLOCK];
	char bytes[2 * BLOCK];
	int rc = read_in(fd, bytes, count);

	return rc != 0				  ? rc
	       : memcmp(bytes, zeros, count) == 0 ? 0
						  : -ERR_CORRUPT;
}

static unsigned
sum_of(const char header[BLOCK])
{
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= AT_SUM && i < AT_SUM + 8 ? ' '
						     : (unsigned char)header[i];
	return sum;
}

static void
put_size(char *at, uint64_t size)
{
	if (size <= SIZE_DIGITS_MAX) {
		snprintf(at, 12, "%011llo", (unsigned long long)size);
		return;
	}
	at[0] = (char)0x80;
	for (int i = 11; i > 0; i--, size >>= 8)
		at[i] = (char)(size & 0xff);
}

static uint64_t
get_size(const char *at)
{
	uint64_t size = 0;

	if ((unsigned char)at[0] == 0x80) {
		for (int i = 4; i < 12; i++)
			size = size << 8 | (unsigned char)at[i];
		return size;
	}
	return strtoull(at, NULL, 8);
}

static int
make_header(char header[BLOCK], const char *name, uint64_t bytes)
{
	if (strlen(name) >= ARCHIVE_NAME_BYTES)
		return -ERR_RANGE;
	memset(header, 0, BLOCK);
	memcpy(header, name, strlen(name));
	memcpy(header + AT_MODE, "0000600", 8);
	memcpy(header + AT_OWNER, "0000000", 8);
	memcpy(header + AT_GROUP, "0000000", 8);
	put_size(header + AT_SIZE, bytes);
	memcpy(header + AT_TIME, "00000000000", 12);
	header[AT_TYPE] = '0';
	memcpy(header + AT_MAGIC,
	    "ustar\0"
	    "00",
	    8);
	snprintf(header + AT_SUM, 8, "%06o", sum_of(header));
	header[AT_SUM + 7] = ' ';
	return 0;
}

static int
add_sum(struct archive *archive, const char *name, struct sha256 *digest)
{
	unsigned char hash[SHA256_BYTES];
	char digits[2 * SHA256_BYTES + 1];

	sha256_end(digest, hash);
	hex_encode(hash, sizeof hash, digits);
	return buf_add_format(&archive->sums, "%s  %s\n", digits, name);
}

static size_t
padding(uint64_t bytes)
{
	return (size_t)((BLOCK - bytes % BLOCK) % BLOCK);
}

static int
put_member(struct archive *archive, const char *name, struct span text)
{
	static const char zeros[BLOCK];
	char header[BLOCK];
	int rc = make_header(header, name, text.n);

	if (rc == 0)
		rc = write_out(archive->fd, header, BLOCK);
	if (rc == 0)
		rc = write_out(archive->fd, text.p, text.n);
	return rc != 0 ? rc : write_out(archive->fd, zeros, padding(text.n));
}

int
archive_put_text(struct archive *archive, const char *name, struct span text)
{
	struct sha256 *digest = sha256_new();
	int rc = put_member(archive, name, text);

	sha256_start(digest);
	sha256_add(digest, text.p, text.n);
	if (rc == 0)
		rc = add_sum(archive, name, digest);
	sha256_free(digest);
	return rc;
}

/* From one to the other, hashing. */
static int
copy(int from, int to, uint64_t bytes, struct sha256 *digest)
{
	char *chunk = alloc_bytes(CHUNK);
	int rc = 0;

	sha256_start(digest);
	while (bytes > 0 && rc == 0) {
		size_t count = bytes < CHUNK ? (size_t)bytes : CHUNK;

		rc = read_in(from, chunk, count);
		if (rc == 0)
			sha256_add(digest, chunk, count);
		if (rc == 0)
			rc = write_out(to, chunk, count);
		bytes -= count;
	}
	wipe(chunk, CHUNK);
	free(chunk);
	return rc;
}

int
archive_put_file(
    struct archive *archive, const char *name, int fd, uint64_t bytes)
{
	static const char zeros[BLOCK];
	struct sha256 *digest = sha256_new();
	char header[BLOCK];
	int rc = make_header(header, name, bytes);

	if (rc == 0 && lseek(fd, 0, SEEK_SET) != 0)
		rc = -ERR_IO;
	if (rc == 0)
		rc = write_out(archive->fd, header, BLOCK);
	if (rc == 0)
		rc = copy(fd, archive->fd, bytes, digest);
	if (rc == 0)
		rc = write_out(archive->fd, zeros, padding(bytes));
	if (rc == 0)
		rc = add_sum(archive, name, digest);
	sha256_free(digest);
	return rc;
}

int
archive_end(struct archive *archive)
{
	static const char zeros[2 * BLOCK];
	int rc = put_member(archive, ARCHIVE_SUMS,
	    (struct span){archive->sums.data, archive->sums.len});

	return rc != 0 ? rc : write_out(archive->fd, zeros, sizeof zeros);
}

static bool
name_is_sound(const char *name)
{
	unsigned parts = 1;

	for (size_t i = 0; name[i] != '\0'; i++) {
		bool begins = i == 0 || name[i - 1] == '/';

		if (name[i] == '/')
			parts++;
		if (begins && (name[i] == '/' || name[i] == '.'))
			return false;
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-/"
			   "AHMSU",
			name[i]) == NULL)
			return false;
	}
	return name[0] != '\0' && name[strlen(name) - 1] != '/' && parts <= 3;
}

/* Only what make_header makes. */
static int
parse_header(const char header[BLOCK], char name_out[ARCHIVE_NAME_BYTES],
    uint64_t *bytes_out)
{
	char again[BLOCK];

	if (memchr(header, '\0', ARCHIVE_NAME_BYTES) == NULL)
		return -ERR_CORRUPT;
	memcpy(name_out, header, ARCHIVE_NAME_BYTES);
	*bytes_out = get_size(header + AT_SIZE);
	if (!name_is_sound(name_out) ||
	    make_header(again, name_out, *bytes_out) != 0 ||
	    memcmp(again, header, BLOCK) != 0)
		return -ERR_CORRUPT;
	return 0;
}

/* They are of exactly the members before them. */
static int
check_sums(struct archive *archive, uint64_t bytes)
{
	char *text;
	int rc;

	if (bytes != archive->sums.len)
		return -ERR_CORRUPT;
	text = alloc_bytes((size_t)bytes);
	rc = read_in(archive->fd, text, (size_t)bytes);
	if (rc == 0 && memcmp(text, archive->sums.data, (size_t)bytes) != 0)
		rc = -ERR_CORRUPT;
	free(text);
	if (rc == 0)
		rc = read_zeros(archive->fd, padding(bytes));
	return rc != 0 ? rc : read_zeros(archive->fd, (size_t)2 * BLOCK);
}

int
archive_next(struct archive *archive, char name_out[ARCHIVE_NAME_BYTES],
    uint64_t *bytes_out)
{
	char header[BLOCK];
	int rc = read_in(archive->fd, header, BLOCK);

	if (rc == 0)
		rc = parse_header(header, name_out, bytes_out);
	if (rc != 0)
		return rc;
	if (strcmp(name_out, ARCHIVE_SUMS) != 0)
		return 1;
	return check_sums(archive, *bytes_out);
}

int
archive_get(struct archive *archive, const char *name, uint64_t bytes, int fd)
{
	struct sha256 *digest = sha256_new();
	int rc = copy(archive->fd, fd, bytes, digest);

	if (rc == 0)
		rc = read_zeros(archive->fd, padding(bytes));
	if (rc == 0)
		rc = add_sum(archive, name, digest);
	sha256_free(digest);
	return rc;
}
