/*
 * Regular expressions of JSON Schema (`pattern`), matched in bounded time and
 * memory. Written for ECMA-262 patterns and run by PCRE2's interpreter; the
 * one file that includes pcre2 is pattern.c.
 *
 * The meaning is that of ECMA-262 with its flag u: `$` matches only at the very
 * end, \d and \w are ASCII, \s and `.` know the blanks and line ends of there,
 * \p{Letter}, \p{L} and \p{Script=Greek} are known. Back references, whose cost
 * cannot be bounded, do not compile, nor do the constructs of PCRE2 that
 * ECMA-262 has not: groups other than ( (?: (?= (?! (?<= (?<! (?<name>, and
 * escapes such as \Q, \g, \A, \R. A bracket inside a class is itself.
 *
 * One thread only: all patterns of a process share one match area.
 */
#ifndef TRIZONE_EXECUTOR_PATTERN_H
#define TRIZONE_EXECUTOR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

#define PATTERN_MAX_BYTES 1024u	  /* longer ones are not reviewed by anybody */
#define PATTERN_DETAIL_BYTES 128u /* room for any reason, NUL included */
#define PATTERN_MAX_NESTING 32u	  /* parentheses; bounds the compiler's stack */

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
 * memory is used up, -ERR_UTF8 if the text is not UTF-8 and is looked at whole
 * (its first bytes may tell that nothing matches); there is no answer then and the caller must refuse. Allocates only to grow the match area. */
int pattern_match(const struct pattern *pattern, struct span text,
    uint64_t *work, bool *match_out);

#endif
