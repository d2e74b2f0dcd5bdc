/*
 * Whether a file still has its name: named_linux.c and named_macos.c.
 */
#ifndef TRIZONE_EXECUTOR_NAMED_H
#define TRIZONE_EXECUTOR_NAMED_H

#include <stdbool.h>

/* Whether `name` in the folder is the file `fd`, and no link to it. */
bool file_has_name(int folder, const char *name, int fd);

#endif
