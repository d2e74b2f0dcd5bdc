/*
 * There are no guards on macOS: accounts ask mDNSResponder, and so does the
 * resolver.
 */
#include "executor/firewall/guard_path.h"

ssize_t
guard_receive(
    int fd, unsigned char *bytes, size_t room, struct guard_path *path)
{
	(void)fd;
	(void)bytes;
	(void)room;
	(void)path;
	return -1;
}

void
guard_send(int fd, const unsigned char *bytes, size_t count,
    const struct guard_path *path)
{
	(void)fd;
	(void)bytes;
	(void)count;
	(void)path;
}
