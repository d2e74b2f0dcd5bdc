/*
 * Questions that an account sends to its DNS guard, and the answers: one
 * question for the address of a name, nothing else of the DNS. Pure.
 *
 * Sources: RFC 1035 section 4.1, RFC 2181 section 11, RFC 6891 (OPT), RFC 8482
 * (a question for all types).
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_GUARD_MESSAGE_H
#define TRIZONE_EXECUTOR_FIREWALL_GUARD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/firewall/address.h"
#include "executor/firewall/model.h"

#define GUARD_QUERY_BYTES 1024u /* longest that is read; a usual one has 60 */
#define GUARD_UDP_BYTES 1232u	/* longest answer by UDP: no fragments */
#define GUARD_QUESTION_BYTES (255u + 4u) /* name, type, class */

enum guard_type { GUARD_A = 1, GUARD_AAAA = 28 };

/* Codes of answers; BADVERS is one of RFC 6891. */
enum guard_code {
	GUARD_NOERROR = 0,
	GUARD_FORMERR = 1,
	GUARD_SERVFAIL = 2,
	GUARD_NXDOMAIN = 3,
	GUARD_NOTIMP = 4,
	GUARD_REFUSED = 5,
	GUARD_BADVERS = 16
};

struct guard_query {
	uint16_t id;
	unsigned char opcode;
	bool recursion, unchecked; /* RD and CD, given back */
	bool edns;
	uint16_t room; /* bytes that its sender takes by UDP, from OPT */
	uint16_t type;
	/* as it came, upper and lower case as in it; 0 bytes if it is broken */
	unsigned char question[GUARD_QUESTION_BYTES];
	size_t question_bytes;
	/* lower case, no dot at its end. Other bytes than printable ASCII, and
	 * dots inside of labels, are '?', and then `odd` is set: it is no
	 * name of a host then. */
	char name[MODEL_HOST_BYTES];
	bool odd;
};

/* Read a message of `count` bytes. GUARD_NOERROR: a question that can be
 * answered. Another code: to be answered with that, `out` has what
 * guard_write needs. -1: not to be answered at all (it is cut before its end
 * of the header, or an answer itself). */
int guard_parse(
    const unsigned char *bytes, size_t count, struct guard_query *out);

struct guard_answer {
	enum guard_code code;
	uint32_t ttl_s;
	const struct address *addresses; /* of the family that was asked for */
	size_t count;
};

/* Write the answer into `out`, which has GUARD_UDP_BYTES; returns its length.
 * What does not fit in a datagram of its sender is left out, and TC says so;
 * by TCP all of LINK_ADDRESSES_MAX fits. */
size_t guard_write(const struct guard_query *query,
    const struct guard_answer *answer, bool tcp, unsigned char *out);

#endif
