/*
 * What bytes are, by how they begin. Types are those of IANA where there is
 * one; the list is short: what a person may be tricked with.
 */
#ifndef TRIZONE_READER_SNIFF_H
#define TRIZONE_READER_SNIFF_H

#include <stdbool.h>

#include "common/text.h"

#define SNIFF_BYTES 4096 /* of the beginning; more changes nothing */

/* The type ("application/pdf") of content that begins with `head` (SNIFF_BYTES
 * of it, or all), as a static string: "text/plain" for text of no other kind,
 * "application/octet-stream" for what is not known. */
const char *sniff_type(struct span head);

/* Whether content that says it is a picture, sound, film, PDF or plain text,
 * by its type or by the end of its name, is something that runs, holds other
 * files or shows what it wants. `name` is any bytes. */
bool sniff_differs(const char *claimed, struct span name, const char *sniffed);

#endif
