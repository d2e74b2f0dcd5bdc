/*
 * Spaced letters put together: characters that stand alone, with the same
 * between them. Where the gaps between words are no wider, known words are
 * found again.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/html_ascii.h"
#include "reader/view_part.h"

#define UNITS_LEAST 5
#define NEAR_LEAST 4	/* of these without a wide gap between */
#define UNITS_PLENTY 12 /* so many need no known word */
#define GAP_MOST 4	/* characters between two that belong together */
#define LINE_BYTES 500	/* of a line on both sides of the first run */
#define SPLIT_LEAST 8	/* letters; fewer are one word */
#define SPLIT_MOST 4096
#define COST_WORD 10
#define COST_SHORT 25 /* a word of one letter */
#define COST_OTHER 12 /* a letter that is part of no word */

/* Characters that stand alone, one after the other. */
struct join_run {
	size_t end; /* of the last */
	size_t units, letters;
	struct span narrow; /* the shortest of what is between two */
	size_t nearest;	    /* most units with no more than that between */
	bool blank;	    /* somewhere there are blanks beside it */
	bool differ;	    /* they are not all the same */
	bool ascii;
};

static size_t
next_char(struct span text, size_t at, uint32_t *code_out)
{
	size_t length;

	if ((text.p[at] & 0x80) == 0) {
		*code_out = (unsigned char)text.p[at];
		return 1;
	}
	length = utf8_decode(text.p + at, text.n - at, code_out);
	if (length != 0)
		return length;
	*code_out = 0xfffd;
	return 1;
}

static bool
is_word_char(uint32_t code)
{
	if (code < 0x80)
		return ascii_is_letter((char)code) ||
		       ascii_is_digit((char)code);
	/* what is most frequent, without a look into tables */
	if ((code >= 0x4e00 && code <= 0x9fff) ||
	    (code >= 0x0400 && code <= 0x0481) ||
	    (code >= 0x00d8 && code <= 0x00f6) ||
	    (code >= 0x3041 && code <= 0x3096) ||
	    (code >= 0xac00 && code <= 0xd7a3))
		return true;
	if (code >= 0x2010 && code <= 0x205e)
		return false;
	return g_unichar_isalnum(code) || g_unichar_ismark(code);
}

static bool
is_letter(uint32_t code)
{
	return code < 0x80 ? ascii_is_letter((char)code)
			   : g_unichar_isalpha(code) != 0;
}

/* The end of the character at `at` with its marks, if it stands alone, or 0;
 * the first of a word is `at`. */
static size_t
unit_end(struct span text, size_t at, uint32_t *code_out)
{
	size_t i = at + next_char(text, at, code_out);

	while (i < text.n) {
		uint32_t code;
		size_t length = next_char(text, i, &code);

		if (!is_word_char(code))
			break;
		if (!g_unichar_ismark(code))
			return 0;
		i += length;
	}
	return i;
}

/* What is between two characters, from `at` on; at most GAP_MOST characters. */
static struct span
gap_at(struct span text, size_t at)
{
	size_t i = at, chars = 0;

	while (i < text.n && chars++ < GAP_MOST) {
		uint32_t code;
		size_t length = next_char(text, i, &code);

		if (is_word_char(code))
			break;
		i += length;
	}
	return (struct span){text.p + at, i - at};
}

static char
as_blank(char c)
{
	return c == '\n' ? ' ' : c;
}

/* Whether `gap` starts with `narrow`; a line end is as good as a blank. */
static bool
starts_with(struct span gap, struct span narrow)
{
	for (size_t i = 0; i < narrow.n; i++)
		if (i == gap.n || as_blank(gap.p[i]) != as_blank(narrow.p[i]))
			return false;
	return true;
}

static bool
has_blank(struct span gap)
{
	for (size_t i = 0; i < gap.n; i++)
		if (as_blank(gap.p[i]) == ' ')
			return true;
	return false;
}

/* What stands in a gap beside what separates letters; of a sign between
 * blanks, the blank before it. */
