/*
 * Peer credentials, macOS: getpeereid(3).
 */
#include <sys/types.h>
#include <unistd.h>

#include "common/err.h"
#include "common/peer.h"

int
peer_get(int fd, struct peer *peer_out)
{
	uid_t uid;
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) != 0)
		return -ERR_PEER;
	*peer_out = (struct peer){uid, gid};
	return 0;
}
