/*
 * Kind `file`, method write: replace a regular file in one step, or make it.
 * Runs in a courier. The text is the planner's, so it becomes the contents of
 * one file at one name and nothing else: no link is followed, no bit makes it
 * executable, and whatever stops us, the name holds the old or the new.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "common/sha256.h"
#include "executor/beneath.h"
#include "executor/file.h"
#include "executor/sync.h"

#define RESULT_BYTES (BENEATH_PATH_BYTES * 6 + 256) /* a path, escaped */
#define NAME_TRIES 100 /* names others may have taken */
#define KEPT_BITS 0666 /* of a replaced file; nothing is executable */
#define NEW_BITS 0600

/* The file under its temporary name. */
struct draft {
	int folder;
	int fd;
	char name[sizeof FILE_TEMP_PREFIX + 40];
};

/* What is at the name now, if anything, must be ours to replace; then
 * *mode_out gets the bits it had. Names may change behind our back, which
 * harms nobody: a name is replaced, no file that others know is written to. */
static int
check_target(const struct file_settings *settings, int folder, const char *name,
    mode_t *mode_out, struct file_detail detail)
{
	struct stat status;
	int rc = beneath_look(folder, name, &status);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	if (rc != 0)
		return file_fail(rc, detail);
	if (status.st_nlink > 1 && !settings->hard_links)
		return file_say(-ERR_REFUSED, detail, FILE_LINKS_REASON);
	*mode_out = (status.st_mode & KEPT_BITS) | NEW_BITS;
	return 0;
}

static void
make_result(const char *path, struct span text, struct buf *out)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct json_writer w;

	sha256_of(text.p, text.n, digest);
	hex_encode(digest, sizeof digest, hex);
	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "path", path);
	json_put_integer(&w, "bytes", (int64_t)text.n);
	json_put_text(&w, "sha256", hex);
	json_close(&w, '}');
}

/* Make an empty file under a name of its own. The lock tells file_clean in
 * another process that somebody is at work here. */
static int
draft_open(struct draft *draft, int folder)
{
	draft->folder = folder;
	for (unsigned n = 0; n < NAME_TRIES; n++) {
		snprintf(draft->name, sizeof draft->name,
		    FILE_TEMP_PREFIX "%ld-%u", (long)getpid(), n);
		draft->fd = openat(folder, draft->name,
		    O_WRONLY | O_CREAT | O_EXCL | BENEATH_FLAGS, NEW_BITS);
		if (draft->fd >= 0 || errno != EEXIST)
			break;
	}
	if (draft->fd < 0)
		return beneath_error(errno);
	return 0;
}

static int
write_all(int fd, struct span text)
{
	size_t done = 0;

	while (done < text.n) {
		ssize_t n = write(fd, text.p + done, text.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? beneath_error(errno) : -ERR_IO;
		done += (size_t)n;
	}
	return 0;
}

/* The whole text, on the disk. */
static int
draft_fill(const struct draft *draft, struct span text, mode_t mode)
{
	int rc;

	if (flock(draft->fd, LOCK_EX | LOCK_NB) != 0)
		return -ERR_FAILED;
	rc = write_all(draft->fd, text);
	if (rc != 0)
		return rc;
	if (fchmod(draft->fd, mode) != 0)
		return beneath_error(errno);
	return sync_data(draft->fd);
}

/* The one step that counts. Replaces whatever is at the name now, a link
 * itself and not what it points to; a folder there makes it fail. */
static int
draft_publish(const struct draft *draft, const char *name)
{
	if (renameat(draft->folder, draft->name, draft->folder, name) != 0)
		return errno == EIO ? -ERR_UNKNOWN_OUTCOME : -ERR_FAILED;
	return sync_folder(draft->folder) == 0 ? 0 : -ERR_UNKNOWN_OUTCOME;
}

static int
replace(int folder, const char *name, struct span text, mode_t mode)
{
	struct draft draft;
	int rc = draft_open(&draft, folder);

	if (rc != 0)
		return rc;
	rc = draft_fill(&draft, text, mode);
	if (rc == 0)
		rc = draft_publish(&draft, name);
	if (rc != 0 && rc != -ERR_UNKNOWN_OUTCOME)
		unlinkat(folder, draft.name, 0);
	close(draft.fd);
	return rc;
}

static int
write_in(const struct file_settings *settings, int folder, const char *name,
    struct span text, struct file_detail detail)
{
	mode_t mode = NEW_BITS;
	int rc = check_target(settings, folder, name, &mode, detail);

	if (rc != 0)
		return rc;
	rc = replace(folder, name, text, mode);
	return rc == 0 ? 0 : file_fail(rc, detail);
}

/* The result is made and has its place before the effect, so that nothing
 * can fail behind it. */
int
file_write(const struct file_settings *settings, const char *path,
    struct span text, struct buf *result, struct file_detail detail)
{
	const char *name;
	struct buf made;
	int folder, rc;

	buf_init(&made, RESULT_BYTES);
	make_result(path, text, &made);
	if (made.overflow || buf_reserve(result, made.len) == NULL) {
		buf_free(&made);
		return file_say(-ERR_FAILED, detail, "no room for the result");
	}
	rc = beneath_parent(settings->root_fd, path, &folder, &name);
	if (rc != 0) {
		file_fail(rc, detail);
	} else {
		rc = write_in(settings, folder, name, text, detail);
		close(folder);
	}
	if (rc == 0)
		buf_add(result, made.data, made.len);
	buf_free(&made);
	return rc;
}
