/*
 * The formats that schemas assert (`format`), each by its RFC: email (the
 * addr-spec of RFC 5321 and 5322 without comments), uri (RFC 3986), hostname
 * (RFC 1123, with the A-labels of RFC 5891), idn-hostname (RFC 5890 to 5893),
 * ipv4 and ipv6 (RFC 2673 and 4291), date-time and date (RFC 3339, leap
 * seconds included), uuid (RFC 4122), json-pointer (RFC 6901).
 *
 * All pure, without allocation; a text is valid UTF-8 and may be hostile.
 */
#ifndef TRIZONE_EXECUTOR_FORMAT_H
#define TRIZONE_EXECUTOR_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

#define FORMAT_NAMES                                                           \
	"email, uri, hostname, idn-hostname, ipv4, ipv6, date-time, date, "    \
	"uuid, json-pointer"

struct format {
	const char *name;
	bool (*check)(struct span text);
	bool of_names; /* may have labels of IDNA, which take more work */
};

/* The format of that name, or NULL. */
const struct format *format_find(struct span name);

/* Work of one check, at most; see SCHEMA_MAX_WORK in schema.h. */
uint64_t format_work(const struct format *format, struct span text);

/* Single formats that others are made of. */
bool format_ipv4(struct span text);
bool format_ipv6(struct span text);
bool format_hostname(struct span text);

/* Its place in the table, from 0. */
size_t format_number(const struct format *format);

#endif
