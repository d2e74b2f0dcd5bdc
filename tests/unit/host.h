/*
 * What tests want of the system they run on. All answer false where the
 * system or the user cannot do it; the test then says so and goes on.
 */
#ifndef TRIZONE_TESTS_UNIT_HOST_H
#define TRIZONE_TESTS_UNIT_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* From now on this process's mounts are its own and end with it. */
bool host_private_mounts(void);

/* An empty file system of at most `size` ("64k") at a folder. */
bool host_mount_memory(const char *at, const char *size);

/* The folder `what` once more at `at`. */
bool host_mount_again(const char *what, const char *at);

/* Take away what is mounted at a folder. */
void host_unmount(const char *at);

/* A node of a character device that does no harm. */
bool host_make_device(const char *path);

/* From now on the kernel says to this process that it has no openat2(2). */
bool host_without_openat2(void);

/* From now on syncing a file, or a folder, is an input or output error. */
bool host_without_file_sync(void);
bool host_without_folder_sync(void);

#endif
