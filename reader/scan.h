/*
 * The first look at a raw mail: one linear pass over its lines that bounds
 * every header section, the number of parts and the nesting, so that the MIME
 * parser behind it never meets a bomb. It also notes what two mail programs
 * could read differently (a second From, NUL, bare CR).
 *
 * A line in a header section that is no field is not lost: it goes to `stray`,
 * and the mail's own header is kept without it. Where no blank line ends the
 * section, all from the first such line on goes there.
 *
 * A mail whose first line ends in a bare CR is read as one whose lines all do,
 * as programs with universal line ends read it; to the MIME parser it would be
 * one field. In other mails a bare CR ends no line, but what stands behind one
 * in a header goes to `stray` too.
 *
 * A mail that needs no bounding is not copied. Multiparts deeper than
 * MAIL_DEPTH lose their own header and boundary: their parts become parts of
 * the deepest one that is kept.
 */
#ifndef TRIZONE_READER_SCAN_H
#define TRIZONE_READER_SCAN_H

#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"
#include "reader/record.h"

struct scan {
	struct span mail;    /* the bounded mail: the raw one, or `own` */
	struct buf own;	     /* not empty if something was left out */
	struct buf ends;     /* the raw mail with LF for bare CR, or empty */
	struct buf stray;    /* lines of header sections that are no fields */
	uint64_t findings;   /* FINDING_BIT */
	uint64_t parts;	     /* boundary lines that open a part */
	uint64_t parts_kept; /* of those, kept or dissolved */
	bool cut;	     /* the kept mail ends before the raw one does */
	uint64_t headers;    /* bytes in header sections that were cut */
	uint64_t headers_kept;
};

/* Always succeeds. `notes` gets the odd lines. `raw` is borrowed until
 * scan_done. */
void scan_mail(struct span raw, struct record *notes, struct scan *out);
void scan_done(struct scan *s);

#endif
