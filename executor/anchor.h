/*
 * Anchors: places outside of the log, and best outside of the executor's
 * reach, that are told its starts and its heads, in the lines which
 * audit_proof.h reads. The parent opens them before anything is locked in, so
 * that the auditor has descriptors and needs neither paths nor connections.
 * Another kind is another row of the table in anchor.c.
 */
#ifndef TRIZONE_EXECUTOR_ANCHOR_H
#define TRIZONE_EXECUTOR_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/sha256.h"
#include "common/text.h"
#include "executor/audit_seal.h"

#define ANCHORS_MAX 8u
#define ANCHOR_LINE_MAX 192 /* NUL and line feed included */

struct anchor_kind {
	const char *name;
	/* Open it; `place` is a path, or empty where the kind has one place.
	 * The descriptor, or a negative error. NULL, as is send: it is told by
	 * orders to a courier, see auditor_notify.c. */
	int (*open)(const char *place);
	/* Hand over one line, without line feed, and wait until it is kept, as
	 * far as that can be known. 0 or a negative error. */
	int (*send)(int fd, const char *line);
};

struct anchor {
	const struct anchor_kind *kind;
	char *place; /* "" if the kind has one place; or a capability's name */
	uint32_t capability, minutes; /* of notify: its number; of a line */
	int fd;	   /* -1: it could not be opened, or is told by orders */
	int error; /* of the last line; 0: it was taken */
};

struct anchors {
	struct anchor row[ANCHORS_MAX];
	size_t count;
};

/* "file", "syslog", "notify"; NULL if there is none of that name. */
const struct anchor_kind *anchor_kind_find(struct span name);

/* Open all of them. One that cannot be is logged, and has its error. */
void anchors_open(struct anchors *anchors);

/* What the auditor is told of them, for its start text, and back: the
 * descriptors of those that are open begin at `fd` then, in their order.
 * Returns how many these are; ends the process for what the parent cannot have
 * said. */
void anchors_write(const struct anchors *anchors, struct buf *out);
size_t anchors_read(struct anchors *anchors, struct span text, int fd);

/* Close them and release their names. */
void anchors_done(struct anchors *anchors);

/* A record that anchors are told of. */
struct anchored {
	bool lineage; /* or a head */
	uint64_t seq;
	unsigned char hash[SHA256_BYTES];
	unsigned char key[SIGN_KEY_BYTES];
};

/* The line that says so, without line feed. */
void anchor_write_line(const struct anchored *what, char line[ANCHOR_LINE_MAX]);

/* Tell all of them but those that are told by orders. Returns how many took it.
 * `changed` (may be NULL) is called for each that has begun to fail, or that
 * takes lines again. */
size_t anchors_send(struct anchors *anchors, const struct anchored *what,
    void (*changed)(void *context, const struct anchor *anchor), void *context);

#endif
