/*
 * Operator log on standard error; one write(2) a line, so that lines of
 * several processes do not mix.
 */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

/* Process-wide by nature: one standard error, one role. */
static const char *current_role = "main";
static enum log_level current_level = LOG_INFO;
static unsigned lost; /* lines nobody took since the last one */

void
log_role(const char *role)
{
	current_role = role;
}

void
log_set_level(enum log_level level)
{
	current_level = level;
}

static size_t
put_inert(char *out, size_t room, const char *text)
{
	size_t used = 0;

	for (; *text != '\0' && used + 5 < room; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f && c != '\\')
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(
			    out + used, room - used, "\\x%02x", c);
	}
	return used;
}

void
log_event(enum log_level level, const char *event, const char *format, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char line[LINE_BYTES], text[LINE_BYTES / 2], stamp[32];
	struct timespec now;
	struct tm tm;
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	int saved_errno = errno;
	int head;
	size_t used;
	va_list ap;

	if (level > current_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	head = snprintf(line, sizeof line,
	    "ev=%s t=%s.%03ldZ level=%s role=%s pid=%ld ", event, stamp,
	    now.tv_nsec / 1000000, names[level], current_role, (long)getpid());
	if (lost != 0)
		head += snprintf(
		    line + head, sizeof line - (size_t)head, "lost=%u ", lost);
	used = (size_t)head;
	used += put_inert(line + used, sizeof line - used - 1, text);
	line[used++] = '\n';
	/* who does not read our log must not be able to stop us */
	if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0 ||
	    write(STDERR_FILENO, line, used) < 0)
		lost++;
	else
		lost = 0;
	errno = saved_errno;
}
