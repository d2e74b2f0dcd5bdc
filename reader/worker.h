/*
 * A disposable process for each item: forked from a warmed-up parent without
 * exec, bounded, and gone when it has written its two results. A crash, an
 * endless loop or a memory bomb in a parser costs that process; its parent
 * then writes a failure form.
 *
 * The parent believes nothing of what comes back: sizes are checked before
 * memory, and the clean object goes through clean_check.
 *
 *	worker_prepare();
 *	worker_start(raw, "mail", &w);
 *	while ((state = worker_read(&w)) == WORKER_MORE)
 *		wait until w.fd can be read, at most worker_wait_ms(&w);
 *	worker_finish(&w);
 *	... w.clean, w.record ...
 *	worker_done(&w);
 */
#ifndef TRIZONE_READER_WORKER_H
#define TRIZONE_READER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/text.h"

enum worker_state {
	WORKER_MORE,  /* wait for w.fd and read again */
	WORKER_READY, /* both results are here */
	WORKER_FAILED /* died, wrote nonsense, or its time is over */
};

struct worker {
	int fd; /* non-blocking, close-on-exec; -1 when closed */
	pid_t pid;
	const char *kind;
	int64_t deadline_ms; /* on CLOCK_MONOTONIC */
	bool late;	     /* it was ended for its time */
	bool failed;	     /* after worker_finish: clean is a failure form */
	struct buf in;	     /* what it has written so far */
	struct buf clean;    /* after worker_finish: always a valid object */
	struct buf record;   /* after worker_finish: always a valid record */
};

/* Once, before the process locks itself in: make the worker's list of system
 * calls. */
void worker_prepare(void);

/* Fork a worker for `raw`, which is not needed afterwards. `kind` comes from
 * filter_kind. Returns 0 or -ERR_SYSTEM; then there is nothing to free. */
int worker_start(struct span raw, const char *kind, struct worker *out);

/* Read what is there; never blocks. */
enum worker_state worker_read(struct worker *w);

/* Milliseconds until the deadline, 0 when it is past. */
int worker_wait_ms(const struct worker *w);

/* End it now, at any time; worker_finish then gives a failure form. */
void worker_kill(struct worker *w);

/* Reap the process and check what it wrote. To be called once, when
 * worker_read said READY or FAILED, or after worker_kill. */
void worker_finish(struct worker *w);

/* Free the results. */
void worker_done(struct worker *w);

#endif
