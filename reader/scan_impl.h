/*
 * State of the first look at a mail, for scan.c and scan_header.c only.
 */
#ifndef TRIZONE_READER_SCAN_IMPL_H
#define TRIZONE_READER_SCAN_IMPL_H

#include <stdbool.h>

#include "reader/scan.h"

/* An open multipart. */
struct level {
	struct span boundary;
	bool digest; /* its parts are mails if they do not say another type */
};

struct scanner {
	struct scan *out;
	struct record *notes;
	struct level *levels; /* open multiparts, innermost last */
	size_t depth, cap;
	uint64_t tries;	   /* comparisons with boundaries so far */
	bool any_boundary; /* one could not be read: every "--" line counts */
	bool stopped;	   /* the copy ends here */
	bool edited;	   /* out->own is in use */
	size_t raw_bytes;

	/* the part we are in */
	size_t part_start; /* where its boundary line is in the copy */
	size_t dissolved;  /* multiparts */
	bool skipping;	   /* around the parts of a dissolved multipart */
	bool blank_before; /* the line before was empty */
	bool crlf, lf;	   /* line ends seen */

	/* the header section we are in */
	bool in_header;
	bool top;	 /* it is the mail's own */
	bool is_message; /* its content is a message, with a header again */
	bool is_multipart, is_digest;
	bool in_digest, typed; /* a part of one; Content-Type was there */
	bool in_type;	       /* the field is Content-Type */
	bool in_encoding;      /* the field is Content-Transfer-Encoding */
	bool coded;	       /* its content has to be decoded first */
	unsigned encodings;    /* values of such fields */
	bool field_cut;
	bool in_stray; /* the line is no field, or goes on such a one */
	const char *stray_from; /* the first such line; NULL: none yet */
	size_t stray_before;	/* bytes of other sections in out->stray */
	bool is_mail;		/* its content is a mail, not a report */
	bool sure;		/* the MIME parser sees a section here too */
	size_t fields, section_bytes, field_bytes;
	unsigned seen; /* bits of unique_fields */
};

/* Note a finding with the text that shows it. */
void scan_find(struct scanner *s, enum finding finding, struct span detail);

/* From now on the kept mail is not the raw one. */
void scan_edit(struct scanner *s);

/* Keep a text, which mostly is the raw mail's next. */
void scan_copy(struct scanner *s, struct span text);

/* A line without the blanks and line ends behind it. */
struct span scan_without_end(struct span line);

/* A header section begins: the mail's own (`top`), or a part's. */
void scan_header_begin(struct scanner *s, bool top);

/* It ends at `end` without a blank line: from its first line that is no field
 * on, it was text. */
void scan_header_break(struct scanner *s, const char *end);

/* One line of it, or the blank one behind it. */
void scan_header_line(struct scanner *s, struct span line);

#endif
