/*
 * Probes of macOS: what Seatbelt and the user must refuse. Runs in every role
 * at its start, in the process itself and not in a child: a profile that lets
 * it fork for this would let it fork for good. A socket may be made; it is of
 * no use, and that is what is tried. Of a way out that went through we end.
 */
#include "common/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"

#define PORT 9 /* discard: if it came to that, nothing is said to anybody */

static struct sockaddr_in
loopback(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(PORT),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int
try_root(void)
{
	return setuid(0);
}

/* What `use` makes of a new socket, if there is one. */
static int
on_socket(int domain, int type, int (*use)(int fd))
{
	int fd = socket(domain, type, 0), result, saved_errno;

	if (fd < 0)
		return fd;
	result = use(fd);
	saved_errno = errno;
	(void)close(fd);
	errno = saved_errno;
	return result;
}

static int
use_tcp(int fd)
{
	const struct sockaddr_in to = loopback();

	return connect(fd, (const struct sockaddr *)&to, sizeof to);
}

static int
try_tcp(void)
{
	return on_socket(AF_INET, SOCK_STREAM, use_tcp);
}

static int
use_udp(int fd)
{
	const struct sockaddr_in to = loopback();

	return (int)sendto(
	    fd, "", 0, 0, (const struct sockaddr *)&to, sizeof to);
}

static int
try_udp(void)
{
	return on_socket(AF_INET, SOCK_DGRAM, use_udp);
}

static int
use_listen(int fd)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6};

	return bind(fd, (const struct sockaddr *)&any, sizeof any);
}

static int
try_listen(void)
{
	return on_socket(AF_INET6, SOCK_STREAM, use_listen);
}

/* A question to it leaves the machine, whatever the packet filter says. */
static int
use_names(int fd)
{
	const struct sockaddr_un resolver = {.sun_family = AF_UNIX,
	    .sun_path = "/private/var/run/mDNSResponder"};

	return connect(fd, (const struct sockaddr *)&resolver, sizeof resolver);
}

static int
try_names(void)
{
	return on_socket(AF_UNIX, SOCK_STREAM, use_names);
}

static int
try_make(void)
{
	return open("/private/tmp/trizone-probe",
	    O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
}

static int
try_read(void)
{
	return open("/private/etc/passwd", O_RDONLY);
}

static int
try_signal(void)
{
	return kill(getppid(), 0);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return pid < 0 ? -1 : 0;
}

/* The program ends with status 1, and that is then our end. */
static int
try_exec(void)
{
	static char name[] = "/usr/bin/false";
	char *const argv[] = {name, NULL}, *const nothing[] = {NULL};

	return execve(name, argv, nothing);
}

static const struct {
	const char *name;
	uint32_t unless;
	int (*run)(void);
} probes[] = {
    {"become root", LOCK_KEEPS, try_root},
    {"connect by TCP", 0, try_tcp},
    {"send by UDP", 0, try_udp},
    {"listen", 0, try_listen},
    {"ask for names", LOCK_TALKS, try_names},
    {"make a file", 0, try_make},
    {"read a file", 0, try_read},
    {"signal others", LOCK_KEEPS, try_signal},
    {"start a process", LOCK_KEEPS | LOCK_FORKS, try_fork},
    {"execute", 0, try_exec},
};

uint32_t
probe_run(const struct lock_profile *profile)
{
	uint32_t tried = 0;

	for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
		if ((probes[i].unless & profile->flags) != 0)
			continue;
		errno = 0;
		if (probes[i].run() >= 0 || (errno != EPERM && errno != EACCES))
			die(EXIT_SYSTEM, "%s can %s, and must not",
			    profile->role, probes[i].name);
		tried++;
	}
	return tried;
}
