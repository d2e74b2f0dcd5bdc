/*
 * Opening and listening on channels' ends. Runs in the programs of all zones;
 * only the executor's parent listens.
 */
#include "proto/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/serial.h"

#define PORT_MS 60000 /* until somebody is at the other end of a port */

static int
socket_new(const char *path, struct sockaddr_un *address_out)
{
	size_t length = strlen(path);
	int fd;

	if (length == 0 || length >= SOCKET_PATH_BYTES ||
	    length >= sizeof address_out->sun_path)
		return -ERR_PATH;
	memset(address_out, 0, sizeof *address_out);
	address_out->sun_family = AF_UNIX;
	memcpy(address_out->sun_path, path, length + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return -ERR_SYSTEM;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		close(fd);
		return -ERR_SYSTEM;
	}
	return fd;
}

int
endpoint_connect(const char *path)
{
	struct sockaddr_un address;
	int fd = socket_new(path, &address);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int error = errno == EACCES || errno == EPERM
				? -ERR_PEER
				: -ERR_UNAVAILABLE;

		close(fd);
		return error;
	}
	return fd;
}

int
endpoint_open(const char *spec, int *fd_in_out, int *fd_out_out)
{
	int fd;

	if (strcmp(spec, "stdio") == 0) {
		*fd_in_out = STDIN_FILENO;
		*fd_out_out = STDOUT_FILENO;
		return 0;
	}
	if (strncmp(spec, "unix:", 5) == 0)
		fd = endpoint_connect(spec + 5);
	else if (strncmp(spec, "serial:", 7) == 0)
		fd = serial_open(spec + 7, PORT_MS);
	else
		return -ERR_RANGE;
	if (fd < 0)
		return fd;
	*fd_in_out = fd;
	*fd_out_out = fd;
	return 0;
}

/* Remove a socket nobody listens on any more. */
static int
remove_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -ERR_SYSTEM;
	if (!S_ISSOCK(st.st_mode))
		return -ERR_WRONG_STATE;
	fd = endpoint_connect(path);
	if (fd >= 0) {
		close(fd);
		return -ERR_BUSY;
	}
	return unlink(path) == 0 ? 0 : -ERR_SYSTEM;
}

int
endpoint_listen(const char *path, unsigned mode, int backlog)
{
	struct sockaddr_un address;
	int fd = socket_new(path, &address), rc;
	mode_t old_mask;

	if (fd < 0)
		return fd;
	rc = remove_stale(path);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	old_mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(old_mask);
	if (rc != 0 || chmod(path, (mode_t)mode) != 0 ||
	    listen(fd, backlog) != 0) {
		close(fd);
		return -ERR_SYSTEM;
	}
	return fd;
}
