/*
 * The first look at a raw mail: one linear pass over its lines that copies it
 * with every header section, the number of parts and the nesting bounded, so
 * that the MIME parser behind it never meets a bomb. It also notes what two
 * mail programs could read differently (a second From, NUL, bare CR).
 */
#ifndef TRIZONE_READER_SCAN_H
#define TRIZONE_READER_SCAN_H

#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"
#include "reader/record.h"

struct scan {
	struct buf mail;     /* the bounded copy */
	uint64_t findings;   /* FINDING_BIT */
	uint64_t parts;	     /* boundary lines that open a part */
	uint64_t parts_kept; /* of those, in the copy */
	bool cut;	     /* the copy ends before the mail does */
	uint64_t headers;    /* bytes in header sections that were cut */
	uint64_t headers_kept;
};

/* Always succeeds. `notes` gets the odd lines. Free with scan_done. */
void scan_mail(struct span raw, struct record *notes, struct scan *out);
void scan_done(struct scan *s);

#endif
