/*
 * Sockets that no rule by account sees, on Linux. Of those with a protocol
 * below them that the kernel itself speaks over TCP or UDP the packets belong
 * to nobody.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "executor/attempt.h"

/* By number: not every libc has them all. */
#define FAMILY_RDS 21
#define FAMILY_PPPOX 24
#define FAMILY_TIPC 30
#define FAMILY_RXRPC 33
#define FAMILY_SMC 43
#define PROTOCOL_SMC 256

#define NO_MODULE(name)                                                        \
	"let the kernel not load it: echo install " name                       \
	" /bin/false > /etc/modprobe.d/" name ".conf; or start the account's " \
	"program through trizone-agent@.service"

static const struct attempt_socket sockets[] = {
    {"raw socket", AF_INET, SOCK_RAW, IPPROTO_UDP,
	"take CAP_NET_RAW from the account's programs"},
    {"raw socket of IPv6", AF_INET6, SOCK_RAW, IPPROTO_UDP,
	"take CAP_NET_RAW from the account's programs"},
    {"packet socket", AF_PACKET, SOCK_RAW, 0,
	"take CAP_NET_RAW from the account's programs"},
    {"SMC socket", FAMILY_SMC, SOCK_STREAM, 0, NO_MODULE("smc")},
    {"SMC by TCP's family", AF_INET, SOCK_STREAM, PROTOCOL_SMC,
	NO_MODULE("smc")},
    {"RxRPC socket", FAMILY_RXRPC, SOCK_DGRAM, AF_INET, NO_MODULE("rxrpc")},
    {"RDS socket", FAMILY_RDS, SOCK_SEQPACKET, 0, NO_MODULE("rds")},
    {"TIPC socket", FAMILY_TIPC, SOCK_DGRAM, 0, NO_MODULE("tipc")},
    /* what is queued when they are closed has no owner, nor has the answer to
     * who calls */
    {"SCTP socket", AF_INET, SOCK_STREAM, IPPROTO_SCTP, NO_MODULE("sctp")},
    {"DCCP socket", AF_INET, SOCK_DCCP, IPPROTO_DCCP, NO_MODULE("dccp")},
    /* frames below IP */
    {"PPPoE socket", FAMILY_PPPOX, SOCK_STREAM, 0, NO_MODULE("pppoe")},
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
	return true;
}

bool
attempt_refuses_echo(void)
{
	return true;
}