static struct span
gap_rest(struct span gap, struct span narrow)
{
	size_t n = narrow.n;

	if (starts_with(gap, narrow))
		gap = (struct span){gap.p + n, gap.n - n};
	if (gap.n > n &&
	    starts_with((struct span){gap.p + gap.n - n, n}, narrow))
		gap.n -= n;
	if (gap.n > 1 && as_blank(gap.p[0]) == ' ' &&
	    as_blank(gap.p[gap.n - 1]) == ' ')
		gap.n = 1;
	return gap;
}

/* The run at `at`, where a word starts; units 0 if that is a longer one. */
static void
find_run(struct span text, size_t at, struct join_run *r)
{
	uint32_t first = 0, code;
	struct span gap = {NULL, 0};
	size_t i = at, end;

	*r = (struct join_run){.end = at, .ascii = true};
	while (i < text.n && (end = unit_end(text, i, &code)) != 0) {
		if (!is_word_char(code))
			break;
		if (r->units == 1 || (r->units > 1 && gap.n < r->narrow.n))
			r->narrow = gap;
		first = r->units++ == 0 ? code : first;
		r->differ |= code != first;
		r->letters += is_letter(code);
		r->ascii = r->ascii && end - i == 1;
		r->end = end;
		gap = gap_at(text, end);
		i = end + gap.n;
	}
}

/* Append the run at `at` without what separates letters; measures it. */
static void
add_run(struct span text, size_t at, struct join_run *r, struct buf *out)
{
	size_t i = at, near = 0;

	while (i < r->end) {
		uint32_t code;
		size_t end = unit_end(text, i, &code);
		struct span gap = gap_at(text, end), rest;

		(void)buf_add(out, text.p + i, end - i);
		if (++near > r->nearest)
			r->nearest = near;
		i = end + gap.n;
		rest = gap_rest(gap, r->narrow);
		if (i >= r->end || rest.n == 0)
			continue;
		(void)buf_add(out, rest.p, rest.n);
		near = 0;
		r->blank |= has_blank(rest);
	}
}

/* The way to split letters into words at least cost: step[i] is the length
 * of the word that ends there, 0 if it is a letter of none. */
static void
find_words(const char *p, size_t n, uint32_t *cost, uint8_t *step)
{
	cost[0] = 0;
	for (size_t i = 1; i <= n; i++)
		cost[i] = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		struct word_key key = {0, 0};

		if (cost[i] + COST_OTHER < cost[i + 1]) {
			cost[i + 1] = cost[i] + COST_OTHER;
			step[i + 1] = 0;
		}
		for (size_t k = i; k < n && k - i < WORD_MOST; k++) {
			uint32_t price = k == i ? COST_SHORT : COST_WORD;

			word_set(&key, k - i, ascii_lower(p[k]));
			if (cost[i] + price < cost[k + 1] && known_has(key)) {
				cost[k + 1] = cost[i] + price;
				step[k + 1] = (uint8_t)(k + 1 - i);
			}
		}
	}
}

void
view_add_words(const char *p, size_t n, struct buf *out)
{
	uint32_t *cost = alloc_array(n + 1, sizeof *cost);
	uint8_t *step = alloc_bytes(n + 1), *starts = alloc_bytes(n + 1);

	find_words(p, n, cost, step);
	for (size_t i = n; i > 0; i -= step[i] == 0 ? 1 : step[i])
		if (step[i] != 0)
			starts[i] = starts[i - step[i]] = 1;
	for (size_t i = 0; i < n; i++) {
		if (starts[i] && i > 0)
			(void)buf_add_byte(out, ' ');
		(void)buf_add_byte(out, p[i]);
	}
	free(cost);
	free(step);
	free(starts);
}

/* Append the run that has been put together; where blanks between words are
 * missing, with blanks. Letters with signs between may be one word. */
static void
add_split(const struct join_run *r, struct span run, struct buf *out)
{
	size_t least =
	    r->blank || !has_blank(r->narrow) ? WORD_MOST + 1 : SPLIT_LEAST;
	size_t i = 0;

	while (i < run.n) {
		size_t n = 0;

		while (i + n < run.n && n < SPLIT_MOST &&
		       ascii_is_letter(run.p[i + n]))
			n++;
		if (n >= least)
			view_add_words(run.p + i, n, out);
		else
			(void)buf_add(out, run.p + i, n == 0 ? 1 : n);
		i += n == 0 ? 1 : n;
	}
}

