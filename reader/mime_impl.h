/*
 * The tree as the library has it, for mime.c and mime_header.c only.
 */
#ifndef TRIZONE_READER_MIME_IMPL_H
#define TRIZONE_READER_MIME_IMPL_H

#include <gmime/gmime.h>

#include "reader/mime.h"

struct mime {
	GByteArray bytes; /* the mail, as the library wants it */
	GMimeParserOptions *options;
	GMimeMessage *message;
	uint64_t findings;
	struct mime_part *parts;
	size_t count, cap, left_out;
};

/* Texts of the library may be NULL. */
static inline const char *
mime_text(const char *text)
{
	return text == NULL ? "" : text;
}

/* Whether it is that word, in any case. */
static inline bool
mime_is_word(const char *text, const char *word)
{
	return text != NULL && g_ascii_strcasecmp(text, word) == 0;
}

/* A header field of an object, as far as it is read: MAIL_FIELD_BYTES. */
struct span mime_raw(GMimeObject *object, const char *name);

#endif
