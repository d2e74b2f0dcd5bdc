/*
 * Which calls of cut_fs.c fail, by a file that the test replaces.
 */
#include "cut_fault.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *fault_path;

/* What FAULTS says, and how often it still holds; -1: for ever. */
static struct {
	char text[1024];
	struct {
		char call[16];
		int error;
		long left;
	} rows[16];
	size_t count;
} faults;

static void
read_faults(const char *text)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}};
	char call[16], name[16];
	int used;
	long left;

	for (faults.count = 0;
	     faults.count < 16 &&
	     sscanf(text, "%15s %15s %ld%n", call, name, &left, &used) == 3;
	     text += used) {
		for (size_t i = 0; i < 3; i++) {
			if (strcmp(name, errors[i].name) != 0)
				continue;
			memcpy(faults.rows[faults.count].call, call, 16);
			faults.rows[faults.count].error = errors[i].error;
			faults.rows[faults.count++].left = left;
		}
	}
}

int
fault(const char *call)
{
	char text[sizeof faults.text] = "";
	int fd = fault_path == NULL ? -1 : open(fault_path, O_RDONLY);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) < 0)
		err(1, "%s", fault_path);
	close(fd);
	if (strcmp(text, faults.text) != 0) {
		memcpy(faults.text, text, sizeof text);
		read_faults(text);
	}
	for (size_t i = 0; i < faults.count; i++) {
		if (faults.rows[i].left == 0 ||
		    (strcmp(faults.rows[i].call, call) != 0 &&
			strcmp(faults.rows[i].call, "all") != 0))
			continue;
		if (faults.rows[i].left > 0)
			faults.rows[i].left--;
		return -faults.rows[i].error;
	}
	return 0;
}
