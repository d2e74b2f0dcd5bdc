/*
 * Folder, inbox and delivery for the inbox tests.
 */
#include "tests/unit/inbox_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char folder[64];
struct inbox *inbox;

void
folder_make(const char *under)
{
	snprintf(folder, sizeof folder, "%s/test_inbox.XXXXXX", under);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

void
folder_remove(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	shut();
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	OK(rmdir(folder));
}

const char *
path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

int
reopen(const struct inbox_limits *limits)
{
	shut();
	return inbox_open(folder, limits, &inbox);
}

void
shut(void)
{
	inbox_close(inbox);
	inbox = NULL;
}

int
deliver(const void *bytes, size_t count, int64_t *id_out, bool *twice_out)
{
	struct inbox_stage *stage;
	int error;

	error = inbox_stage_begin(inbox, SPAN("mail"), count, &stage);
	if (error != 0)
		return error;
	error = inbox_stage_add(stage, bytes, count);
	if (error == 0)
		return inbox_stage_commit(stage, NULL, id_out, twice_out);
	inbox_stage_abort(stage);
	return error;
}
