/*
 * Plain filter. This process only moves bytes that it does not read; a worker
 * reads them.
 */
#include "reader/plain.h"

#include <poll.h>

#include "common/err.h"
#include "common/io.h"
#include "common/limits.h"
#include "common/log.h"
#include "reader/worker.h"

/* One object and a line end. */
static int
write_line(int fd, const struct buf *text)
{
	int rc = io_write_all(fd, (struct span){text->data, text->len});

	return rc == 0 ? io_write_all(fd, SPAN("\n")) : rc;
}

/* Drive one worker to its end. */
static void
wait_for(struct worker *w)
{
	while (worker_read(w) == WORKER_MORE) {
		struct pollfd at = {.fd = w->fd, .events = POLLIN};

		(void)poll(&at, 1, worker_wait_ms(w));
	}
	worker_finish(w);
}

int
plain_run(const char *kind, int in, int out, int record)
{
	struct worker w;
	struct buf raw;
	int rc, status = EXIT_SYSTEM;

	/* one byte beyond what an item may have: then it is too large, which
	 * the worker says in its object, whatever follows */
	buf_init(&raw, MAIL_MAX_BYTES + 1);
	rc = io_read_all(in, &raw);
	if (rc == 0 || rc == -ERR_TOO_LARGE)
		rc = worker_start((struct span){raw.data, raw.len}, kind, &w);
	buf_free(&raw);
	if (rc == 0) {
		wait_for(&w);
		rc = write_line(out, &w.clean);
		if (rc == 0 && record >= 0)
			rc = write_line(record, &w.record);
		if (rc == 0)
			status = w.failed ? EXIT_DATA : EXIT_DONE;
		worker_done(&w);
	}
	if (rc != 0)
		log_event(LOG_ERROR, "filter", "error=%s", err_text(rc));
	return status;
}
