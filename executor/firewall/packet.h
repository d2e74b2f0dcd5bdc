/*
 * The heads of a packet that was refused: where it was to go. Whoever is shut
 * in writes these bytes, by a raw socket even all of them.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_PACKET_H
#define TRIZONE_EXECUTOR_FIREWALL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"
#include "executor/firewall/address.h"

enum packet_tcp { PACKET_SYN = 2, PACKET_RST = 4, PACKET_ACK = 16 };

struct packet {
	bool has_uid;
	uint32_t uid; /* whose socket it came from */
	struct address to;
	unsigned char protocol; /* of IP, behind the extensions of IPv6 */
	bool has_port;		/* not of later fragments and other protocols */
	uint16_t port;		/* host order */
	unsigned char flags;	/* of TCP, where it has a port */
};

/* Read the head of IPv4 or IPv6, and of TCP and UDP as far as `bytes` has
 * it; uid is as it was. Pure. 0, or -ERR_SYNTAX: no such head. */
int packet_parse(struct span bytes, struct packet *out);

/* "tcp", "udp", "icmp", "icmp6", or NULL. */
const char *packet_protocol_name(unsigned char protocol);

#endif
