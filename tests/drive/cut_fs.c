/*
 * A file system whose power can be cut: what was written is lost unless it was
 * synced. One flat folder, kept in memory; DISK is what the platters hold.
 *
 *   cut_fs DISK MOUNT SEED OPERATIONS [FAULTS OWNER]
 *
 * After so many operations that change something (0: never), or at SIGUSR1,
 * it writes to DISK what a loss of power could have left, and ends: of bytes
 * that were not synced any sectors (512 bytes), of sizes the old or the new
 * one, of names made, changed and removed since the folder's last sync the
 * first ones. Every third cut keeps nothing of it, every third all.
 *
 * FAULTS is a file of lines "CALL ERROR [COUNT]", read before each call: the
 * next COUNT of these fail so, or all until the file changes. A sync that
 * fails is as a kernel's: what it was to write stays readable, counts as
 * written, and is lost when the power is. The files are OWNER's.
 */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cut_fault.h"

#define SECTOR 512
#define FILES_MAX 4096
#define NAME_BYTES 64
#define STEPS_MAX 4096

struct bytes {
	char *data;
	size_t size, room;
};

/* Never freed: the process lives for some seconds. */
struct file {
	ino_t number;
	mode_t mode;
	struct bytes now, synced;
	size_t from, to; /* what was written since the last sync */
	bool dirty;	 /* that, or the size */
};

struct entry {
	char name[NAME_BYTES];
	struct file *file;
};

struct folder {
	struct entry entries[FILES_MAX];
	size_t count;
};

/* A change of names: `file` NULL removes `name`. */
struct step {
	char name[NAME_BYTES], from[NAME_BYTES];
	struct file *file;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *disk;
static struct folder now, synced;
static struct step steps[STEPS_MAX]; /* since the folder's sync */
static size_t step_count;
static unsigned seed;
static unsigned long operations, cut_after;
static ino_t files;
static uid_t owner;

static unsigned
chance(unsigned below)
{
	return (unsigned)rand_r(&seed) % below;
}

static struct entry *
find(struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->count; i++)
		if (strcmp(folder->entries[i].name, name) == 0)
			return &folder->entries[i];
	return NULL;
}

static void
set_name(struct folder *folder, const char *name, struct file *file)
{
	struct entry *entry = find(folder, name);

	if (entry == NULL && file == NULL)
		return;
	if (entry == NULL && folder->count == FILES_MAX)
		errx(1, "too many files");
	if (entry == NULL)
		entry = &folder->entries[folder->count++];
	if (file == NULL) {
		*entry = folder->entries[--folder->count];
		return;
	}
	snprintf(entry->name, sizeof entry->name, "%s", name);
	entry->file = file;
}

static void
apply(struct folder *folder, const struct step *step)
{
	if (step->from[0] != '\0')
		set_name(folder, step->from, NULL);
	set_name(folder, step->name, step->file);
}

static void
change_names(const char *name, const char *from, struct file *file)
{
	struct step *step = &steps[step_count++];

	if (step_count == STEPS_MAX)
		errx(1, "too many changes of names without a sync");
	snprintf(step->name, sizeof step->name, "%s", name);
	snprintf(step->from, sizeof step->from, "%s", from);
	step->file = file;
	apply(&now, step);
}

static void
resize(struct bytes *bytes, size_t size)
{
	if (size > bytes->room) {
		bytes->room = 2 * size;
		bytes->data = realloc(bytes->data, bytes->room);
		if (bytes->data == NULL)
			err(1, "memory");
	}
	if (size > bytes->size)
		memset(bytes->data + bytes->size, 0, size - bytes->size);
	bytes->size = size;
}

static void
forget_writes(struct file *file)
{
	file->from = file->to = 0;
	file->dirty = false;
}

static void
sync_file(struct file *file)
{
	if (!file->dirty)
		return;
	resize(&file->synced, file->now.size);
	if (file->to > file->now.size)
		file->to = file->now.size;
	if (file->from < file->to)
		memcpy(file->synced.data + file->from,
		    file->now.data + file->from, file->to - file->from);
	forget_writes(file);
}

static void
note_write(struct file *file, size_t from, size_t to)
{
	file->from = file->to == 0 || from < file->from ? from : file->from;
	file->to = to > file->to ? to : file->to;
	file->dirty = true;
}

static void
sync_names(void)
{
	for (size_t i = 0; i < step_count; i++)
		apply(&synced, &steps[i]);
	step_count = 0;
}

