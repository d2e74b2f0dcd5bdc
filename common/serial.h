/*
 * The port of a virtual machine whose other end is a byte stream on the host
 * (virtio-serial; Linux: /dev/vport0p1).
 */
#ifndef TRIZONE_COMMON_SERIAL_H
#define TRIZONE_COMMON_SERIAL_H

#include <stdint.h>

/* Open the port at `path` for both ways, not blocking, and wait until somebody
 * is at its other end, for at most `wait_ms`. A descriptor, or
 * -ERR_UNAVAILABLE: no such port, or nobody there; -ERR_BUSY: another process
 * has it; -ERR_WRONG_STATE: it is no port but a file or a terminal, which
 * would change the bytes. */
int serial_open(const char *path, int64_t wait_ms);

#endif
