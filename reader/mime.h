/*
 * MIME behind a small interface of ours (RFC 2045 to 2049, 2047, 2231, 5322,
 * 6532). The library under it is GMime 3, and only mime.c and mime_header.c
 * know that. Give it nothing that scan_mail has not bounded.
 */
#ifndef TRIZONE_READER_MIME_H
#define TRIZONE_READER_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

enum mime_kind {
	MIME_MULTIPART,
	MIME_LEAF,   /* something with content */
	MIME_MESSAGE /* a whole mail inside; its body is the only child */
};

/* A node of the tree. Nodes stand in text order, children behind their
 * parent; `end` is the index behind the last node of the subtree. Strings are
 * never NULL and live as long as the mime. */
struct mime_part {
	enum mime_kind kind;
	size_t end;
	const char *type; /* "text/plain", lower case, of any bytes */
	const char *charset;
	const char *name;  /* file name in UTF-8, of any characters, or "" */
	const char *id;	   /* Content-ID without brackets */
	const char *start; /* of multipart/related: the root's id */
	bool attachment;   /* Content-Disposition says so */
	bool inlined;	   /* it says inline */
	bool flowed, delsp;
	void *object; /* for mime.c only */
};

struct mime;

/* To be called once, before the process is locked: the library makes its
 * types and tables then. */
void mime_warm(void);

/* Parse `mail`, which is borrowed until mime_free. Never fails: what is no
 * mail has no parts and no headers. */
struct mime *mime_new(struct span mail);
void mime_free(struct mime *m);

/* What the parser found odd (FINDING_BIT). */
uint64_t mime_findings(const struct mime *m);

size_t mime_count(const struct mime *m);
const struct mime_part *mime_part(const struct mime *m, size_t index);

/* Nodes that mime_part does not give: deeper than MAIL_DEPTH, or more than
 * MAIL_PARTS below the first. A mail in MAIL_MESSAGES others has no child, and
 * the finding is deep-nesting. */
size_t mime_left_out(const struct mime *m);

/* The raw value of the n-th field of that name (any case) in the mail's own
 * header, as a borrowed string; NULL if there are not so many. */
const char *mime_header(const struct mime *m, const char *name, size_t n);

/* The raw value of the field at `index` from the top, and its name; NULL behind
 * the last. */
const char *mime_field(
    const struct mime *m, size_t index, const char **name_out);

/* Whether the colon stands right behind the name of the field at `index`, which
 * exists; blanks there are old (RFC 5322, 4.5), and for some programs make it
 * none. */
bool mime_field_strict(const struct mime *m, size_t index);

/* The first of that name in a mail inside; not longer than MAIL_FIELD_BYTES. */
struct span mime_inner_header(const struct mime_part *part, const char *name);

/* Call `take` for each mailbox of an address list, members of groups too.
 * `raw` may have been through words_mask. */
void mime_addresses(const struct mime *m, const char *raw,
    void (*take)(void *with, const char *name, const char *address),
    void *with);

/* Seconds since 1970; -ERR_SYNTAX if it is no date. */
int mime_date(const char *raw, int64_t *seconds_out);

/* A leaf's content without its transfer encoding, in pieces. Ends early when
 * `take` returns something else than 0, and returns that. -ERR_IO if a mail
 * inside cannot be written. */
int mime_content(struct mime *m, const struct mime_part *part,
    int (*take)(void *with, const char *bytes, size_t count), void *with);

/* Whether a leaf's content has no transfer encoding; then it is in *out,
 * borrowed from the mail. */
bool mime_plain(const struct mime_part *part, struct span *out);

#endif
