/*
 * restore: what a backup holds, into a state that is empty. Everything is
 * unpacked beside it and checked first (sums, the chain from its root, the
 * database); then the log says that it was restored, and only then the folders
 * get their names. Believes nothing of an archive before that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/accounts.h"
#include "executor/archive.h"
#include "executor/audit_log.h"
#include "executor/audit_segment.h"
#include "executor/audit_verify.h"
#include "executor/command.h"
#include "executor/inbox_copy.h"
#include "executor/inbox_db.h"
#include "executor/inputs_file.h"
#include "executor/parent_files.h"
#include "executor/sync.h"

static const char usage[] =
    "usage: trizone-executor restore [--config FILE] ARCHIVE|-\n"
    "Put back what a backup holds. Neither audit nor inbox may be there, and no\n"
    "service may run. The audit goes on in a lineage of its own and says so.\n"
    "Exit status: 0 done; 65 the archive is damaged or none of ours; 69 there\n"
    "is an audit or inbox; 71 it could not be written.\n";

#define STAGE "/restore" /* in the state folder */

struct restore {
	const struct config *config;
	char *stage, *inbox;
	struct archive archive;
	struct account accounts[ACCOUNT_ROLES];
	bool has_inbox, has_audit;
	char about[128];
};

static void
make_stage(const char *stage, const char *below)
{
	char *path = alloc_format("%s%s", stage, below);

	if (mkdir(path, 0700) != 0)
		die(EXIT_SYSTEM, "%s: %s: remove what is left of another try",
		    path, strerror(errno));
	free(path);
}

/* Files of one folder and its folders, one level deep. */
static void
empty_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *name = alloc_format("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.' && unlink(name) != 0 &&
		    (errno == EISDIR || errno == EPERM))
			empty_folder(name);
		free(name);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(path);
}

/* Whether it is not there, or has nothing but a lock file. */
static bool
is_free(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool nothing = true;

	if (folder == NULL)
		return errno == ENOENT;
	while ((entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "lock") != 0)
			nothing = false;
	closedir(folder);
	return nothing;
}

/* What a backup has; anything else is none of ours. */
static bool
is_member(struct restore *r, const char *name)
{
	r->has_inbox =
	    r->has_inbox || strcmp(name, "inbox/" INBOX_DB_NAME) == 0;
	r->has_audit = r->has_audit || strncmp(name, "audit/seg", 9) == 0;
	return strcmp(name, "about") == 0 ||
	       strcmp(name, "inbox/" INBOX_DB_NAME) == 0 ||
	       strcmp(name, "audit/salts") == 0 ||
	       strcmp(name, "audit/grants") == 0 ||
	       strcmp(name, "audit/" AUDIT_VERSION_NAME) == 0 ||
	       strcmp(name, "audit/" AUDIT_OLD_NAME) == 0 ||
	       strncmp(name, "audit/segment-", 14) == 0 ||
	       strncmp(name, "audit/" INPUTS_FOLDER "/segment-", 21) == 0;
}

static int
unpack_one(struct restore *r, const char *name, uint64_t bytes)
{
	char *path = alloc_format("%s/%s", r->stage, name);
	int fd = -1, rc = -ERR_CORRUPT;

	if (is_member(r, name))
		fd = open(path,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		rc = archive_get(&r->archive, name, bytes, fd);
		if (rc == 0)
			rc = sync_data(fd);
		close(fd);
	}
	free(path);
	return rc;
}

static int
sync_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -ERR_IO : sync_folder(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* The names of what was unpacked. */
static int
sync_stage(const struct restore *r)
{
	static const char *const folders[] = {
	    "/inbox", "/audit", ("/audit/" INPUTS_FOLDER)};
	int rc = 0;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && rc == 0;
	     i++) {
		char *path = alloc_format("%s%s", r->stage, folders[i]);

		rc = sync_at(path);
		free(path);
	}
	return rc;
}

static int
unpack(struct restore *r)
{
	char name[ARCHIVE_NAME_BYTES];
	uint64_t bytes;
	int rc;

	while ((rc = archive_next(&r->archive, name, &bytes)) == 1) {
		rc = unpack_one(r, name, bytes);
		if (rc != 0)
			return rc;
	}
	if (rc != 0)
		return rc;
	return r->has_inbox && r->has_audit ? sync_stage(r) : -ERR_CORRUPT;
}

/* The version of the archive, and when it was made. */
static int
read_about(struct restore *r)
{
	char *path = alloc_format("%s/about", r->stage);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, r->about, sizeof r->about - 1);

	if (fd >= 0)
		close(fd);
	free(path);
	if (got <= 0 ||
	    strncmp(r->about, BACKUP_ABOUT, sizeof BACKUP_ABOUT - 1) != 0)
		return -ERR_CORRUPT;
	memmove(r->about, r->about + sizeof BACKUP_ABOUT - 1,
	    (size_t)got - (sizeof BACKUP_ABOUT - 1) + 1);
	r->about[strcspn(r->about, "\n")] = '\0';
	return 0;
}