/* What of a file that was not synced has reached the disk. */
static void
leave(struct file *file, unsigned mode)
{
	size_t size = file->now.size, old = file->synced.size;
	bool grow = mode == 1 || (mode == 2 && chance(2) == 0);

	if (!file->dirty || mode == 0)
		return;
	resize(&file->synced, size > old ? size : old);
	for (size_t at = 0; at < size; at += SECTOR) {
		size_t count = size - at < SECTOR ? size - at : SECTOR;

		if (at + count <= file->from || at >= file->to)
			continue;
		if (mode == 1 || chance(2) == 0)
			memcpy(
			    file->synced.data + at, file->now.data + at, count);
	}
	file->synced.size = grow ? size : old;
}

static void
store(const struct entry *entry)
{
	const struct bytes *bytes = &entry->file->synced;
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/%s", disk, entry->name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, entry->file->mode & 0777);
	if (fd < 0 ||
	    (bytes->size != 0 &&
		write(fd, bytes->data, bytes->size) != (ssize_t)bytes->size))
		err(1, "%s", path);
	close(fd);
}

/* Empty DISK; with `load`, into memory first. */
static void
clear_disk(bool load)
{
	DIR *folder = opendir(disk);
	struct dirent *row;
	struct stat status;
	char path[4096];

	if (folder == NULL)
		err(1, "%s", disk);
	while ((row = readdir(folder)) != NULL) {
		struct file *file;
		int fd;

		if (row->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", disk, row->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || fstat(fd, &status) != 0)
			err(1, "%s", path);
		if (load) {
			file = calloc(1, sizeof *file);
			file->number = ++files + 1;
			file->mode = status.st_mode;
			note_write(file, 0, (size_t)status.st_size);
			resize(&file->now, (size_t)status.st_size);
			if (read(fd, file->now.data, file->now.size) !=
			    (ssize_t)file->now.size)
				err(1, "%s", path);
			sync_file(file);
			set_name(&now, row->d_name, file);
			set_name(&synced, row->d_name, file);
		} else {
			unlink(path);
		}
		close(fd);
	}
	closedir(folder);
}

/* With the lock held. */
static _Noreturn void
cut(void)
{
	unsigned mode = chance(3);
	size_t kept = mode == 0	  ? 0
		      : mode == 1 ? step_count
				  : chance((unsigned)step_count + 1);

	for (size_t i = 0; i < kept; i++)
		apply(&synced, &steps[i]);
	clear_disk(false);
	for (size_t i = 0; i < synced.count; i++) {
		leave(synced.entries[i].file, mode);
		store(&synced.entries[i]);
	}
	_exit(0);
}

/* Something is about to change; this may be the moment. */
static void
begin_change(void)
{
	pthread_mutex_lock(&lock);
	if (cut_after != 0 && ++operations >= cut_after)
		cut();
}

static int
end(int result)
{
	pthread_mutex_unlock(&lock);
	return result;
}

static void *
await_signal(void *context)
{
	int number;

	if (sigwait(context, &number) != 0)
		errx(1, "sigwait");
	pthread_mutex_lock(&lock);
	cut();
}

static struct file *
file_of(const char *path, const struct fuse_file_info *info)
{
	struct entry *entry;

	if (info != NULL && info->fh != 0)
		return (struct file *)(uintptr_t)info->fh;
	entry = find(&now, path + 1);
	return entry == NULL ? NULL : entry->file;
}

static void *
do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->use_ino = 1;
	config->hard_remove = 1;
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	return NULL;
}

static int
do_getattr(const char *path, struct stat *out, struct fuse_file_info *info)
{
	bool root = path != NULL && strcmp(path, "/") == 0;
	struct file *file;

	pthread_mutex_lock(&lock);
	file = root ? NULL : file_of(path, info);
	if (!root && file == NULL)
		return end(-ENOENT);
	*out = (struct stat){.st_uid = owner,
	    .st_gid = owner,
	    .st_nlink = root ? 2 : 1,
	    .st_ino = root ? 1 : file->number,
	    .st_mode = root ? S_IFDIR | 0700 : S_IFREG | file->mode,
	    .st_size = root ? 0 : (off_t)file->now.size};
	return end(0);
}

static int
do_readdir(const char *path, void *buffer, fuse_fill_dir_t add, off_t offset,
    struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	(void)path;
	(void)offset;
	(void)info;
	(void)flags;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < now.count; i++)
		add(buffer, now.entries[i].name, NULL, 0, 0);
	return end(0);
}

static int
do_open(const char *path, struct fuse_file_info *info)
{
	struct file *file;
	int rc = 0;

	pthread_mutex_lock(&lock);
	file = file_of(path, NULL);
	info->fh = (uint64_t)(uintptr_t)file;
	if (file != NULL && (info->flags & O_ACCMODE) != O_RDONLY)
		rc = fault("open");
	return end(file == NULL ? -ENOENT : rc);
}

