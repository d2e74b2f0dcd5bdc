/*
 * A disposable process for each item. The parent side runs in the reader and
 * believes nothing of the child; the child side runs under hard limits with
 * two descriptors, and can only write its results.
 *
 * On the pipe: two 4-byte big-endian lengths, the clean object, the record.
 */
#include "reader/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/io.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/platform.h"
#include "proto/clean.h"
#include "reader/filter.h"
#include "reader/limits.h"
#include "reader/profile.h"

#define HEAD_BYTES 8
#define READ_BYTES 65536
#define CHILD_FD                                                               \
	STDOUT_FILENO /* the pipe, in the child; besides it has only           \
			 standard error */

/* The list of a worker, made once. Process-wide by nature. */
static struct call_list list;

void
worker_prepare(void)
{
	if (list.program == NULL)
		(void)call_list_make(&worker_profile, false, &list);
}

/* The child's walls, besides those it has from its parent. A limit of the file
 * size would end it by a signal when it logs to a file; without the signal the
 * line is lost, which is better. Signals are the parent's business, and its
 * handlers must not run here. */
static void
lock_child(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	const struct rlimit none = {0, 0};
	const struct rlimit files = {WORKER_FILES, WORKER_FILES};
	struct rlimit cpu = {0, 0};

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], SIG_DFL);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)close(STDIN_FILENO);
	/* who started us may have set less */
	if (getrlimit(RLIMIT_CPU, &cpu) != 0)
		_exit(EXIT_SYSTEM);
	if (cpu.rlim_max > WORKER_CPU_SECONDS + 1)
		cpu =
		    (struct rlimit){WORKER_CPU_SECONDS, WORKER_CPU_SECONDS + 1};
	if (platform_close_from(STDERR_FILENO + 1) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) != 0 ||
	    setrlimit(RLIMIT_CPU, &cpu) != 0 ||
	    setrlimit(RLIMIT_NOFILE, &files) != 0 ||
	    call_list_install(&list) != 0)
		_exit(EXIT_SYSTEM);
}

static void
tell(struct span bytes)
{
	if (io_write_all(CHILD_FD, bytes) != 0)
		_exit(EXIT_SYSTEM);
}

static void
put_length(unsigned char *to, size_t length)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(length >> (24 - 8 * i));
}

static size_t
get_length(const char *from)
{
	size_t length = 0;

	for (int i = 0; i < 4; i++)
		length = length << 8 | (unsigned char)from[i];
	return length;
}

_Noreturn static void
child(int fd, struct span raw, const char *kind)
{
	unsigned char head[HEAD_BYTES];
	struct buf clean, record;

	if (dup2(fd, CHILD_FD) != CHILD_FD)
		_exit(EXIT_SYSTEM);
	lock_child();
	buf_init(&clean, CLEAN_MAX_BYTES);
	buf_init(&record, RECORD_MAX_BYTES);
	if (filter_work(kind, raw, &clean, &record) != 0)
		_exit(EXIT_BUG);
	put_length(head, clean.len);
	put_length(head + 4, record.len);
	tell((struct span){(const char *)head, sizeof head});
	tell((struct span){clean.data, clean.len});
	tell((struct span){record.data, record.len});
	_exit(EXIT_DONE);
}

