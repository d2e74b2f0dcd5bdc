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
	size_t narrow;	      /* the fewest blanks between two */
	size_t near, nearest; /* now, and most without more between */
	bool wide;	      /* somewhere there are more */
	bool differ;	      /* they are not all the same */
	bool ascii;
};

static size_t
next_char(struct span text, size_t at, uint32_t *code_out)
{
	size_t length = utf8_decode(text.p + at, text.n - at, code_out);

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
	return g_unichar_isalnum(code) || g_unichar_ismark(code);
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

/* The end of what is between two characters, from `at` on; at most GAP_MOST
 * characters. */
static size_t
gap_end(struct span text, size_t at, size_t *blanks_out)
{
	size_t i = at, chars = 0;

	*blanks_out = 0;
	while (i < text.n && chars++ < GAP_MOST) {
		uint32_t code;
		size_t length = next_char(text, i, &code);

		if (is_word_char(code))
			break;
		*blanks_out += code == ' ' || code == '\n';
		i += length;
	}
	return i;
}

/* A gap of so many blanks inside the run. */
static void
take_gap(struct join_run *r, size_t blanks)
{
	bool first = r->narrow == SIZE_MAX;

	if (!first && blanks != r->narrow)
		r->wide = true;
	if (!first && blanks > r->narrow)
		r->near = 0;
	if (blanks < r->narrow) {
		r->near = first ? 1 : 0;
		r->narrow = blanks;
	}
}

/* The run at `at`, where a word starts; units 0 if that is a longer one. */
static void
find_run(struct span text, size_t at, struct join_run *r)
{
	uint32_t first = 0, code;
	size_t i = at, end, blanks = 0;

	*r = (struct join_run){.end = at, .narrow = SIZE_MAX, .ascii = true};
	while (i < text.n && (end = unit_end(text, i, &code)) != 0) {
		if (!is_word_char(code))
			break;
		if (r->units != 0)
			take_gap(r, blanks);
		r->near++;
		if (r->near > r->nearest)
			r->nearest = r->near;
		first = r->units++ == 0 ? code : first;
		r->differ |= code != first;
		r->letters += g_unichar_isalpha(code) ? 1 : 0;
		r->ascii = r->ascii && end - i == 1;
		r->end = end;
		i = gap_end(text, end, &blanks);
	}
}

/* Append the run at `at` without what is between, but for wide gaps. */
static void
add_run(struct span text, size_t at, const struct join_run *r, struct buf *out)
{
	size_t i = at;

	while (i < r->end) {
		uint32_t code;
		size_t end = unit_end(text, i, &code), blanks;

		(void)buf_add(out, text.p + i, end - i);
		i = gap_end(text, end, &blanks);
		if (i < r->end && blanks > r->narrow)
			(void)buf_add_byte(out, ' ');
	}
}

/* The way to split letters into words at least cost: step[i] is the length
 * of the word that ends there, 0 if it is a letter of none. */
static void
find_words(const struct view_words *w, const char *p, size_t n, uint32_t *cost,
    uint8_t *step)
{
	cost[0] = 0;
	for (size_t i = 1; i <= n; i++)
		cost[i] = UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		struct word_hash h = {.power = 1};

		if (cost[i] + COST_OTHER < cost[i + 1]) {
			cost[i + 1] = cost[i] + COST_OTHER;
			step[i + 1] = 0;
		}
		for (size_t k = i; k < n && k - i < WORD_MOST; k++) {
			uint32_t price = k == i ? COST_SHORT : COST_WORD;

			word_add(&h, ascii_lower(p[k]));
			if (cost[i] + price < cost[k + 1] &&
			    words_has(w, h.word)) {
				cost[k + 1] = cost[i] + price;
				step[k + 1] = (uint8_t)(k + 1 - i);
			}
		}
	}
}

/* Append letters with blanks between the words. */
static void
add_words(const struct view_words *w, const char *p, size_t n, struct buf *out)
{
	uint32_t *cost = alloc_array(n + 1, sizeof *cost);
	uint8_t *step = alloc_bytes(n + 1), *starts = alloc_bytes(n + 1);

	find_words(w, p, n, cost, step);
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

static void
add_split(
    const struct view_words *w, const struct buf *letters, struct buf *out)
{
	for (size_t i = 0; i < letters->len; i += SPLIT_MOST) {
		size_t n = letters->len - i;

		add_words(
		    w, letters->data + i, n < SPLIT_MOST ? n : SPLIT_MOST, out);
	}
}

/* Append a piece with all its runs put together. */
static void
add_piece(const struct view_job *job, struct span piece, struct buf *out)
{
	bool in_word = false;
	struct buf letters;
	size_t i = 0;

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
			if (r.ascii && !r.wide && letters.len >= SPLIT_LEAST)
				add_split(&job->run->words, &letters, out);
			else
				(void)buf_add(out, letters.data, letters.len);
			i = r.end;
			word = false;
		} else {
			(void)buf_add(out, piece.p + i, length);
			i += length;
		}
		in_word = word;
	}
	buf_free(&letters);
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
	struct buf out;

	buf_init(&out, piece.n * 2 + 1);
	add_piece(job, piece, &out);
	if (!r->ascii || r->units >= UNITS_PLENTY ||
	    words_count(&job->run->words, (struct span){out.data, out.len}) >
		words_count(&job->run->words, piece))
		view_emit(job, VIEW_JOINED, (struct span){out.data, out.len},
		    true, at, at + piece.n);
	buf_free(&out);
	return at + piece.n;
}

static bool
is_spaced(const struct join_run *r)
{
	return r->units >= UNITS_LEAST && r->nearest >= NEAR_LEAST &&
	       r->differ && r->letters * 10 >= r->units * 4;
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
		uint32_t code;
		size_t length = next_char(text, i, &code);
		bool word = is_word_char(code);

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
