/*
 * One text part of a mail into the visible sink: transfer encoding, character
 * set, format=flowed, uuencoded files, plain text or HTML.
 */
#ifndef TRIZONE_READER_RENDER_H
#define TRIZONE_READER_RENDER_H

#include "proto/clean.h"
#include "reader/attach.h"
#include "reader/mime.h"
#include "reader/record.h"
#include "reader/visible.h"

/* Where parts go. All is borrowed. */
struct render {
	struct mime *mime;
	struct visible *visible;
	struct clean *clean;
	struct record *notes;
	struct attach *attach;
	unsigned messages; /* decoded mails around this one */
	unsigned *decoded; /* mails that were decoded, in all */
	size_t *held;	   /* bytes of those around this one */
};

/* For mime_content: content into a struct buf; -ERR_TOO_LARGE. */
int render_take(void *with, const char *bytes, size_t count);

bool render_is_html(const struct mime_part *part);

/* A leaf that a person sees, behind a blank line if there is text before it;
 * what is neither plain text nor HTML as plain text. */
void render_part(struct render *r, const struct mime_part *part);

/* Plain text in UTF-8; URLs written out in it are links. */
void render_text(struct visible *v, struct span text);

/* Note a finding with the text that shows it. */
void render_find(struct render *r, enum finding finding, struct span detail);

#endif
