/*
 * Room on the disk before it is needed: reserve_linux.c and reserve_macos.c.
 */
#ifndef TRIZONE_EXECUTOR_RESERVE_H
#define TRIZONE_EXECUTOR_RESERVE_H

#include <stdint.h>

/* Take `bytes` from `offset` on for the file, whose size stays as it is. 0;
 * -ERR_NO_SPACE; -ERR_IO. Where the file system cannot, 0. */
int reserve_room(int fd, uint64_t offset, uint64_t bytes);

#endif
