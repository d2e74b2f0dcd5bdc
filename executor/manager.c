/*
 * What was handed over is looked at before it is used: a socket of another
 * place or owner would let others in than the configuration says. Runs in the
 * parent.
 */
#include "executor/manager.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"

/* A number that the kernel tells of a socket; -1 if there is none. */
static int
option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value
								      : -1;
}

/* The path it is bound to; false if it is not a Unix socket with one. */
static bool
path_of(int fd, char *out, size_t room)
{
	struct sockaddr_un address;
	socklen_t length = sizeof address;
	size_t n;

	memset(&address, 0, sizeof address);
	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
	    address.sun_family != AF_UNIX ||
	    length <= offsetof(struct sockaddr_un, sun_path))
		return false;
	n = strnlen(address.sun_path, sizeof address.sun_path);
	if (n == 0 || n >= room)
		return false;
	memcpy(out, address.sun_path, n);
	out[n] = '\0';
	return true;
}

static const char *
fault_of_socket(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode))
		return "it is no socket";
	if (option(fd, SO_TYPE) != SOCK_STREAM)
		return "it is not for streams (ListenStream=, SockType stream)";
	if (option(fd, SO_ACCEPTCONN) != 1)
		return "nobody listens on it (Accept=no, SockPassive true)";
	return NULL;
}

static int
check_owner(const char *path, gid_t group, char *reason, size_t room)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		snprintf(
		    reason, room, "there is no socket at %s any more", path);
	else if (st.st_uid != geteuid())
		snprintf(reason, room, "%s belongs to user %lu, not to %lu",
		    path, (unsigned long)st.st_uid, (unsigned long)geteuid());
	else if ((st.st_mode & 0777 & ~0660u) != 0)
		snprintf(reason, room, "%s has mode %o, more than 660", path,
		    (unsigned)(st.st_mode & 0777));
	else if (geteuid() == 0 && st.st_gid != 0 && st.st_gid != group)
		snprintf(reason, room, "%s has group %lu, neither %lu nor 0",
		    path, (unsigned long)st.st_gid, (unsigned long)group);
	else
		return 0;
	return -ERR_CONFIG;
}

int
manager_check(int fd, const char *path, gid_t group, char *reason, size_t room)
{
	char bound[sizeof(struct sockaddr_un)];
	const char *fault = fault_of_socket(fd);

	if (fault == NULL && !path_of(fd, bound, sizeof bound))
		fault = "it is not a Unix socket with a path";
	if (fault != NULL) {
		snprintf(reason, room, "%s", fault);
		return -ERR_CONFIG;
	}
	if (strcmp(bound, path) != 0) {
		snprintf(reason, room, "it is at %s, not at %s", bound, path);
		return -ERR_CONFIG;
	}
	return check_owner(path, group, reason, room);
}
