/*
 * From the MIME tree to what a person would have seen: which parts are the
 * body, which are attachments.
 *
 *  multipart/alternative  the last text a mail program can show, as mail
 *                         programs choose; the others are compared with it
 *  multipart/related      its root; the rest are attachments
 *  multipart/signed       the first part; the signature is an attachment
 *  multipart/encrypted    nothing; both parts are attachments
 *  any other multipart    each part in turn
 *  text/plain, text/html  shown, unless it is an attachment by its own word
 *  everything else        an attachment, also a mail inside this one
 */
#ifndef TRIZONE_READER_BODY_H
#define TRIZONE_READER_BODY_H

#include "proto/clean.h"
#include "reader/mime.h"
#include "reader/record.h"
#include "reader/visible.h"

/* Render the body into `v`, list attachments in `c`, note what is odd. */
void body_render(const struct mime *m, struct visible *v, struct clean *c,
    struct record *notes);

#endif
