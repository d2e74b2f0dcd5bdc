/*
 * Making written bytes durable: sync_linux.c and sync_macos.c.
 */
#ifndef TRIZONE_EXECUTOR_SYNC_H
#define TRIZONE_EXECUTOR_SYNC_H

/* The file's bytes and its size survive a loss of power. 0 or -ERR_IO; after
 * a failure nothing is known about what was written, and asking again would
 * report a success that means nothing. */
int sync_data(int fd);

/* The same for names made or removed in the folder `fd`. */
int sync_folder(int fd);

#endif
