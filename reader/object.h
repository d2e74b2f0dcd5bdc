/*
 * From what was rendered to the clean object: what all kinds of items have in
 * common.
 */
#ifndef TRIZONE_READER_OBJECT_H
#define TRIZONE_READER_OBJECT_H

#include "proto/clean.h"
#include "reader/visible.h"

/* Body and links of the object; blank lines around the body go. */
void object_body(struct clean *c, const struct visible *body);

/* What was hidden in the two, `head` may be NULL. */
void object_hidden(
    struct clean *c, const struct visible *head, const struct visible *body);

#endif
