/*
 * Addresses of IPv4 and IPv6, and which of them a name from the DNS may lead
 * to.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_ADDRESS_H
#define TRIZONE_EXECUTOR_FIREWALL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"

#define ADDRESS_TEXT_BYTES 46 /* the longest, and NUL: INET6_ADDRSTRLEN */
#define ADDRESS_RANGE_BYTES (ADDRESS_TEXT_BYTES + 4) /* "/128" */

enum address_family { ADDRESS_NONE, ADDRESS_4 = 4, ADDRESS_6 = 6 };

struct address {
	unsigned char family;	 /* enum address_family */
	unsigned char bytes[16]; /* network order; of IPv4 the first four, the
				    others 0 */
};

/* The addresses that have the first `bits` of it. */
struct address_range {
	struct address address; /* the bits behind `bits` are 0 */
	unsigned bits;
};

/* "192.0.2.1", "2001:db8::1": as inet_pton(3) reads them, no zone, no
 * brackets. False: it is none. */
bool address_parse(struct span text, struct address *out);
void address_format(const struct address *a, char out[ADDRESS_TEXT_BYTES]);
bool address_equal(const struct address *a, const struct address *b);

/* "10.0.0.0/8"; no bits may be set behind the prefix. */
bool address_range_parse(struct span text, struct address_range *out);
void address_range_format(
    const struct address_range *range, char out[ADDRESS_RANGE_BYTES]);
bool address_in_range(
    const struct address *a, const struct address_range *range);

/* NULL if it is an address of the public internet that one host has, else what
 * it is, in two words ("loopback", "link-local", "IPv4-mapped", ...): private,
 * shared, loopback, link-local, multicast, broadcast, unspecified,
 * documentation, benchmarking, reserved, IPv4-mapped and -compatible, NAT64,
 * 6to4, Teredo. IANA's registries of special-purpose addresses, RFC 6890. */
const char *address_special(const struct address *a);

#endif
