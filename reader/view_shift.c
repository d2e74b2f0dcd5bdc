/*
 * Caesar's cipher by any number of letters, and letters that stand upside
 * down. A piece of some sentence's length without a known word is compared
 * with how often English has each letter, turned by each number; what is most
 * like it is looked at for words.
 */
#include <string.h>

#include "reader/ascii_word.h"
#include "reader/bidi.h"
#include "reader/html_ascii.h"
#include "reader/view_part.h"

#define LETTERS 26
#define ROT13_SHIFT 13 /* view_spell.c has it */
#define PIECE_MOST 300 /* bytes; behind them a blank ends it */
#define WORDS_LEAST 4
#define TRIES 3	       /* of the likeliest shifts */
#define TURNED_LEAST 6 /* characters that only stand upside down */
#define LINE_MOST 2000

/* Of a thousand letters of English. */
static const unsigned char often[LETTERS] = {82, 15, 28, 43, 127, 22, 20, 61,
    70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1};

static char
turn(char c, unsigned shift)
{
	return (char)('a' + ((unsigned)(c - 'a') + shift) % LETTERS);
}

static void
count_letters(struct span text, unsigned *letters)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'a' && text.p[i] <= 'z')
			letters[text.p[i] - 'a']++;
}

/* How much the letters turned by `shift` are like English. */
static unsigned
likeness(const unsigned *letters, unsigned shift)
{
	unsigned sum = 0;

	for (unsigned k = 0; k < LETTERS; k++)
		sum += letters[k] * often[(k + shift) % LETTERS];
	return sum;
}

/* Known words in a piece turned by `shift`. */
static unsigned
count_known(struct span text, unsigned shift)
{
	unsigned known = 0;
	size_t n;

	for (size_t i = 0; i < text.n; i += n == 0 ? 1 : n) {
		struct word_key key = {0, 0};

		n = word_length(text.p + i, text.n - i);
		if (n < WORD_LEAST || n > WORD_MOST)
			continue;
		for (size_t k = 0; k < n; k++)
			word_set(&key, k, turn(text.p[i + k], shift));
		known += known_has(key);
	}
	return known;
}

/* The shift that makes words of the piece, or 0. */
static unsigned
find_shift(struct span text, unsigned words)
{
	unsigned like[LETTERS], letters[LETTERS] = {0};

	count_letters(text, letters);
	for (unsigned shift = 0; shift < LETTERS; shift++)
		like[shift] = likeness(letters, shift);
	for (unsigned k = 0; k < TRIES; k++) {
		unsigned best = 0;

		for (unsigned shift = 1; shift < LETTERS; shift++)
			if (like[shift] > like[best])
				best = shift;
		if (best == 0)
			return 0;
		like[best] = 0;
		if (best != ROT13_SHIFT && count_known(text, best) * 3 >= words)
			return best;
	}
	return 0;
}

static void
emit_shifted(
    const struct view_job *job, size_t start, size_t end, unsigned shift)
{
	struct span text = {job->fold->text.data + start, end - start};
	struct buf out;

	buf_init(&out, text.n);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		(void)buf_add_byte(
		    &out, c >= 'a' && c <= 'z' ? turn(c, shift) : c);
	}
	view_emit(job, VIEW_SHIFTED, (struct span){out.data, out.len}, true,
	    fold_origin(job->fold, start), fold_origin(job->fold, end));
	buf_free(&out);
}

/* The piece ends at `end`: it goes on with those before it, if they are
 * shifted alike, or else these are a view. */
static void
end_piece(const struct view_job *job, struct shift_run *r, size_t end)
{
	struct span text = {job->fold->text.data + r->piece, end - r->piece};
	unsigned shift = 0;

	if (r->words >= WORDS_LEAST && r->known * 8 <= r->words &&
	    (job->done & 1u << VIEW_SHIFTED) == 0)
		shift = find_shift(text, r->words);
	if (r->words != 0 && shift != r->shift) {
		if (r->shift != 0)
			emit_shifted(job, r->start, r->end, r->shift);
		r->start = r->piece;
		r->shift = shift;
	}
	if (r->words != 0)
		r->end = end;
	r->piece = end;
	r->words = r->known = 0;
}

