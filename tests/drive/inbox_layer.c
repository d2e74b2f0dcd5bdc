/*
 * Between SQLite and the file system: asks the driver before each change, and
 * remembers what a power cut may still take back.
 */
#include "tests/drive/inbox_layer.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/alloc.h"

/* One write or cut that a power cut may still undo. */
struct undo {
	struct undo *older;
	sqlite3_file *file;
	int64_t offset, size; /* the file's size before */
	int count;
	char bytes[];
};

struct layer_file {
	sqlite3_file base; /* what SQLite sees */
	sqlite3_file *real;
};

static struct undo *undos; /* newest first */
static bool remembering;
static sqlite3_vfs *real_vfs;

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((struct layer_file *)file)->real;
}

/* Keep what [offset, offset + count) holds, as far as it exists. */
static void
remember(sqlite3_file *real, int64_t offset, int64_t count)
{
	struct undo *u;
	sqlite3_int64 size = 0;

	if (!remembering)
		return;
	real->pMethods->xFileSize(real, &size);
	count = offset + count > size ? size - offset : count;
	u = alloc_bytes(sizeof *u + (count > 0 ? (size_t)count : 0));
	*u = (struct undo){.older = undos, .file = real, .size = size};
	u->offset = offset;
	u->count = count > 0 ? (int)count : 0;
	if (u->count > 0)
		real->pMethods->xRead(real, u->bytes, u->count, offset);
	undos = u;
}

/* Synced or closed: no power cut undoes it. */
static void
forget(const sqlite3_file *real)
{
	struct undo **at = &undos, *u;

	while ((u = *at) != NULL) {
		if (u->file == real) {
			*at = u->older;
			free(u);
		} else {
			at = &u->older;
		}
	}
}

static int
layer_close(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);
	int code = real->pMethods->xClose(real);

	forget(real);
	free(real);
	return code;
}

static int
layer_read(sqlite3_file *file, void *out, int count, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xRead(real, out, count, offset);
}

static int
layer_write(
    sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(file);

	if (step())
		return random() % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	remember(real, offset, count);
	return real->pMethods->xWrite(real, bytes, count, offset);
}

static int
layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *real = real_of(file);

	if (step())
		return SQLITE_IOERR_TRUNCATE;
	remember(real, size, INT32_MAX);
	return real->pMethods->xTruncate(real, size);
}

static int
layer_sync(sqlite3_file *file, int flags)
{
	sqlite3_file *real = real_of(file);
	int code;

	if (step())
		return SQLITE_IOERR_FSYNC;
	code = real->pMethods->xSync(real, flags);
	forget(real);
	return code;
}

static int
layer_size(sqlite3_file *file, sqlite3_int64 *size_out)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xFileSize(real, size_out);
}

static int
layer_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xLock(real, level);
}

static int
layer_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xUnlock(real, level);
}

static int
layer_is_locked(sqlite3_file *file, int *result_out)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xCheckReservedLock(real, result_out);
}

static int
layer_control(sqlite3_file *file, int op, void *arg)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xFileControl(real, op, arg);
}

static int
layer_sector(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xSectorSize(real);
}

static int
layer_device(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: no shared memory, which exclusive locking does without. */
static const sqlite3_io_methods layer_methods = {
    .iVersion = 1,
    .xClose = layer_close,
    .xRead = layer_read,
    .xWrite = layer_write,
    .xTruncate = layer_truncate,
    .xSync = layer_sync,
    .xFileSize = layer_size,
    .xLock = layer_lock,
    .xUnlock = layer_unlock,
    .xCheckReservedLock = layer_is_locked,
    .xFileControl = layer_control,
    .xSectorSize = layer_sector,
    .xDeviceCharacteristics = layer_device,
};

static int
layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *flags_out)
{
	struct layer_file *layer = (struct layer_file *)file;
	int code;

	(void)vfs;
	layer->base.pMethods = NULL;
	layer->real = alloc_bytes((size_t)real_vfs->szOsFile);
	code = real_vfs->xOpen(real_vfs, name, layer->real, flags, flags_out);
	if (code == SQLITE_OK)
		layer->base.pMethods = &layer_methods;
	else
		free(layer->real);
	return code;
}

static int
layer_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	if (step())
		return SQLITE_IOERR_DELETE;
	return real_vfs->xDelete(real_vfs, name, sync);
}

void
layer_register(void)
{
	static sqlite3_vfs layer;

	real_vfs = sqlite3_vfs_find(NULL);
	layer = *real_vfs;
	layer.zName = "layer";
	layer.szOsFile = sizeof(struct layer_file);
	layer.xOpen = layer_open;
	layer.xDelete = layer_delete;
	sqlite3_vfs_register(&layer, 1);
}

void
layer_remember(bool on)
{
	remembering = on;
}

/* Undo a random part of what was never synced, newest first. */
void
layer_lose_power(void)
{
	for (struct undo *u = undos; u != NULL; u = u->older) {
		if (random() % 4 == 0)
			continue; /* this one had reached the disk */
		u->file->pMethods->xTruncate(u->file, u->size);
		if (u->count > 0)
			u->file->pMethods->xWrite(
			    u->file, u->bytes, u->count, u->offset);
	}
}
