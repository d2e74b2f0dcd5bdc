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

/* Whether an address that may be listed (what url_plain made) is shown in the
 * text, and what of it: all of http and https, the mailbox of mailto. */
bool url_shown(struct span url, struct span *shown_out);

/* Whether an address may lead to something in the mail itself, such as data:
 * and cid: do, which is loaded without the network. */
bool url_is_inside(struct span url);

#endif
