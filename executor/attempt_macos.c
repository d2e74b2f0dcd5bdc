/*
 * Sockets that no rule by account sees, on macOS: pf knows the owner of TCP and
 * UDP alone. Names are looked up by mDNSResponder, not by a guard of ours.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "executor/attempt.h"

static const struct attempt_socket sockets[] = {
    {"raw socket", AF_INET, SOCK_RAW, IPPROTO_UDP,
	"take root from the account"},
    {"raw socket of IPv6", AF_INET6, SOCK_RAW, IPPROTO_UDP,
	"take root from the account"},
};

const struct attempt_socket *
attempt_sockets(size_t *count_out)
{
	*count_out = sizeof sockets / sizeof sockets[0];
	return sockets;
}

bool
attempt_has_guard(void)
{
	return false;
}

bool
attempt_refuses_echo(void)
{
	return false;
}
