/*
 * Whole files and pipes, on blocking descriptors.
 */
#ifndef TRIZONE_COMMON_IO_H
#define TRIZONE_COMMON_IO_H

#include "common/buf.h"
#include "common/text.h"

/* Append everything up to the end of `fd` to `out`, whose max is the bound.
 * -ERR_TOO_LARGE if there is more than fits; -ERR_IO with errno set. */
int io_read_all(int fd, struct buf *out);

/* Write all of it. -ERR_IO with errno set. */
int io_write_all(int fd, struct span text);

#endif
