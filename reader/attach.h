/*
 * Attachments: listed with name, claimed type, sniffed type, size and hash,
 * never opened. The exception is what is no file to a person: the files in an
 * Outlook container and those written into a text by uuencode are listed too.
 */
#ifndef TRIZONE_READER_ATTACH_H
#define TRIZONE_READER_ATTACH_H

#include "common/buf.h"
#include "proto/clean.h"
#include "reader/mime.h"
#include "reader/record.h"
#include "reader/visible.h"

/* Where attachments go. */
struct attach {
	struct clean *clean;
	struct record *notes;
	struct visible *visible; /* hidden characters of names are counted */
	struct buf
	    text;      /* of the first Outlook container that has one, UTF-8 */
	bool text_cut; /* not all of it */
};

/* Both pointers are borrowed until attach_done. */
void attach_init(struct attach *a, struct clean *clean, struct record *notes,
    struct visible *visible);
void attach_done(struct attach *a);

/* List one part that is a leaf or a mail. */
void attach_part(
    struct attach *a, struct mime *m, const struct mime_part *part);

/* Take the uuencoded files out of a text in UTF-8. False if there are none;
 * else the rest of the text replaces what `rest` held. */
bool attach_uuencoded(struct attach *a, struct span text, struct buf *rest);

#endif
