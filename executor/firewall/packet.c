/*
 * Heads of packets. Pure; runs in the listener, on bytes of whoever is shut
 * in.
 */
#include "executor/firewall/packet.h"

#include <string.h>

#include "common/err.h"

#define EXTENSIONS_MAX 8 /* of IPv6; more is nothing anybody sends */

enum {
	HEAD_4 = 20,
	HEAD_6 = 40,
	PORTS = 4,
	FLAGS_AT = 13, /* in the head of TCP */
	NEXT_HOP_BY_HOP = 0,
	NEXT_ICMP = 1,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_ICMP6 = 58,
	NEXT_OPTIONS = 60
};

static unsigned
byte_at(struct span bytes, size_t at)
{
	return (unsigned char)bytes.p[at];
}

static unsigned
word_at(struct span bytes, size_t at)
{
	return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

const char *
packet_protocol_name(unsigned char protocol)
{
	switch (protocol) {
	case NEXT_TCP:
		return "tcp";
	case NEXT_UDP:
		return "udp";
	case NEXT_ICMP:
		return "icmp";
	case NEXT_ICMP6:
		return "icmp6";
	default:
		return NULL;
	}
}

static void
read_transport(struct span bytes, size_t at, struct packet *out)
{
	if (out->protocol != NEXT_TCP && out->protocol != NEXT_UDP)
		return;
	if (at > bytes.n || bytes.n - at < PORTS)
		return;
	out->has_port = true;
	out->port = (uint16_t)word_at(bytes, at + 2);
	if (out->protocol == NEXT_TCP && bytes.n - at > FLAGS_AT)
		out->flags = (unsigned char)byte_at(bytes, at + FLAGS_AT);
}

static void
put_address(struct packet *out, enum address_family family, const char *bytes,
    size_t count)
{
	out->to = (struct address){.family = (unsigned char)family};
	memcpy(out->to.bytes, bytes, count);
}

static int
parse_4(struct span bytes, struct packet *out)
{
	size_t head;

	if (bytes.n < HEAD_4)
		return -ERR_SYNTAX;
	head = (size_t)(byte_at(bytes, 0) & 15) * 4;
	if (head < HEAD_4 || head > bytes.n || word_at(bytes, 2) < head)
		return -ERR_SYNTAX;
	put_address(out, ADDRESS_4, bytes.p + 16, 4);
	out->protocol = (unsigned char)byte_at(bytes, 9);
	if ((word_at(bytes, 6) & 0x1fff) == 0) /* not a later fragment */
		read_transport(bytes, head, out);
	return 0;
}

/* Length of the extension `next` at `at`, or 0: it is none that we pass. */
static size_t
extension_length(struct span bytes, unsigned next, size_t at)
{
	if (at > bytes.n || bytes.n - at < 8)
		return 0;
	switch (next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_OPTIONS:
		return ((size_t)byte_at(bytes, at + 1) + 1) * 8;
	case NEXT_AUTHENTICATION:
		return ((size_t)byte_at(bytes, at + 1) + 2) * 4;
	case NEXT_FRAGMENT:
		return (word_at(bytes, at + 2) & 0xfff8) == 0 ? 8 : 0;
	default:
		return 0;
	}
}

static int
parse_6(struct span bytes, struct packet *out)
{
	size_t at = HEAD_6, length;
	unsigned next;

	if (bytes.n < HEAD_6)
		return -ERR_SYNTAX;
	put_address(out, ADDRESS_6, bytes.p + 24, 16);
	next = byte_at(bytes, 6);
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		length = extension_length(bytes, next, at);
		if (length == 0)
			break;
		next = byte_at(bytes, at);
		at += length;
	}
	out->protocol = (unsigned char)next;
	read_transport(bytes, at, out);
	return 0;
}

int
packet_parse(struct span bytes, struct packet *out)
{
	struct packet found = {.has_uid = out->has_uid, .uid = out->uid};
	int rc = -ERR_SYNTAX;

	if (bytes.n != 0 && byte_at(bytes, 0) >> 4 == 4)
		rc = parse_4(bytes, &found);
	else if (bytes.n != 0 && byte_at(bytes, 0) >> 4 == 6)
		rc = parse_6(bytes, &found);
	if (rc == 0)
		*out = found;
	return rc;
}