/* Append a piece with all its runs put together. Returns how many characters
 * at most stand side by side in one. */
static size_t
add_piece(struct span piece, struct buf *out)
{
	bool in_word = false;
	struct buf letters;
	size_t i = 0, nearest = 0;

	buf_init(&letters, piece.n * 2);
	while (i < piece.n) {
		struct join_run r = {0};
		uint32_t code;
		size_t length = next_char(piece, i, &code);
		bool word = is_word_char(code);

		if (word && !in_word)
			find_run(piece, i, &r);
		if (r.units >= 2) {
			buf_clear(&letters);
			add_run(piece, i, &r, &letters);
			if (r.nearest > nearest)
				nearest = r.nearest;
			add_split(
			    &r, (struct span){letters.data, letters.len}, out);
			i = r.end;
			word = false;
		} else {
			(void)buf_add(out, piece.p + i, length);
			i += length;
		}
		in_word = word;
	}
	buf_free(&letters);
	return nearest;
}

/* The lines around bytes `start` to `end`, from `from` on. */
static struct span
find_lines(struct span text, size_t from, size_t start, size_t end)
{
	size_t most = end + LINE_BYTES;

	if (start - from > LINE_BYTES)
		from = start - LINE_BYTES;
	while (start > from && text.p[start - 1] != '\n')
		start--;
	while (end < text.n && end < most && text.p[end] != '\n')
		end++;
	while (end < text.n && ((unsigned char)text.p[end] & 0xc0u) == 0x80)
		end++;
	while (((unsigned char)text.p[start] & 0xc0u) == 0x80)
		start++;
	return (struct span){text.p + start, end - start};
}

/* Emit the lines of the run that starts at `start`; returns where they end. */
static size_t
join(const struct view_job *job, size_t from, size_t start,
    const struct join_run *r)
{
	struct span piece = find_lines(job->text, from, start, r->end);
	size_t at = (size_t)(piece.p - job->text.p);
	size_t nearest;
	struct buf out;

	buf_init(&out, piece.n * 2 + 1);
	nearest = add_piece(piece, &out);
	if (nearest >= NEAR_LEAST && (!r->ascii || r->units >= UNITS_PLENTY ||
					 known_count((struct span){out.data,
					     out.len}) > known_count(piece)))
		view_emit(job, VIEW_JOINED, (struct span){out.data, out.len},
		    true, at, at + piece.n);
	buf_free(&out);
	return at + piece.n;
}

static bool
is_spaced(const struct join_run *r)
{
	return r->units >= UNITS_LEAST && r->differ &&
	       r->letters * 10 >= r->units * 4;
}

/* The first place from `at` on where letters may stand alone: go there, with
 * *in_word_out if that is inside a word. */
static size_t
next_alone(const struct view_job *job, size_t at, bool *in_word_out)
{
	const char *p = job->text.p;
	size_t i = view_marks_next(job->marks, MARK_ALONE, at);
	unsigned before;

	if (i == at || i == job->text.n)
		return i;
	/* of a character that is not ASCII: the word that it may go on */
	before = view_class_of(p[i - 1]) & BYTE_WORD;
	if (before == 0)
		*in_word_out = false;
	else if (i - 1 > at)
		*in_word_out = (view_class_of(p[i - 2]) & BYTE_WORD) != 0;
	if (before != 0 && !*in_word_out)
		i--;
	else if (before != 0)
		*in_word_out = true;
	return i;
}

void
view_joined(const struct view_job *job)
{
	struct span text = job->text;
	bool in_word = false;
	size_t i = 0, from = 0;

	if ((job->done & 1u << VIEW_JOINED) != 0)
		return;
	while (i < text.n) {
		struct join_run r = {0};
		size_t length;
		uint32_t code;
		bool word;

		i = next_alone(job, i, &in_word);
		if (i == text.n)
			break;
		length = next_char(text, i, &code);
		word = is_word_char(code);
		if (word && !in_word)
			find_run(text, i, &r);
		if (is_spaced(&r)) {
			i = from = join(job, from, i, &r);
			word = false;
		} else {
			i = r.units != 0 ? r.end : i + length;
		}
		in_word = word && r.units == 0;
	}
}
