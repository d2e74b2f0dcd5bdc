/*
 * Addresses of links: made plain, and whether they may be listed.
 */
#ifndef TRIZONE_READER_HTML_URL_H
#define TRIZONE_READER_HTML_URL_H

#include "common/buf.h"
#include "common/text.h"

enum url_kind {
	URL_NONE,     /* empty, or a place in the same page */
	URL_PLAIN,    /* may be listed */
	URL_DANGEROUS /* runs a program or carries its own contents */
};

/* Read `raw` (a decoded attribute) as browsers do: no blanks or control
 * characters at the ends, no tabs or line ends anywhere (WHATWG URL, 4.4). If
 * it may be listed, adds it to `out` with everything percent-encoded that
 * leaves no ink or could end or fake the marks around it. An overflow shows as
 * out->overflow. */
enum url_kind url_plain(struct span raw, struct buf *out);

#endif
