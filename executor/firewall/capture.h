/*
 * Packets that the rules of accounts refused, from the kernel: nflog on Linux,
 * pflog0 on macOS. Opened with privileges; whoever then reads it needs none.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_CAPTURE_H
#define TRIZONE_EXECUTOR_FIREWALL_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "executor/firewall/packet.h"

#define CAPTURE_BYTES 131072u /* what one read may bring */

struct capture {
	int fd;
	bool begun;
	uint32_t next; /* number of the packet that is to come */
	uint64_t lost; /* packets that were not read, as far as is known */
	uint64_t bad;  /* what was no packet */
};

/* A descriptor. -ERR_BUSY: another program has it; -ERR_UNAVAILABLE;
 * -ERR_NOT_FOUND: there is none here, and one can do without; with what to do
 * in `reason`. */
int capture_open(char *reason, size_t room);

void capture_init(struct capture *capture, int fd);

/* Take what one read brings; `each` is called for every packet. 1: there may
 * be more; 0: nothing now; -ERR_CLOSED: no more ever. */
int capture_read(struct capture *capture,
    void (*each)(void *context, const struct packet *packet), void *context);

/* The same of bytes that were read. Pure. */
void capture_take(struct capture *capture, struct span bytes,
    void (*each)(void *context, const struct packet *packet), void *context);

#endif