static int
do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	struct file *file;
	int rc;

	begin_change();
	rc = fault("create");
	if (rc != 0)
		return end(rc);
	file = calloc(1, sizeof *file);
	file->number = ++files + 1;
	file->mode = mode & 0777;
	change_names(path + 1, "", file);
	info->fh = (uint64_t)(uintptr_t)file;
	return end(0);
}

static int
do_read(const char *path, char *out, size_t count, off_t offset,
    struct fuse_file_info *info)
{
	struct file *file;
	size_t at = (size_t)offset;

	pthread_mutex_lock(&lock);
	file = file_of(path, info);
	if (at >= file->now.size)
		return end(0);
	count = count < file->now.size - at ? count : file->now.size - at;
	memcpy(out, file->now.data + at, count);
	return end((int)count);
}

static int
do_write(const char *path, const char *text, size_t count, off_t offset,
    struct fuse_file_info *info)
{
	struct file *file;
	int rc;

	begin_change();
	rc = fault("write");
	if (rc != 0)
		return end(rc);
	file = file_of(path, info);
	if ((size_t)offset + count > file->now.size)
		resize(&file->now, (size_t)offset + count);
	memcpy(file->now.data + offset, text, count);
	note_write(file, (size_t)offset, (size_t)offset + count);
	if ((info->flags & (O_SYNC | O_DSYNC)) != 0)
		sync_file(file);
	return end((int)count);
}

static int
do_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	struct file *file;
	int rc;

	begin_change();
	file = file_of(path, info);
	rc = file == NULL ? -ENOENT : fault("truncate");
	if (rc != 0)
		return end(rc);
	resize(&file->now, (size_t)size);
	file->dirty = true;
	return end(0);
}

static int
do_unlink(const char *path)
{
	int rc;

	begin_change();
	rc = find(&now, path + 1) == NULL ? -ENOENT : fault("unlink");
	if (rc != 0)
		return end(rc);
	change_names(path + 1, "", NULL);
	return end(0);
}

static int
do_rename(const char *from, const char *to, unsigned flags)
{
	struct entry *entry;
	int rc;

	begin_change();
	entry = find(&now, from + 1);
	if (entry == NULL || flags != 0)
		return end(entry == NULL ? -ENOENT : -EINVAL);
	rc = fault("rename");
	if (rc != 0)
		return end(rc);
	change_names(to + 1, from + 1, entry->file);
	return end(0);
}

static int
do_fsync(const char *path, int only_data, struct fuse_file_info *info)
{
	struct file *file;
	int rc;

	(void)only_data;
	begin_change();
	file = file_of(path, info);
	rc = fault("sync");
	if (rc != 0)
		forget_writes(file);
	else
		sync_file(file);
	return end(rc);
}

static int
do_fsyncdir(const char *path, int only_data, struct fuse_file_info *info)
{
	int rc;

	(void)path;
	(void)only_data;
	(void)info;
	begin_change();
	rc = fault("syncdir");
	if (rc == 0)
		sync_names();
	return end(rc);
}

static int
do_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
	struct file *file;

	begin_change();
	file = file_of(path, info);
	if (file == NULL)
		return end(-ENOENT);
	file->mode = mode & 0777;
	return end(0);
}

static const struct fuse_operations table = {
    .init = do_init,
    .getattr = do_getattr,
    .readdir = do_readdir,
    .open = do_open,
    .create = do_create,
    .read = do_read,
    .write = do_write,
    .truncate = do_truncate,
    .unlink = do_unlink,
    .rename = do_rename,
    .fsync = do_fsync,
    .fsyncdir = do_fsyncdir,
    .chmod = do_chmod,
};

int
main(int argc, char **argv)
{
	static sigset_t signals;
	pthread_t thread;

	if (argc != 5 && argc != 7)
		errx(64, "usage: cut_fs DISK MOUNT SEED OPERATIONS "
			 "[FAULTS OWNER]");
	owner = argc == 7 ? (uid_t)atoi(argv[6]) : getuid();
	fault_path = argc == 7 ? argv[5] : NULL;
	disk = realpath(argv[1], NULL);
	seed = (unsigned)strtoul(argv[3], NULL, 10);
	cut_after = strtoul(argv[4], NULL, 10);
	if (disk == NULL)
		err(1, "%s", argv[1]);
	clear_disk(true);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (pthread_create(&thread, NULL, await_signal, &signals) != 0)
		errx(1, "no thread");
	return fuse_main(5,
	    ((char *[]){argv[0], "-f", "-s",
		argc == 7 ? "-odefault_permissions,allow_other"
			  : "-odefault_permissions",
		argv[2], NULL}),
	    &table, NULL);
}
