/*
 * URIs (RFC 3986): their parts, their grammar, and what a reference means
 * beside a base.
 */
#ifndef TRIZONE_EXECUTOR_URI_H
#define TRIZONE_EXECUTOR_URI_H

#include <stdbool.h>

#include "common/text.h"

/* The parts of a URI or a reference, without their delimiters; views into it.
 * One that is not there has p == NULL, one that is empty has not. The path is
 * always there. */
struct uri {
	struct span scheme, authority, path, query, fragment;
};

/* Take `text` apart as RFC 3986 appendix B does; checks nothing. */
struct uri uri_split(struct span text);

/* Whether `text` is a URI, with a scheme and nothing but the characters that
 * its grammar has. Linear. */
bool uri_check(struct span text);

/* Append to `out` what `reference` means beside `base` (section 5.2.2);
 * beside a base without a scheme that is mostly the reference itself.
 * -ERR_TOO_LARGE if it does not fit. */
int uri_resolve(struct buf *out, struct span base, struct span reference);

/* Append `text` with its %XX decoded. -ERR_SYNTAX if a % is no such thing. */
int uri_decode(struct buf *out, struct span text);

#endif
