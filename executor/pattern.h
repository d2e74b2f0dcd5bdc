/*
 * Regular expressions of JSON Schema (`pattern`), matched in bounded time and
 * memory. Written for ECMA-262 patterns and run by PCRE2's interpreter; the
 * one file that includes pcre2 is pattern.c.
 *
 * Differences from ECMA-262: `.` matches no line end of any kind; \d \w \s are
 * ASCII, which makes \s narrower and \S wider than there (a no-break space is
 * \S here): to rule characters out, name the ones that may stand instead.
 * Unknown names of properties (\p{Letter}; \p{L} is known) do not compile.
 * Back references, whose cost cannot be bounded, do not either, nor do the
 * constructs of PCRE2 that ECMA-262 has not: groups other than ( (?: (?= (?!
 * (?<= (?<! (?<name>, and \Q and \g.
 *
 * One thread only: all patterns of a process share one match area.
 */
#ifndef TRIZONE_EXECUTOR_PATTERN_H
#define TRIZONE_EXECUTOR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define PATTERN_MAX_BYTES 1024u /* longer ones are not reviewed by anybody */
#define PATTERN_MAX_NESTING 32u /* parentheses; bounds the compiler's stack */

struct pattern;

/* Compile `source` (UTF-8). -ERR_SYNTAX or -ERR_TOO_LARGE, with a reason of
 * at most `room` bytes, NUL included, in `detail`. Free with pattern_free
 * (NULL is fine). */
int pattern_compile(struct span source, struct pattern **pattern_out,
    char *detail, size_t room);
void pattern_free(struct pattern *pattern);

/* Whether `pattern` matches anywhere in `text`. Takes what it costs off
 * *work: about one unit a byte looked at, tried again or not, so that a
 * pattern that backtracks is stopped by it. -ERR_LIMIT when the work or the
 * memory is used up, -ERR_UTF8 if the text is not UTF-8; there is no answer
 * then and the caller must refuse. Allocates only to grow the match area. */
int pattern_match(const struct pattern *pattern, struct span text,
    uint64_t *work, bool *match_out);

#endif