/* Both ends above the standard descriptors, whichever of those are open. */
static int
make_pipe(int fds[2])
{
	int raw[2];

	if (pipe(raw) != 0)
		return -ERR_SYSTEM;
	for (int i = 0; i < 2; i++)
		fds[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	(void)close(raw[0]);
	(void)close(raw[1]);
	if (fds[0] >= 0 && fds[1] >= 0 &&
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return -ERR_SYSTEM;
}

int
worker_start(struct span raw, const char *kind, struct worker *out)
{
	int fds[2];
	pid_t pid;

	if (make_pipe(fds) != 0)
		return -ERR_SYSTEM;
	pid = fork();
	if (pid == 0)
		child(fds[1], raw, kind);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return -ERR_SYSTEM;
	}
	*out = (struct worker){
	    .fd = fds[0],
	    .pid = pid,
	    .kind = kind,
	    .deadline_ms = clock_ms() + WORKER_DEADLINE_MS,
	};
	buf_init(&out->in, HEAD_BYTES + CLEAN_MAX_BYTES + RECORD_MAX_BYTES);
	buf_init(&out->clean, CLEAN_MAX_BYTES);
	buf_init(&out->record, RECORD_MAX_BYTES);
	return 0;
}

/* Whether `in` is exactly one head and what it announces. */
static bool
is_complete(const struct worker *w)
{
	size_t clean, record;

	if (w->in.len < HEAD_BYTES)
		return false;
	clean = get_length(w->in.data);
	record = get_length(w->in.data + 4);
	return clean <= CLEAN_MAX_BYTES && record <= RECORD_MAX_BYTES &&
	       w->in.len == HEAD_BYTES + clean + record;
}

int
worker_wait_ms(const struct worker *w)
{
	int64_t left = w->deadline_ms - clock_ms();

	return left <= 0 ? 0 : (int)left;
}

void
worker_kill(struct worker *w)
{
	if (worker_wait_ms(w) == 0)
		w->late = true;
	if (w->pid > 0)
		(void)kill(w->pid, SIGKILL);
}

enum worker_state
worker_read(struct worker *w)
{
	char piece[READ_BYTES];
	ssize_t n = 0;

	do {
		n = read(w->fd, piece, sizeof piece);
		if (n > 0 && buf_add(&w->in, piece, (size_t)n) != 0)
			return WORKER_FAILED;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		return is_complete(w) ? WORKER_READY : WORKER_FAILED;
	if (errno != EAGAIN)
		return WORKER_FAILED;
	if (worker_wait_ms(w) != 0)
		return WORKER_MORE;
	worker_kill(w);
	return WORKER_FAILED;
}

/* Its end. One that closed the pipe by ending has its status already, and
 * one that closed it and stays is ended here. */
static int
reap(struct worker *w)
{
	int status = 0;

	(void)kill(w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno("waitpid");
	w->pid = 0;
	return status;
}

/* What a worker wrote goes into an answer, which adds levels and values. */
static const struct json_limits inside = {
    .depth = JSON_MAX_DEPTH - 3, .nodes = JSON_MAX_NODES - 64};

/* Whether the text is a clean object; *failed_out: in its failure form. */
static bool
is_clean(struct span text, bool *failed_out)
{
	struct json_doc doc;
	struct clean_view view;
	bool valid;

	json_init(&doc);
	valid = json_parse(&doc, text, &inside, NULL) == 0 &&
		clean_check(&doc, json_root(&doc), &view, NULL) == 0;
	if (valid)
		*failed_out = view.error != 0;
	json_done(&doc);
	return valid;
}

static bool
is_object(struct span text)
{
	struct json_doc doc;
	bool valid;

	json_init(&doc);
	valid = json_parse(&doc, text, &inside, NULL) == 0 &&
		json_root(&doc)->type == JSON_OBJECT;
	json_done(&doc);
	return valid;
}

/* Take the results apart; false if they are not what they have to be. */
static bool
take_results(struct worker *w)
{
	struct span clean, record;

	if (!is_complete(w))
		return false;
	clean = (struct span){w->in.data + HEAD_BYTES, get_length(w->in.data)};
	record = (struct span){clean.p + clean.n, get_length(w->in.data + 4)};
	if (!is_clean(clean, &w->failed) || !is_object(record))
		return false;
	(void)buf_add(&w->clean, clean.p, clean.n);
	(void)buf_add(&w->record, record.p, record.n);
	return true;
}

static void
fail(struct worker *w, int status)
{
	char text[80] = "the worker's result was not valid";
	int error = ERR_FAILED;

	if (w->late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) {
		error = ERR_DEADLINE;
		(void)snprintf(text, sizeof text,
		    "the worker took too long and was ended");
	} else if (WIFSIGNALED(status)) {
		error = ERR_SYSTEM;
		(void)snprintf(text, sizeof text,
		    "the worker was ended by signal %d", WTERMSIG(status));
	} else if (WEXITSTATUS(status) != EXIT_DONE) {
		error = ERR_SYSTEM;
		(void)snprintf(text, sizeof text,
		    "the worker ended with status %d", WEXITSTATUS(status));
	}
	w->failed = true;
	filter_fail(w->kind, error, text, &w->clean, &w->record);
}

void
worker_finish(struct worker *w)
{
	int status = reap(w);

	(void)close(w->fd);
	w->fd = -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE ||
	    !take_results(w))
		fail(w, status);
	buf_free(&w->in);
}

void
worker_done(struct worker *w)
{
	buf_free(&w->clean);
	buf_free(&w->record);
}
