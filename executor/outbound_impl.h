/*
 * What the files of the outbound rules share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_OUTBOUND_IMPL_H
#define TRIZONE_EXECUTOR_OUTBOUND_IMPL_H

#include <stdbool.h>
#include <string.h>

#include "common/ascii.h"
#include "common/text.h"

#define HIGH '\x80' /* stands for any character beyond ASCII */

/* One character as a browser would read it; what is not seen is left out. */
struct unit {
	char c;		  /* ASCII, HIGH, or ' ' for any blank */
	bool ideographic; /* a full stop of a script without blanks */
	size_t from, to;  /* in the text */
};

/* The first one from `at` on; false at the end. outbound_fold.c. */
bool unit_at(struct span text, size_t at, struct unit *u);

static inline bool
is_name(char c)
{
	return is_alpha(c) || is_digit(c) || c == HIGH;
}

static inline bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Equal but for case; `to` is lower case. */
static inline bool
is_word(struct span text, const char *to)
{
	size_t n = strlen(to);

	if (text.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(text.p[i]) != to[i])
			return false;
	return true;
}

#endif
