/*
 * The files of a log: segments in the order of their records, named after the
 * sequence of the first one. A segment that retention has removed leaves a
 * stub with its checkpoints and lineages. What an older version wrote,
 * audit.jsonl, counts as the first.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_SEGMENT_H
#define TRIZONE_EXECUTOR_AUDIT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_BYTES (8u << 20)
#define SEGMENTS_MAX (1u << 20) /* 8 TiB of records */
#define SEGMENT_NAME_BYTES 32	/* and its NUL */

enum segment_kind { SEGMENT_OLD, SEGMENT_RECORDS, SEGMENT_STUB };

struct segment {
	uint64_t first; /* sequence of its first record */
	enum segment_kind kind;
};

/* All zero is an empty list. */
struct segments {
	struct segment *rows; /* ascending by `first` */
	size_t count;
};

void segment_name(const struct segment *segment, char out[SEGMENT_NAME_BYTES]);

/* The segments in the folder (a descriptor, its offset is not used). Where
 * both a segment and its stub are there, the segment counts. 0; -ERR_IO;
 * -ERR_LIMIT: more than SEGMENTS_MAX. */
int segments_list(int folder, struct segments *out);
void segments_done(struct segments *segments);

/* Index of the segment that has, or would have, the record `seq`; 0 if it is
 * before all of them. Of a list that is not empty. */
size_t segments_find(const struct segments *segments, uint64_t seq);

#endif
