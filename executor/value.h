/*
 * Typed values: what an argument is (an address, a URL, a name, a number), the
 * one spelling two equal ones share, and where they stand in a text. Whose
 * words a value is gets decided by comparing such spellings whole, never by
 * looking for a part of one in a part of another.
 *
 * Canonical forms:
 *   address  lower case, no blanks around it
 *   url      scheme and host in lower case, "https://" and a lone "/" behind
 *            the host left out (people write neither), the former only if
 *            no other scheme follows; the rest as it is
 *   name     lower case (ASCII), blanks as one space, none around it
 *   id       as it is, no blanks around it
 *   number   no leading zeros, no trailing ones behind the point
 *   text     as a name
 */
#ifndef TRIZONE_EXECUTOR_VALUE_H
#define TRIZONE_EXECUTOR_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"

#define VALUE_BYTES 2048 /* longest canonical form: a URL that works */

enum value_type {
	VALUE_TEXT,
	VALUE_NAME,
	VALUE_ID,
	VALUE_ADDRESS,
	VALUE_URL,
	VALUE_NUMBER,
	VALUE_TYPE_COUNT
};

/* "address"; and back, VALUE_TYPE_COUNT if there is none. */
const char *value_type_name(enum value_type type);
enum value_type value_type_find(struct span name);

/* What a string looks like that nobody declared: an address, a URL, else a
 * name. */
enum value_type value_shape(struct span text);

/* The canonical form of `raw` into `out`; its length, or 0: it is empty, too
 * long, or no value of that type. */
size_t value_canonical(
    enum value_type type, struct span raw, char out[VALUE_BYTES]);

/* The canonical form of a text of any length; `out` has room for as much.
 * Returns its length. */
size_t value_fold(struct span text, char *out);

/*
 * The next value of `type` (address, url or number) in a text, from *at on;
 * *at is then behind it. False: there is no more. A url is what a mail or chat
 * program makes a link of: with a scheme, with "www.", or a bare host name. A
 * number does not touch letters, dates, times or versions. Linear in the text.
 */
bool value_next(
    enum value_type type, struct span text, size_t *at, struct span *found_out);

/* Whether what looks like a host name has the ending of a file's name that is
 * no top-level domain: "report.pdf". */
bool value_is_file_name(struct span host);

/* Whether `phrase`, a canonical name, stands in `text`, which is one too, with
 * no letter or digit beside it. */
bool value_stands_in(struct span phrase, struct span text);

#endif
