/*
 * What was applied, on disk. Runs in the operator's commands and in the parent,
 * as root, on files that only root can write.
 */
#include "executor/firewall/applied.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/io.h"
#include "executor/firewall/model_impl.h"

#define NEW_FILE APPLIED_FILE ".new"
#define LOCK_FILE "lock"
#define LOCK_MS 15000 /* longer than any loader may take */
#define LOCK_STEP_MS 50
#define VERSION 1

static int
complain(char *reason, size_t room, int error, const char *what)
{
	(void)snprintf(reason, room, "%s", what);
	return error;
}

int
applied_open(const char *folder, bool make, char *reason, size_t room)
{
	struct stat st;
	int fd;

	if (make && mkdir(folder, 0700) != 0 && errno != EEXIST) {
		(void)snprintf(reason, room, "%s: %s", folder, strerror(errno));
		return -ERR_CONFIG;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int error = errno == ENOENT ? -ERR_NOT_FOUND : -ERR_CONFIG;

		(void)snprintf(reason, room, "%s: %s", folder, strerror(errno));
		return error;
	}
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 022) != 0) {
		(void)snprintf(reason, room,
		    "%s: others can write there, or it is not %s's: remove it "
		    "and apply again",
		    folder, geteuid() == 0 ? "root" : "this user");
		close(fd);
		return -ERR_CONFIG;
	}
	return fd;
}

int
applied_lock(int folder, char *reason, size_t room)
{
	int64_t end = clock_ms() + LOCK_MS;
	int fd = openat(folder, LOCK_FILE,
	    O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EROFS) /* in a service's own view of files */
		fd = openat(
		    folder, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return complain(
		    reason, room, -ERR_SYSTEM, "the lock cannot be made");
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_ms() > end) {
			close(fd);
			return complain(reason, room, -ERR_BUSY,
			    "another apply or confirm is at work: try again");
		}
		(void)usleep(LOCK_STEP_MS * 1000);
	}
	return fd;
}

/*
 * Reading.
 */
struct applied_text {
	int64_t version, serial;
	struct span backend;
	const struct json_node *pending, *accounts;
};

static const struct json_field applied_fields[] = {
    {"version", JSON_WANT_INTEGER, true, offsetof(struct applied_text, version),
	VERSION, VERSION},
    {"backend", JSON_WANT_STRING, true, offsetof(struct applied_text, backend),
	1, 16},
    {"serial", JSON_WANT_INTEGER, true, offsetof(struct applied_text, serial),
	0, INT64_MAX},
    {"pending", JSON_WANT_OBJECT, false, offsetof(struct applied_text, pending),
	0, 0},
    {"accounts", JSON_WANT_ARRAY, true, offsetof(struct applied_text, accounts),
	0, MODEL_ACCOUNTS_MAX},
};

struct pending_text {
	struct span account;
	int64_t until_ms;
};

static const struct json_field pending_fields[] = {
    {"account", JSON_WANT_STRING, true, offsetof(struct pending_text, account),
	1, MODEL_NAME_BYTES - 1},
    {"until_ms", JSON_WANT_INTEGER, true,
	offsetof(struct pending_text, until_ms), 0, INT64_MAX},
};

static int
read_pending(const struct json_doc *doc, const struct json_node *node,
    struct applied *out)
{
	struct pending_text text = {.until_ms = 0};

	if (node == NULL)
		return 0;
	if (json_read(doc, node, pending_fields,
		sizeof pending_fields / sizeof pending_fields[0], &text,
		NULL) != 0 ||
	    span_copy(text.account, out->pending, sizeof out->pending) != 0)
		return -ERR_CORRUPT;
	out->until_ms = text.until_ms;
	return 0;
}

static int
read_text(struct span text, struct applied *out)
{
	struct applied_text members = {.version = 0};
	char backend[17];
	struct json_doc doc;
	int rc;

	json_init(&doc);
	rc = json_parse(&doc, text, &model_pack_limits, NULL);
	if (rc == 0)
		rc = json_read(&doc, json_root(&doc), applied_fields,
		    sizeof applied_fields / sizeof applied_fields[0], &members,
		    NULL);
	if (rc == 0 &&
	    (span_copy(members.backend, backend, sizeof backend) != 0 ||
		!firewall_backend_find(backend, &out->backend)))
		rc = -ERR_CORRUPT;
	if (rc == 0)
		rc = read_pending(&doc, members.pending, out);
	if (rc == 0)
		rc = model_unpack_node(&doc, members.accounts, &out->model);
	out->serial = (uint64_t)members.serial;
	json_done(&doc);
	return rc;
}

