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
 *  a mail inside          an attachment, and unless it says so itself its
 *                         text is shown, as most mail programs do, behind
 *                         "> From:", "> To:", "> Subject:" and "> Date:" of
 *                         it: a quotation, like all else of the body in the
 *                         words of a sender; where it has a transfer
 *                         encoding, which it may not have, it is decoded
 *                         first
 *  Outlook's container    an attachment, with the files in it; its text is
 *                         shown if there is no other
 *  everything else        an attachment
 */
#ifndef TRIZONE_READER_BODY_H
#define TRIZONE_READER_BODY_H

#include "proto/clean.h"
#include "reader/mime.h"
#include "reader/record.h"
#include "reader/scan.h"
#include "reader/visible.h"

/* Render the body of the mail `m`, which `scan` has bounded, into `v`, list
 * attachments in `c`, and note what is odd or was cut. */
void body_render(const struct scan *scan, struct mime *m, struct visible *v,
    struct clean *c, struct record *notes);

#endif
