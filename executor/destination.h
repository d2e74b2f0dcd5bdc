/*
 * Where a call goes, as a record and a report say it: one line of printable
 * ASCII, bounded, the same for the same place. Pure.
 *
 * Each argument with the role of a destination is one (limit.h counts by the
 * same), in its canonical form (value.h); a URL without user, query and
 * fragment, which may hold anything. A call that has none goes where the
 * settings say: a file that it writes, the folder it
 * reads in, a server. They are set apart by a space; in them each
 * byte that is no printable ASCII stands as %XX, and so do space, quote,
 * backslash, asterisk and, outside of URLs, percent.
 */
#ifndef TRIZONE_EXECUTOR_DESTINATION_H
#define TRIZONE_EXECUTOR_DESTINATION_H

#include "common/json.h"
#include "common/text.h"
#include "executor/order.h"

struct capability; /* executor/policy.h */

/* How much of it the policy lets be on record. An asterisk stands for what is
 * not: "*@example.org", "example.org/" with one behind it, or nothing else. */
enum destination_kept {
	DESTINATION_WHOLE,
	DESTINATION_DOMAIN, /* of an address, the host of a URL */
	DESTINATION_NONE,
	DESTINATION_KEPT_COUNT
};

/* "whole"; and back, DESTINATION_KEPT_COUNT if there is none. */
const char *destination_kept_name(enum destination_kept kept);
enum destination_kept destination_kept_find(struct span name);

/* NUL-terminated; more than `full` has room for: those that fit, the first in
 * any case, and `full` is the length of all. */
struct destination {
	char text[ENTRY_DESTINATION_MAX + 1];
	uint32_t full;
};

/* Of "example.org:443" or "[::1]:443" the host, and the port, which is empty
 * if there is none. Of what has none all of it is the host. */
struct span destination_host(struct span text, struct span *port_out);

/* `arguments` may be anything; what is no object names nothing. */
void destination_of(const struct capability *capability,
    const struct json_doc *doc, const struct json_node *arguments,
    struct destination *out);

#endif
