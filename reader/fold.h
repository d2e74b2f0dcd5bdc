/*
 * The detector's text: what a text says once the ways of spelling it are
 * taken away. Never shown to anybody; the planner's text is reader/normal.h.
 *
 * How to use it:
 *
 *	struct fold f;
 *
 *	fold_init(&f, MAX);
 *	fold_text(&f, text);          // as often as there are texts
 *	match f.text.data, f.text.len
 *	source = fold_origin(&f, offset in f.text)
 *	fold_done(&f);
 *
 * The words of a lexicon go through fold_text too, so that both are spelled
 * alike. Folding a folded text changes nothing.
 */
#ifndef TRIZONE_READER_FOLD_H
#define TRIZONE_READER_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"

struct fold_cache; /* reader/fold_char.h */

#define FOLD_GROWTH 6 /* bytes that one byte can become, at most */

struct fold {
	struct buf text; /* valid UTF-8 */
	/* For each byte of text the offset in the source of the character
	 * that made it; never less than the one before. */
	uint32_t *at;
	size_t cap; /* items at `at` has room for */

	/* Private. */
	size_t source_bytes;
	bool word; /* the text ends inside a word with letters not ASCII */
	size_t word_start;
	size_t ascii, strict, loose, other; /* its letters, of each kind */
	struct fold_cache *cache;
};

/* An empty text that may take up to `max` bytes. Free with fold_done. */
void fold_init(struct fold *f, size_t max);
void fold_done(struct fold *f);

/*
 * Replace the content by the folded `source`, valid UTF-8 of less than 4 GiB
 * (what is not valid reads as U+FFFD). Linear in time; at most FOLD_GROWTH
 * bytes for each of the source. -ERR_TOO_LARGE if it did not fit; the text
 * then ends behind the last character that did.
 *
 * - lower case in all scripts, ASCII digits, compatibility forms (UAX 15);
 * - no invisible characters; tag characters become the ASCII they spell;
 * - no marks on Latin, Greek, Cyrillic, Arabic and Hebrew letters; others keep
 *   theirs, composed. Alef, yeh and kaf in one form, no tatweel;
 * - quotes, dashes and brackets in ASCII; emoji as blanks; one blank for each
 *   run of blanks, none beside a line end, line ends as \n, at most two
 *   together;
 * - in a word with more ASCII letters than letters like no ASCII, and in one
 *   of which every letter looks like ASCII, the letters that do (UTS 39, see
 *   tools/gen_confusable.py) become ASCII.
 */
int fold_text(struct fold *f, struct span source);

/* Offset in the source of the character that made byte `offset` of the text;
 * at or behind the end of the text: the source's length. */
size_t fold_origin(const struct fold *f, size_t offset);

#endif