void
view_shift_gap(const struct view_job *job, struct shift_run *r, size_t at)
{
	char c = job->fold->text.data[at];

	if (c == '\n' || (c == ' ' && at - r->piece >= PIECE_MOST))
		end_piece(job, r, at);
}

void
view_shift_word(struct shift_run *r, size_t letters, bool known)
{
	if (letters < WORD_LEAST || letters > WORD_MOST)
		return;
	r->words++;
	r->known += known;
}

void
view_shift_end(const struct view_job *job, struct shift_run *r)
{
	end_piece(job, r, job->fold->text.len);
	if (r->shift != 0)
		emit_shifted(job, r->start, r->end, r->shift);
}

/* Upside down: the character, and the letter that it then is. */
static const struct {
	uint16_t code;
	char letter;
} turned[] = {{0x0131, 'i'}, {0x0183, 'g'}, {0x01dd, 'e'}, {0x0250, 'a'},
    {0x0254, 'c'}, {0x0256, 'p'}, {0x0258, 'e'}, {0x0259, 'e'}, {0x025f, 'f'},
    {0x0265, 'h'}, {0x0279, 'r'}, {0x027e, 'j'}, {0x0287, 't'}, {0x028c, 'v'},
    {0x028d, 'w'}, {0x028e, 'y'}, {0x029e, 'k'}, {0x026f, 'm'}, {0x1d09, 'i'},
    {0x1d77, 'g'}};

static const char upright[] = "abcdefghijklmnopqrstuvwxyz";
static const char overturned[] = "aqcpefghijklmuodbrstnvwxyz";

/* Append the character as it is upside down; whether it only stands so. */
static bool
add_turned(uint32_t code, struct buf *out)
{
	const char *at;
	char utf8[4];

	for (size_t i = 0; i < sizeof turned / sizeof turned[0]; i++)
		if (turned[i].code == code) {
			(void)buf_add_byte(out, turned[i].letter);
			return true;
		}
	at = code == 0 || code >= 0x80 ? NULL
				       : strchr(upright, (char)(code | 0x20));
	if (at != NULL && *at != '\0')
		(void)buf_add_byte(out, overturned[at - upright]);
	else
		(void)buf_add(out, utf8, utf8_encode(code, utf8));
	return false;
}

static void
turn_line(const struct view_job *job, size_t start, size_t end)
{
	struct span line = {job->text.p + start, end - start};
	size_t found = 0, length;
	struct buf out;

	buf_init(&out, line.n);
	for (size_t i = 0; i < line.n; i += length) {
		uint32_t code;

		length = utf8_decode(line.p + i, line.n - i, &code);
		if (length == 0) {
			code = ' ';
			length = 1;
		}
		found += add_turned(code, &out);
	}
	bidi_reverse(out.data, out.len);
	if (found >= TURNED_LEAST &&
	    known_count((struct span){out.data, out.len}) >= 2)
		view_emit(job, VIEW_TURNED, (struct span){out.data, out.len},
		    true, start, end);
	buf_free(&out);
}

void
view_turned(const struct view_job *job)
{
	struct span text = job->text;
	size_t end = 0;

	if ((job->done & 1u << VIEW_TURNED) != 0)
		return;
	/* t, v, w, k and y begin with this byte, and little else does */
	while (end < text.n) {
		const char *mark = memchr(text.p + end, 0xca, text.n - end);
		size_t start, most;

		if (mark == NULL)
			return;
		start = (size_t)(mark - text.p);
		most = start + LINE_MOST;
		while (start > end && text.p[start - 1] != '\n')
			start--;
		end = (size_t)(mark - text.p) + 1;
		while (end < text.n && text.p[end] != '\n' &&
		       (end < most ||
			   ((unsigned char)text.p[end] & 0xc0u) == 0x80))
			end++;
		turn_line(job, start, end);
	}
}
