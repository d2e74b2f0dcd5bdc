/*
 * Kind `file`, method list: the regular files and folders of one folder.
 * Runs in a courier. Names are hostile text: one that is not plain is counted,
 * never shown. Memory and time are bounded whatever the folder holds.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "executor/beneath.h"
#include "executor/file.h"

#define SHOWN_MAX 1000	   /* entries: a third of a frame */
#define SCANNED_MAX 100000 /* entries looked at: about a second */
#define HELD_MAX (2 * SHOWN_MAX)

struct entry {
	char name[BENEATH_PART_BYTES + 1];
	bool folder;
	uint64_t bytes;
};

struct listing {
	struct entry *held; /* HELD_MAX of them */
	size_t held_count;
	uint64_t fit; /* would be shown without a limit */
	uint64_t not_shown;
	uint64_t other;
	uint64_t scanned;
	dev_t device; /* of the folder */
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Sort, and keep the first that fit a result. */
static void
settle(struct listing *l)
{
	qsort(l->held, l->held_count, sizeof *l->held, compare_entries);
	if (l->held_count > SHOWN_MAX)
		l->held_count = SHOWN_MAX;
}

/* Whether a name is made of the characters of the default path pattern. */
static bool
is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.";
	size_t bytes = strlen(name);

	return bytes <= BENEATH_PART_BYTES && strspn(name, plain) == bytes &&
	       !span_starts(span_of(name), FILE_TEMP_PREFIX);
}

static void
take_entry(struct listing *l, int folder, const char *untrusted_name)
{
	struct entry *entry;
	struct stat status;

	if (!is_plain(untrusted_name)) {
		l->not_shown++;
		return;
	}
	if (fstatat(folder, untrusted_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return; /* gone meanwhile */
	if ((!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) ||
	    status.st_dev != l->device) {
		l->other++;
		return;
	}
	if (l->held_count == HELD_MAX)
		settle(l);
	l->fit++;
	entry = &l->held[l->held_count++];
	span_copy(span_of(untrusted_name), entry->name, sizeof entry->name);
	entry->folder = S_ISDIR(status.st_mode);
	entry->bytes = entry->folder ? 0 : (uint64_t)status.st_size;
}

static int
scan(struct listing *l, DIR *stream, struct file_detail detail)
{
	struct dirent *at;

	for (;;) {
		errno = 0;
		at = readdir(stream);
		if (at == NULL)
			return errno == 0 ? 0 : file_fail(-ERR_IO, detail);
		if (strcmp(at->d_name, ".") == 0 ||
		    strcmp(at->d_name, "..") == 0)
			continue;
		if (l->scanned++ == SCANNED_MAX)
			return file_say(-ERR_FAILED, detail,
			    "folder has more than 100,000 entries");
		take_entry(l, dirfd(stream), at->d_name);
	}
}

static void
write_result(const struct listing *l, const char *path, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "path", path);
	json_key(&w, "entries");
	json_open(&w, '[');
	for (size_t i = 0; i < l->held_count; i++) {
		json_open(&w, '{');
		json_put_text(&w, "name", l->held[i].name);
		json_put_text(
		    &w, "kind", l->held[i].folder ? "directory" : "file");
		json_put_integer(&w, "bytes", (int64_t)l->held[i].bytes);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_put_integer(&w, "not_shown", (int64_t)l->not_shown);
	json_put_integer(&w, "other", (int64_t)l->other);
	json_key(&w, "truncated");
	json_open(&w, '[');
	if (l->held_count < l->fit)
		file_put_cut(&w, "entries", l->held_count, l->fit);
	json_close(&w, ']');
	json_close(&w, '}');
}

static int
list_stream(DIR *stream, const char *path, struct buf *result,
    struct file_detail detail)
{
	struct listing l = {0};
	struct stat status;
	size_t before = result->len;
	int rc;

	if (fstat(dirfd(stream), &status) != 0)
		return file_fail(-ERR_IO, detail);
	l.device = status.st_dev;
	l.held = alloc_array(HELD_MAX, sizeof *l.held);
	rc = scan(&l, stream, detail);
	if (rc == 0) {
		settle(&l);
		write_result(&l, path, result);
		if (result->overflow) {
			result->len = before;
			rc = file_fail(-ERR_FAILED, detail);
		}
	}
	free(l.held);
	return rc;
}

int
file_list(const struct file_settings *settings, const char *path,
    struct buf *result, struct file_detail detail)
{
	DIR *stream;
	int fd, rc;

	rc = beneath_open(settings->root_fd, path, O_RDONLY | O_DIRECTORY, &fd);
	if (rc != 0)
		return file_fail(rc, detail);
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return file_fail(-ERR_IO, detail);
	}
	rc = list_stream(stream, path, result, detail);
	closedir(stream);
	return rc;
}
