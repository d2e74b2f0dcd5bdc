/*
 * Kind `file`, method read: a file's bytes as text that is safe to show, with
 * each cut and each replacement named. Runs in a courier. Believes nothing of
 * what the file holds, nor that it stays the same while it is read.
 */
#include <errno.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "executor/beneath.h"
#include "executor/file.h"
#include "executor/inert.h"

#define REPLACED_BYTES 3 /* of what stands for one bad byte, at most */
#define ESCAPED_BYTES 5	 /* "&amp;", the longest form of one character */

struct reading {
	struct buf raw;	    /* as in the file */
	uint64_t raw_size;  /* of the whole file */
	struct buf decoded; /* valid UTF-8 */
	struct buf text;    /* inert */
	size_t chars;	    /* in text */
	struct buf shown;   /* cut and escaped */
	size_t shown_chars;
	size_t replaced;
};

static void
reading_init(struct reading *r, const struct file_settings *settings)
{
	size_t bytes = (size_t)settings->max_bytes;

	*r = (struct reading){0};
	buf_init(&r->raw, bytes);
	buf_init(&r->decoded, bytes * REPLACED_BYTES);
	buf_init(&r->text, bytes * REPLACED_BYTES);
	buf_init(&r->shown, (size_t)settings->max_chars * ESCAPED_BYTES);
}

static void
reading_done(struct reading *r)
{
	buf_free(&r->raw);
	buf_free(&r->decoded);
	buf_free(&r->text);
	buf_free(&r->shown);
}

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

/* At most `most` bytes. The size is what the file says after reading, but at
 * least what was read: it may grow, shrink, or not know its size at all. */
static int
take_bytes(int fd, size_t most, struct reading *r)
{
	struct stat status;
	char extra;
	ssize_t got;

	do {
		char *to = buf_reserve(&r->raw, most - r->raw.len);

		if (to == NULL)
			bug("reading passes its own limit");
		got = read_some(fd, to, most - r->raw.len);
		if (got < 0)
			return -ERR_IO;
		r->raw.len += (size_t)got;
	} while (got > 0 && r->raw.len < most);
	r->raw_size = r->raw.len;
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
	r->raw.len -= cut_character(r->raw.data, r->raw.len);
	return 0;
}

static void
escape(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '&')
			buf_add_text(out, "&amp;");
		else if (text.p[i] == '<')
			buf_add_text(out, "&lt;");
		else if (text.p[i] == '>')
			buf_add_text(out, "&gt;");
		else
			buf_add_byte(out, text.p[i]);
	}
}

/* From bytes to what is shown. Cut before escaping, so that no "&amp;" is
 * cut in half and the limit counts the file's characters. */
static int
make_text(struct reading *r, size_t max_chars)
{
	struct span kept;
	int rc;

	rc = utf8_add_repaired(
	    &r->decoded, r->raw.data, r->raw.len, &r->replaced);
	if (rc == 0)
		rc = inert_add(&r->text,
		    (struct span){r->decoded.data, r->decoded.len}, true,
		    &r->replaced);
	if (rc != 0)
		return -ERR_FAILED;
	r->chars = utf8_count(r->text.data, r->text.len);
	kept.p = r->text.data;
	kept.n = utf8_prefix(r->text.data, r->text.len, max_chars);
	r->shown_chars = r->chars < max_chars ? r->chars : max_chars;
	escape(&r->shown, kept);
	return r->shown.overflow ? -ERR_FAILED : 0;
}

/* An empty buffer has no memory to point at. */
static struct span
view(const struct buf *b)
{
	return b->len == 0 ? SPAN("") : (struct span){b->data, b->len};
}

static void
write_result(const struct reading *r, const char *path, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "path", path);
	json_put_integer(&w, "bytes", (int64_t)r->raw_size);
	json_put_string(&w, "text", view(&r->shown));
	json_put_integer(&w, "chars", (int64_t)r->shown_chars);
	json_put_integer(&w, "replaced", (int64_t)r->replaced);
	json_key(&w, "truncated");
	json_open(&w, '[');
	if (r->raw.len < r->raw_size)
		file_put_cut(&w, "bytes", r->raw.len, r->raw_size);
	if (r->shown_chars < r->chars)
		file_put_cut(&w, "chars", r->shown_chars, r->chars);
	json_close(&w, ']');
	json_close(&w, '}');
}

static int
read_open(const struct file_settings *settings, int fd, const char *path,
    struct buf *result, struct file_detail detail)
{
	struct reading r;
	size_t before = result->len;
	int rc;

	reading_init(&r, settings);
	rc = take_bytes(fd, (size_t)settings->max_bytes, &r);
	if (rc == 0)
		rc = make_text(&r, (size_t)settings->max_chars);
	if (rc == 0)
		write_result(&r, path, result);
	reading_done(&r);
	if (rc == 0 && result->overflow)
		rc = -ERR_FAILED;
	if (rc == 0)
		return 0;
	result->len = before;
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
    struct buf *result, struct file_detail detail)
{
	int fd, rc = open_path(settings, path, &fd, detail);

	if (rc != 0)
		return rc;
	rc = read_open(settings, fd, path, result, detail);
	close(fd);
	return rc;
}
