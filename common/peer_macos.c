/*
 * Peer credentials, macOS: getpeereid(3), LOCAL_PEERPID of sys/un.h.
 */
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/peer.h"

int
peer_get(int fd, struct peer *peer_out)
{
	uid_t uid;
	gid_t gid;
	pid_t pid = 0;
	socklen_t length = sizeof pid;

	if (getpeereid(fd, &uid, &gid) != 0)
		return -ERR_PEER;
	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &length) != 0)
		pid = 0;
	*peer_out = (struct peer){uid, gid, pid};
	return 0;
}
