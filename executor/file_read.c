/*
 * Kind `file`, method read: a file's bytes as they are, for a reader to make
 * clean, with the cut named. What characters they are is the reader's to find
 * out, so it is cut by bytes. Runs in a courier. Believes nothing of what the
 * file holds, nor that it stays the same while it is read.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "executor/beneath.h"
#include "executor/file.h"

struct reading {
	uint64_t raw_size; /* of the whole file */
	size_t raw_kept;   /* bytes of it that were read and kept */
};

static ssize_t
read_some(int fd, char *to, size_t room)
{
	ssize_t got;

	do
		got = read(fd, to, room);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Bytes of a character that begins in the last three bytes and is cut. */
static size_t
cut_character(const char *p, size_t bytes)
{
	for (size_t n = 1; n <= 3 && n <= bytes; n++) {
		unsigned char c = (unsigned char)p[bytes - n];

		if (c >= 0xc2 && c <= 0xf4)
			return n < (c >= 0xf0	   ? 4u
				       : c >= 0xe0 ? 3u
						   : 2u)
				   ? n
				   : 0;
		if ((c & 0xc0) != 0x80)
			return 0;
	}
	return 0;
}

/* Whether a reader will take it for UTF-16. */
static bool
has_mark_16(const char *p, size_t bytes)
{
	return bytes >= 2 &&
	       (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0);
}

/* Bytes at the end that are only a part of something. */
static size_t
cut_part(const char *p, size_t bytes)
{
	return has_mark_16(p, bytes) ? bytes % 2 : cut_character(p, bytes);
}

/* At most `most` bytes. The size is what the file says after reading, but at
 * least what was read: it may grow, shrink, or not know its size at all. */
static int
take_bytes(int fd, size_t most, struct buf *content, struct reading *r)
{
	size_t start = content->len, kept = 0;
	struct stat status;
	char extra;
	ssize_t got;

	do {
		char *to = buf_reserve(content, most - kept);

		if (to == NULL)
			return -ERR_FAILED;
		got = read_some(fd, to, most - kept);
		if (got < 0)
			return -ERR_IO;
		content->len += (size_t)got;
		kept += (size_t)got;
	} while (got > 0 && kept < most);
	r->raw_size = r->raw_kept = kept;
	if (got == 0)
		return 0;
	got = read_some(fd, &extra, 1);
	if (got < 0 || fstat(fd, &status) != 0)
		return -ERR_IO;
	if (got == 0)
		return 0;
	r->raw_size += 1;
	if ((uint64_t)status.st_size > r->raw_size)
		r->raw_size = (uint64_t)status.st_size;
	r->raw_kept -= cut_part(content->data + start, kept);
	content->len = start + r->raw_kept;
	return 0;
}

static void
write_result(const struct reading *r, const char *path, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "path", path);
	json_put_integer(&w, "bytes", (int64_t)r->raw_size);
	json_key(&w, "truncated");
	json_open(&w, '[');
	if (r->raw_kept < r->raw_size)
		file_put_cut(&w, "bytes", r->raw_kept, r->raw_size);
	json_close(&w, ']');
	json_close(&w, '}');
}

static int
read_open(const struct file_settings *settings, int fd, const char *path,
    struct buf *result, struct buf *content, struct file_detail detail)
{
	struct reading r = {0};
	size_t before = result->len, start = content->len;
	int rc = take_bytes(fd, (size_t)settings->max_bytes, content, &r);

	if (rc == 0) {
		write_result(&r, path, result);
		if (result->overflow)
			rc = -ERR_FAILED;
	}
	if (rc == 0)
		return 0;
	result->len = before;
	content->len = start;
	return file_fail(rc, detail);
}

/* Open what may be read; with a reason if it may not. */
static int
open_path(const struct file_settings *settings, const char *path, int *fd_out,
    struct file_detail detail)
{
	struct stat status;
	int rc;

	if (settings->hard_links)
		rc = beneath_regular(settings->root_fd, path, fd_out, &status);
	else
		rc = beneath_sole(settings->root_fd, path, fd_out, &status);
	if (rc == -ERR_LIMIT)
		return file_say(-ERR_REFUSED, detail, FILE_LINKS_REASON);
	if (rc == -ERR_WRONG_STATE)
		return file_say(-ERR_FAILED, detail,
		    "file changes too fast to tell whether it has a name "
		    "outside the root; try again");
	return rc == 0 ? 0 : file_fail(rc, detail);
}

int
file_read(const struct file_settings *settings, const char *path,
    struct buf *result, struct buf *content, struct file_detail detail)
{
	int fd, rc = open_path(settings, path, &fd, detail);

	if (rc != 0)
		return rc;
	rc = read_open(settings, fd, path, result, content, detail);
	close(fd);
	return rc;
}
