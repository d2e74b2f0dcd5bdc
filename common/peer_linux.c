/*
 * Peer credentials, Linux: SO_PEERCRED, unix(7).
 */
#include <sys/socket.h>

#include "common/err.h"
#include "common/peer.h"

int
peer_get(int fd, struct peer *peer_out)
{
	struct ucred cred;
	socklen_t length = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) != 0 ||
	    length != sizeof cred)
		return -ERR_PEER;
	*peer_out = (struct peer){cred.uid, cred.gid, cred.pid};
	return 0;
}