static int
check_inbox(struct restore *r)
{
	char *path = alloc_format("%s/inbox/" INBOX_DB_NAME, r->stage);
	struct inbox_db db = {.handle = NULL};
	int rc = db_open(&db, path);

	free(path);
	if (rc != 0)
		return rc;
	rc = db_check(&db);
	db_close(&db);
	return rc;
}

/* Checked by opening it; then it says what has happened. */
static int
check_audit(struct restore *r, const char *path)
{
	struct record record = {
	    .kind = RECORD_OPERATOR, .why = SPAN("restore")};
	struct audit_problem problem;
	struct audit_found found;
	struct audit *audit;
	char *detail;
	int rc = audit_open(path, NULL, &audit, &found, &problem);

	if (rc != 0) {
		fprintf(stderr, "%s\n", problem.text);
		return rc;
	}
	detail = alloc_format("from a backup of %s, with records up to %llu",
	    r->about, (unsigned long long)found.records);
	record.detail = span_of(detail);
	rc = audit_append(audit, &record, NULL, NULL);
	if (rc == 0)
		rc = audit_flush(audit, true);
	free(detail);
	return audit_close(audit) != 0 && rc == 0 ? -ERR_IO : rc;
}

/* All of a folder to the role's user. */
static int
give(const char *path, const struct account *account)
{
	DIR *folder;
	struct dirent *entry;
	int rc = 0;

	if (account->uid == 0)
		return 0;
	folder = opendir(path);
	while (folder != NULL && rc == 0 && (entry = readdir(folder)) != NULL) {
		char *name = alloc_format("%s/%s", path, entry->d_name);

		if (strcmp(entry->d_name, INPUTS_FOLDER) == 0)
			rc = give(name, account);
		else if (entry->d_name[0] != '.')
			rc = lchown(name, account->uid, account->gid);
		free(name);
	}
	if (folder != NULL)
		closedir(folder);
	return rc == 0 ? lchown(path, account->uid, account->gid) : rc;
}

/* The name of a folder that is free, once its lock file is gone; durably. */
static int
move_in(const char *from, const char *to, const struct account *account)
{
	char *lock = alloc_format("%s/lock", to);
	char *above = alloc_format("%s/..", to);
	int rc;

	unlink(lock);
	free(lock);
	rc = give(from, account);
	if (rc == 0)
		rc = rename(from, to);
	if (rc == 0)
		rc = sync_at(above);
	if (rc != 0)
		fprintf(stderr, "%s: %s\n", to, strerror(errno));
	free(above);
	return rc == 0 ? 0 : -ERR_IO;
}

static int
restore_all(struct restore *r)
{
	char *audit = alloc_format("%s/audit", r->stage);
	char *inbox = alloc_format("%s/inbox", r->stage);
	int rc = unpack(r);

	if (rc == 0)
		rc = read_about(r);
	if (rc == 0)
		rc = check_inbox(r);
	if (rc == 0)
		rc = check_audit(r, audit);
	if (rc == 0)
		rc = move_in(
		    audit, r->config->audit, &r->accounts[ACCOUNT_AUDITOR]);
	if (rc == 0)
		rc = move_in(inbox, r->inbox, &r->accounts[ACCOUNT_BROKER]);
	free(audit);
	free(inbox);
	return rc;
}

static int
open_archive(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO
					: open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	return fd;
}

static void
prepare(struct restore *r)
{
	if (geteuid() == 0)
		parent_accounts(r->config, ROLES_OF_ZONES, r->accounts);
	if (mkdir(r->config->state, geteuid() == 0 ? 0711 : 0700) != 0 &&
	    errno != EEXIST)
		die(EXIT_SYSTEM, "%s: %s", r->config->state, strerror(errno));
	parent_lock(r->config);
	if (!is_free(r->config->audit) || !is_free(r->inbox))
		die(EXIT_UNAVAILABLE,
		    "%s or %s is in use: move both away first",
		    r->config->audit, r->inbox);
	make_stage(r->stage, "");
	make_stage(r->stage, "/inbox");
	make_stage(r->stage, "/audit");
	make_stage(r->stage, "/audit/" INPUTS_FOLDER);
}

static int
run(const struct config *config, const char *path)
{
	struct restore r = {.config = config, .inbox = inbox_folder(config)};
	int rc;

	r.stage = alloc_format("%s" STAGE, config->state);
	archive_init(&r.archive, open_archive(path));
	prepare(&r);
	rc = restore_all(&r);
	empty_folder(r.stage);
	archive_done(&r.archive);
	free(r.stage);
	free(r.inbox);
	if (rc == 0) {
		puts("restored; the audit goes on in a lineage of its own");
		return EXIT_DONE;
	}
	fprintf(stderr, "not restored: %s\n",
	    rc == -ERR_CORRUPT ? "the archive is damaged, or none of ours"
			       : err_text(rc));
	return rc == -ERR_CORRUPT ? EXIT_DATA : EXIT_SYSTEM;
}

int
command_restore(int argc, char **argv)
{
	return command_of_archive(argc, argv, usage, run);
}
