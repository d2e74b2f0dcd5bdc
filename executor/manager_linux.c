/*
 * systemd's way, which others speak too: sockets from descriptor 3 on, and
 * datagrams to the socket that NOTIFY_SOCKET names. The environment is whoever
 * started us, root's unit or a person: it is read strictly and believed in
 * nothing that manager_check can see. Runs in the parent.
 */
#include "executor/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

#define FIRST_SOCKET 3
#define NAME_BYTES 64
#define NAMES_BYTES (MANAGER_SOCKETS_MAX * NAME_BYTES)
#define STATUS_BYTES 1024
#define PLACE_BYTES 256
#define TELL_MS 1000
#define WATCHDOG_MOST_US (UINT64_C(86400) * 1000000)

/* Process-wide by nature: what this process was started with. */
static struct {
	size_t count; /* of sockets */
	char names[NAMES_BYTES];
	const char *name[MANAGER_SOCKETS_MAX]; /* NULL: taken */
	const char *fault;	 /* why none of them can be used */
	char place[PLACE_BYTES]; /* who wants to hear of us; "": nobody */
	bool place_long;
	int fd;			      /* to there; -1: none */
	int64_t watchdog_ms, next_ms; /* 0: nobody asks */
} given = {.fd = -1};

/* Copy a variable and remove it; false if there is none, or it is longer than
 * `room`, and then *long_out is set. */
static bool
take(const char *name, char *out, size_t room, bool *long_out)
{
	const char *value = getenv(name);
	size_t length = value == NULL ? 0 : strlen(value);
	bool fits = value != NULL && length < room;

	if (fits)
		memcpy(out, value, length + 1);
	else
		*out = '\0';
	*long_out = value != NULL && !fits;
	if (value != NULL)
		(void)unsetenv(name);
	return fits;
}

/* The whole text as a number of at most `most`, in digits alone. */
static bool
number_of(const char *text, uint64_t most, uint64_t *out)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || number > most / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	*out = number;
	return number <= most;
}

/* The variable as a number; false if it is none. */
static bool
take_number(const char *name, uint64_t most, uint64_t *out)
{
	char text[32];
	bool is_long;

	return take(name, text, sizeof text, &is_long) &&
	       number_of(text, most, out);
}

/* "a:b:c" into given.name; why that is not a name for each, or NULL. */
static const char *
split_names(size_t count)
{
	char *rest = given.names;

	for (size_t i = 0; i < count; i++) {
		given.name[i] = strsep(&rest, ":");
		if (given.name[i] == NULL || *given.name[i] == '\0')
			return "LISTEN_FDNAMES has not a name for each: "
			       "give each FileDescriptorName=";
		for (size_t j = 0; j < i; j++)
			if (strcmp(given.name[i], given.name[j]) == 0)
				return "two have the same name: give each its "
				       "own FileDescriptorName=";
	}
	return rest == NULL ? NULL
			    : "LISTEN_FDNAMES has more names than there "
			      "are sockets";
}

/* Sockets, of which LISTEN_PID has said that they are ours. */
static const char *
keep_sockets(uint64_t count)
{
	const char *fault = split_names((size_t)count);

	for (int i = 0; i < (int)count && fault == NULL; i++)
		if (fcntl(FIRST_SOCKET + i, F_SETFD, FD_CLOEXEC) != 0)
			fault = "fewer are open than LISTEN_FDS says";
	return fault;
}

static void
begin_sockets(bool serves)
{
	uint64_t pid = 0, count = 0;
	bool is_ours = take_number("LISTEN_PID", INT32_MAX, &pid) &&
		       (pid_t)pid == getpid() && serves;
	bool is_number = take_number("LISTEN_FDS", MANAGER_SOCKETS_MAX, &count);
	bool is_long;

	(void)take("LISTEN_FDNAMES", given.names, sizeof given.names, &is_long);
	(void)unsetenv("LISTEN_PIDFDID");
	if (!is_ours)
		return;
	if (!is_number)
		given.fault = "LISTEN_FDS is not a number of at most 64";
	else if (is_long)
		given.fault = "LISTEN_FDNAMES is too long";
	else if (count != 0)
		given.fault = keep_sockets(count);
	given.count = given.fault == NULL ? (size_t)count : 0;
}

static void
begin_notify(bool serves)
{
	uint64_t us = 0, pid = 0;
	bool asked = take_number("WATCHDOG_USEC", WATCHDOG_MOST_US, &us);
	bool has_pid = getenv("WATCHDOG_PID") != NULL;
	bool is_ours = !take_number("WATCHDOG_PID", INT32_MAX, &pid)
			   ? !has_pid
			   : (pid_t)pid == getpid();

	(void)take("NOTIFY_SOCKET", given.place, sizeof given.place,
	    &given.place_long);
	if (!serves) {
		given.place[0] = '\0';
		given.place_long = false;
	}
	/* twice as often as it has to be */
	if (serves && asked && is_ours && us != 0)
		given.watchdog_ms = us < 2000 ? 1 : (int64_t)(us / 2000);
}

