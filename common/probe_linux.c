/*
 * Probes of Linux, by raw system calls: what the C library adds is not what
 * is tried. The child exits with the number of the first try that went
 * through.
 */
#include "common/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/err.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

#define NOWHERE "/trizone-probe"
#define ARG(pointer) ((long)(uintptr_t)(pointer))

static const char abstract[16] = {AF_UNIX, 0, 0, 'x'};
static char *const shell[] = {NULL};

static const struct {
	const char *name;
	long number;
	long a[6];
	uint32_t unless; /* flags of roles that may */
} probes[] = {
    {"become root", SYS_setuid, {0}, LOCK_KEEPS},
    {"become root for good", SYS_setresuid, {0, 0, 0}, LOCK_KEEPS},
    {"join the group of root", SYS_setgid, {0}, LOCK_KEEPS},
    {"open a TCP socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}, 0},
    {"open a UDP socket", SYS_socket, {AF_INET, SOCK_DGRAM, 0},
	LOCK_TALKS | LOCK_RULES},
    {"open an IPv6 socket", SYS_socket, {AF_INET6, SOCK_STREAM, 0}, 0},
    {"open a netlink socket", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, 0},
    {"open a packet socket", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, 0},
    {"open a vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, 0},
    {"open a Unix socket", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, LOCK_KEEPS},
    {"connect", SYS_connect, {2, ARG(abstract), sizeof abstract}, LOCK_KEEPS},
    {"bind", SYS_bind, {2, ARG(abstract), sizeof abstract}, LOCK_KEEPS},
    {"take descriptors", SYS_recvmsg, {2, 0, 0}, LOCK_TALKS | LOCK_RULES},
    {"make a file", SYS_openat,
	{AT_FDCWD, ARG(NOWHERE), O_CREAT | O_WRONLY, 0600}, LOCK_KEEPS},
    {"execute", SYS_execve, {ARG("/bin/sh"), ARG(shell), ARG(shell)},
	LOCK_KEEPS},
    {"get a user namespace", SYS_unshare, {CLONE_NEWUSER}, LOCK_KEEPS},
    {"mount", SYS_mount, {ARG("none"), ARG("/"), ARG("tmpfs"), 0, 0},
	LOCK_KEEPS},
    {"change the root", SYS_chroot, {ARG("/")}, 0},
    {"signal others", SYS_kill, {1, 0}, LOCK_KEEPS | LOCK_FORKS},
    {"be traced", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0, 0}, LOCK_KEEPS},
    {"map code", SYS_mmap,
	{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0},
	LOCK_KEEPS},
    {"set up io_uring", SYS_io_uring_setup, {1, 0}, 0},
};

#define PROBES (sizeof probes / sizeof probes[0])

/* Whether it was refused. In a userns of our own there is no user 0 to
 * become, which is EINVAL. */
static bool
try(size_t i)
{
	const long *a = probes[i].a;
	long rc;

	call_list_trapped(); /* forget an earlier one */
	errno = 0;
	rc = syscall(probes[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (call_list_trapped())
		return true;
	if (rc != -1)
		return false;
	if (errno == EINVAL)
		return probes[i].number == SYS_setuid ||
		       probes[i].number == SYS_setresuid ||
		       probes[i].number == SYS_setgid;
	return errno == EPERM || errno == EACCES || errno == EROFS;
}

/* In a child: the probes from..to-1, as far as the role has to fail them. */
static int
run(const struct lock_profile *profile, size_t from, size_t to)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		die_errno("fork");
	for (size_t i = from; pid == 0 && i < to; i++)
		if ((probes[i].unless & profile->flags) == 0 && !try(i))
			_exit((int)i + 1);
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
	    WEXITSTATUS(status) <= (int)PROBES)
		die(EXIT_SYSTEM, "%s can %s, and must not", profile->role,
		    probes[WEXITSTATUS(status) - 1].name);
	return status;
}

uint32_t
probe_run(const struct lock_profile *profile)
{
	uint32_t tried = 0;
	int status;

	for (size_t i = 0; i < PROBES; i++)
		tried += (probes[i].unless & profile->flags) == 0;
	call_list_probing(true);
	status = run(profile, 0, PROBES - 1);
	if (status != 0)
		die(EXIT_SYSTEM, "the probes of %s ended with %d",
		    profile->role, status);
	/* the last one kills who tries it */
	status = run(profile, PROBES - 1, PROBES);
	call_list_probing(false);
	if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS))
		die(EXIT_SYSTEM, "the last probe of %s ended with %d",
		    profile->role, status);
	return tried;
}
