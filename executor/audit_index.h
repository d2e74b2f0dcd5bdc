/*
 * An index of a log: for each segment that is finished, its period, its
 * sequences and a Bloom filter of what its records name, in the folder `index`
 * beside it. It may be removed at any time and be made again. It tells a
 * reader which segments need not be read; a forged one can hide records from
 * him, so nothing that has to be proved uses it.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_INDEX_H
#define TRIZONE_EXECUTOR_AUDIT_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/audit_filter.h"

#define AUDIT_INDEX_FOLDER "index"

struct audit_index;

/* The index of the log `path` for one filter (borrowed), or NULL: there is
 * none, or the filter has nothing that an index knows. */
struct audit_index *audit_index_open(
    const char *path, const struct audit_filter *filter);
void audit_index_close(struct audit_index *index);

/* Whether no record of the segment that begins with the record `first` can
 * match; then *next_out is where the next one begins. A segment without a
 * valid row, or one that has changed since, has to be read. */
bool audit_index_spares(
    struct audit_index *index, uint64_t first, uint64_t *next_out);

struct audit_index_made {
	uint64_t made, kept, removed, left; /* segments; left: not readable */
};

/* Bring the index of the folder `path` up to date. Its files belong to who
 * runs this. 0, -ERR_NOT_FOUND, -ERR_NOT_REGULAR, -ERR_PEER, -ERR_SYSTEM,
 * -ERR_IO. */
int audit_index_make(const char *path, struct audit_index_made *out);

/* `audit index`: as audit_show_main. */
int audit_index_main(int argc, char **argv, const char *default_dir);

#endif
