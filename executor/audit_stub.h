/*
 * Removing the oldest segment of a log: its checkpoints and lineages stay, in
 * a stub, so that the rest can still be checked from the root on; the numbers
 * of grants that it names stay in the file of grants.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_STUB_H
#define TRIZONE_EXECUTOR_AUDIT_STUB_H

#include <stdint.h>

/* Remove the oldest segment that has its records, durably, and give the
 * sequence that the next one begins with. For the log's one writer, or where
 * there is none. 0; -ERR_NOT_FOUND: there is only the current one;
 * -ERR_WRONG_STATE: it is of a version without segments; -ERR_CORRUPT: the
 * file of grants; -ERR_NO_SPACE, -ERR_IO. After an error both the segment and
 * its stub may be there: the segment counts. */
int audit_remove_oldest(int folder, uint64_t *next_out);

#endif
