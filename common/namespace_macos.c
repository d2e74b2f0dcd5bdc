/*
 * macOS has no namespaces.
 */
#include "common/namespace.h"

#include <stdio.h>

#include "common/err.h"

int
namespace_leave(uint32_t wanted, uint32_t *own_out, char *reason, size_t room)
{
	(void)wanted;
	*own_out = 0;
	(void)snprintf(reason, room, "this system has no namespaces");
	return -ERR_UNAVAILABLE;
}

int
namespace_root(
    const struct lock_path *paths, size_t count, char *reason, size_t room)
{
	(void)paths;
	(void)count;
	(void)snprintf(reason, room, "this system has no namespaces");
	return -ERR_UNAVAILABLE;
}
