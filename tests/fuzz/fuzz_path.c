/*
 * Fuzz driver: what beneath_check lets through is a plain relative path, and
 * opening it below an empty folder finds nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/beneath.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int empty = -1;
	char path[BENEATH_PATH_BYTES + 3] = "/", detail[80] = "", folder[32];
	int fd;

	if (empty < 0) {
		strcpy(folder, "/tmp/fuzz_path.XXXXXX");
		must(mkdtemp(folder) != NULL);
		must(beneath_root(folder, &empty) == 0);
		must(remove(folder) == 0);
	}
	if (beneath_check((struct span){(const char *)data, size}, detail,
		sizeof detail) != 0) {
		must(detail[0] != '\0');
		return 0;
	}
	must(size >= 1 && size <= BENEATH_PATH_BYTES);
	memcpy(path + 1, data, size);
	must(strlen(path) == size + 1);
	strcat(path, "/");
	must(strstr(path, "//") == NULL && strstr(path, "/./") == NULL &&
	     strstr(path, "/../") == NULL);
	path[size + 1] = '\0';
	must(beneath_open(empty, path + 1, O_RDONLY, &fd) != 0);
	must(beneath_walk(empty, path + 1, O_RDONLY, &fd) != 0);
	return 0;
}