int
applied_read(int folder, struct applied *out, char *reason, size_t room)
{
	int fd = openat(folder, APPLIED_FILE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct buf text;
	int rc;

	*out = (struct applied){.backend = FIREWALL_BACKEND_COUNT};
	if (fd < 0 && errno == ENOENT)
		return 0;
	buf_init(&text, MODEL_PACK_BYTES);
	rc = fd < 0 ? -ERR_IO : io_read_all(fd, &text);
	if (rc == 0)
		rc = read_text((struct span){text.data, text.len}, out);
	buf_free(&text);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return 0;
	applied_free(out);
	return complain(reason, room, -ERR_CORRUPT,
	    "the file " APPLIED_FILE " of the firewall cannot be read or is "
	    "damaged: remove it, and apply each account again");
}

void
applied_free(struct applied *applied)
{
	model_free(&applied->model);
	*applied = (struct applied){.backend = FIREWALL_BACKEND_COUNT};
}

/*
 * Writing.
 */
static void
write_text(const struct applied *applied, struct buf *out)
{
	struct json_writer w;
	struct buf accounts;

	buf_init(&accounts, MODEL_PACK_BYTES);
	model_pack(&applied->model, &accounts);
	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_integer(&w, "version", VERSION);
	json_put_text(&w, "backend", firewall_backend_name(applied->backend));
	json_put_integer(&w, "serial", (int64_t)applied->serial);
	if (applied->pending[0] != '\0') {
		json_key(&w, "pending");
		json_open(&w, '{');
		json_put_text(&w, "account", applied->pending);
		json_put_integer(&w, "until_ms", applied->until_ms);
		json_close(&w, '}');
	}
	json_put_raw(
	    &w, "accounts", (struct span){accounts.data, accounts.len});
	json_close(&w, '}');
	(void)buf_add_byte(out, '\n');
	buf_free(&accounts);
}

static int
write_new(int folder, struct span text)
{
	int fd, rc;

	(void)unlinkat(folder, NEW_FILE, 0); /* of one that was killed */
	fd = openat(folder, NEW_FILE,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -ERR_IO;
	rc = io_write_all(fd, text);
	if (rc == 0 && fsync(fd) != 0)
		rc = -ERR_IO;
	if (close(fd) != 0)
		rc = -ERR_IO;
	return rc;
}

int
applied_write(
    int folder, const struct applied *applied, char *reason, size_t room)
{
	struct buf text;
	int rc;

	buf_init(&text, MODEL_PACK_BYTES);
	write_text(applied, &text);
	rc = text.overflow
		 ? -ERR_TOO_LARGE
		 : write_new(folder, (struct span){text.data, text.len});
	buf_free(&text);
	if (rc == 0 && (renameat(folder, NEW_FILE, folder, APPLIED_FILE) != 0 ||
			   fsync(folder) != 0))
		rc = -ERR_IO;
	if (rc != 0)
		(void)snprintf(reason, room, "%s cannot be written: %s",
		    APPLIED_FILE, err_text(rc));
	return rc;
}

/* Filled with blanks, so that nothing of the old text is left behind it. */
static int
write_over(int fd, struct buf *text)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -ERR_IO;
	while (text->len < (size_t)st.st_size && !text->overflow)
		(void)buf_add_byte(text, ' ');
	if (text->overflow || text->len != (size_t)st.st_size)
		return -ERR_TOO_LARGE;
	if (pwrite(fd, text->data, text->len, 0) != (ssize_t)text->len ||
	    fsync(fd) != 0)
		return -ERR_IO;
	return 0;
}

int
applied_overwrite(int folder, const struct applied *applied)
{
	int fd = openat(folder, APPLIED_FILE,
	    O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct buf text;
	int rc;

	if (fd < 0)
		return -ERR_IO;
	buf_init(&text, MODEL_PACK_BYTES);
	write_text(applied, &text);
	rc = write_over(fd, &text);
	buf_free(&text);
	if (close(fd) != 0 && rc == 0)
		rc = -ERR_IO;
	return rc;
}

/*
 * What there should be.
 */
static void
refresh_account(struct model *out, const struct model_account *old,
    const struct model *policy)
{
	const struct model_account *new_one =
	    model_find(policy, span_of(old->name));
	struct model_account *account;
	char unused[1];

	account = model_add_copy(out, new_one != NULL ? new_one : old);
	account->blocked = old->blocked || new_one == NULL;
	if (model_account_resolve(account, unused, sizeof unused) != 0)
		account->uid = old->uid;
}

int
applied_refresh(struct applied *applied, const struct model *policy,
    char *reason, size_t room)
{
	struct model fresh = {.count = 0};
	int rc = 0;

	for (size_t i = 0; i < applied->model.count; i++)
		refresh_account(&fresh, &applied->model.accounts[i], policy);
	for (size_t i = 0; i < fresh.count; i++)
		for (size_t j = 0; j < i; j++)
			if (fresh.accounts[i].uid == fresh.accounts[j].uid) {
				(void)snprintf(reason, room,
				    "accounts %s and %s have the same number",
				    fresh.accounts[j].name,
				    fresh.accounts[i].name);
				rc = -ERR_CONFIG;
			}
	if (rc == 0) {
		model_free(&applied->model);
		applied->model = fresh;
	} else {
		model_free(&fresh);
	}
	return rc;
}

void
applied_effective(
    const struct applied *applied, int64_t now_ms, struct model *out)
{
	struct model_account *waits;

	model_copy(&applied->model, out);
	if (applied->pending[0] == '\0' || now_ms >= applied->until_ms)
		return;
	waits = model_find(out, span_of(applied->pending));
	if (waits != NULL)
		waits->blocked = false;
}