int
manager_begin(bool serves)
{
	begin_sockets(serves);
	begin_notify(serves);
	return FIRST_SOCKET + (int)given.count;
}

static void
refuse_fault(void)
{
	if (given.fault != NULL)
		die(EXIT_CONFIG, "sockets that were handed over: %s",
		    given.fault);
}

int
manager_take(const char *name)
{
	refuse_fault();
	for (size_t i = 0; i < given.count; i++) {
		if (given.name[i] == NULL || strcmp(given.name[i], name) != 0)
			continue;
		given.name[i] = NULL;
		return FIRST_SOCKET + (int)i;
	}
	return -ERR_NOT_FOUND;
}

const char *
manager_left(void)
{
	refuse_fault();
	for (size_t i = 0; i < given.count; i++)
		if (given.name[i] != NULL)
			return given.name[i];
	return NULL;
}

/* Nobody hears of us, which a unit with Type=notify will not endure. */
static void
cannot_tell(const char *reason)
{
	log_event(LOG_WARN, "not-told",
	    "socket=%s reason=%s: the service manager does not hear of us; "
	    "mend NOTIFY_SOCKET, or use Type=exec",
	    given.place, reason);
	if (given.fd >= 0)
		close(given.fd);
	given.fd = -1;
}

/* An address with a path, or, behind '@', a name without. */
static bool
address_of(const char *place, struct sockaddr_un *out, socklen_t *length_out)
{
	size_t length = strlen(place);

	memset(out, 0, sizeof *out);
	out->sun_family = AF_UNIX;
	if ((place[0] != '/' && place[0] != '@') || length < 2 ||
	    length >= sizeof out->sun_path)
		return false;
	memcpy(out->sun_path, place, length);
	*length_out = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				  length + (place[0] == '/' ? 1 : 0));
	if (place[0] == '@')
		out->sun_path[0] = '\0';
	return true;
}

void
manager_open(void)
{
	struct sockaddr_un address;
	socklen_t length;

	if (given.place_long ||
	    (given.place[0] != '\0' &&
		!address_of(given.place, &address, &length))) {
		cannot_tell("neither a path nor a name behind @, of at most "
			    "107 bytes");
		return;
	}
	if (given.place[0] == '\0')
		return;
	given.fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (given.fd < 0 ||
	    connect(given.fd, (struct sockaddr *)&address, length) != 0)
		cannot_tell(strerror(errno));
	if (given.fd >= 0 && given.watchdog_ms != 0)
		given.next_ms = clock_ms() + given.watchdog_ms;
}

/* One datagram; who does not read gets a second. */
static void
send_text(const char *text, size_t length)
{
	struct pollfd wait = {.fd = given.fd, .events = POLLOUT};
	int64_t until = clock_ms() + TELL_MS, left;

	while (write(given.fd, text, length) < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			cannot_tell(strerror(errno));
			return;
		}
		left = until - clock_ms();
		if (left <= 0 ||
		    (poll(&wait, 1, (int)left) < 0 && errno != EINTR)) {
			log_event(LOG_WARN, "not-told",
			    "socket=%s reason=it does not read", given.place);
			return;
		}
	}
}

/* One line of printable ASCII. */
static void
make_inert(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

void
manager_tell(enum manager_word word, const char *format, ...)
{
	static const char *const words[] = {
	    [MANAGER_STATUS] = "",
	    [MANAGER_READY] = "READY=1\n",
	    [MANAGER_RELOADING] = "RELOADING=1\n",
	    [MANAGER_STOPPING] = "STOPPING=1\n",
	};
	char status[STATUS_BYTES], text[STATUS_BYTES + 100], since[48] = "";
	struct timespec now;
	va_list args;
	int length;

	if (given.fd < 0)
		return;
	va_start(args, format);
	(void)vsnprintf(status, sizeof status, format, args);
	va_end(args);
	make_inert(status);
	/* the manager tells by it an answer to its signal from an older one */
	if (word == MANAGER_RELOADING &&
	    clock_gettime(CLOCK_MONOTONIC, &now) == 0)
		(void)snprintf(since, sizeof since, "MONOTONIC_USEC=%lld\n",
		    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	length = snprintf(
	    text, sizeof text, "%s%sSTATUS=%s\n", words[word], since, status);
	send_text(text, (size_t)length);
}

int64_t
manager_deadline(void)
{
	return given.fd < 0 ? 0 : given.next_ms;
}

void
manager_tick(void)
{
	static const char text[] = "WATCHDOG=1\n";
	int64_t now = clock_ms();

	if (manager_deadline() == 0 || now < given.next_ms)
		return;
	given.next_ms = now + given.watchdog_ms;
	send_text(text, sizeof text - 1);
}
