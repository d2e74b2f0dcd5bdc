/*
 * Words spelled otherwise: rot13, turned round, digits for letters. Segments of
 * the folded text, some sentence long, are searched for words that are known
 * only so; the view is the segments with such words, one after the other.
 */
#include <string.h>

#include "reader/ascii_word.h"
#include "reader/bidi.h"
#include "reader/html_ascii.h"
#include "reader/view_part.h"

#define SEGMENT_LEAST 20 /* bytes; before that, a full stop ends none */
#define SEGMENT_MOST 300 /* behind this, a blank does */
#define QUIET_MOST 2	 /* segments without a sign between two with one */
#define VARIANT_BITS 3	 /* signs in a word that may be i or l */

enum spelled { ROT13, REVERSED, LEET, KINDS };

/* What speaks for each kind in a segment, and against rot13 and reversal. */
struct signs {
	unsigned hits[KINDS];
	unsigned plain;
};

/* Segments of one kind. */
struct group {
	size_t start, end;
	unsigned hits, quiet;
	bool open;
};

static const struct {
	enum view view;
	unsigned least;	 /* hits that make a view */
	unsigned enough; /* of these in one segment */
	bool alone;	 /* plain words speak against it */
} kinds[KINDS] = {
    [ROT13] = {VIEW_ROT13, 3, 1, true},
    [REVERSED] = {VIEW_REVERSED, 3, 2, true},
    [LEET] = {VIEW_LEET, 2, 1, false},
};

/* What stands for which letter; 0: for none. */
static const char leet[128] = {['0'] = 'o',
    ['1'] = 'i',
    ['2'] = 'z',
    ['3'] = 'e',
    ['4'] = 'a',
    ['5'] = 's',
    ['6'] = 'g',
    ['7'] = 't',
    ['8'] = 'b',
    ['9'] = 'g',
    ['@'] = 'a',
    ['$'] = 's',
    ['|'] = 'i',
    ['!'] = 'i',
    ['+'] = 't'};

static char
leet_letter(char c)
{
	return (c & 0x80) != 0 ? '\0' : leet[(unsigned char)c];
}

static bool
is_leet(char c)
{
	return ascii_is_letter(c) || leet_letter(c) != '\0';
}

/* Bytes of letters and what stands for them, from p on. */
static size_t
leet_run(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_leet(p[i]))
		i++;
	return i;
}

static bool
is_end_sign(char c)
{
	return c == '!' || c == '|' || c == '+';
}

/* Without the signs that end a sentence. */
static struct span
leet_trim(struct span word)
{
	while (word.n > 0 && is_end_sign(word.p[word.n - 1]))
		word.n--;
	return word;
}

/* Spell the word in letters, with the bits of `variant` for l. */
static struct word_key
spell(struct span word, unsigned variant, char out[WORD_MOST])
{
	struct word_key key = {0, 0};

	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i], letter = leet_letter(c);

		if (letter == 'i') {
			letter = (variant & 1) != 0 ? 'l' : 'i';
			variant >>= 1;
		}
		out[i] = letter == '\0' ? c : letter;
		word_set(&key, i, out[i]);
	}
	return key;
}

/* Spell a word of at most WORD_MOST characters, of several ways the one that
 * is known. Returns whether it is. */
static bool
spell_known(struct span word, char out[WORD_MOST])
{
	unsigned signs = 0;

	for (size_t i = 0; i < word.n && signs < VARIANT_BITS; i++)
		signs += leet_letter(word.p[i]) == 'i';
	for (unsigned v = 0; v < 1u << signs; v++)
		if (known_has(spell(word, v, out)))
			return true;
	(void)spell(word, 0, out);
	return false;
}

static bool
has_letter(struct span word, bool want)
{
	for (size_t i = 0; i < word.n; i++)
		if (ascii_is_letter(word.p[i]) == want)
			return true;
	return false;
}

/* A sign before a plain word: $path, @team. */
static bool
is_variable(struct span word)
{
	struct span rest = {word.p + 1, word.n - 1};

	return !ascii_is_letter(word.p[0]) && !has_letter(rest, false) &&
	       known_count(rest) != 0;
}

/* What speaks for digits in a run of letters and what stands for them. */
static unsigned
count_leet(struct span run)
{
	struct span word = leet_trim(run);
	char out[WORD_MOST];

	if (word.n < WORD_LEAST || word.n > WORD_MOST ||
	    !has_letter(word, true) || !has_letter(word, false) ||
	    is_variable(word) || !spell_known(word, out))
		return 0;
	return word.n > WORD_LEAST ? 2 : 1;
}

/* A word in rot13 or reversed. Short ones are other words too, "net" or "saw":
 * of these one counts, and half. */
static void
hit(struct signs *s, enum spelled kind, size_t letters)
{
	if (letters > WORD_LEAST)
		s->hits[kind] += 2;
	else
		s->hits[kind] |= 1;
}

/* The word of `letters` at p, with `bytes` there. */
static void
one_word(const char *p, size_t letters, size_t bytes, struct signs *s)
{
	struct word_key key;

	if (letters < WORD_LEAST || letters > WORD_MOST)
		return;
	key = word_key(p, letters, bytes);
	if (known_has(key))
		s->plain++;
	else if (known_has(word_rot13(key)))
		hit(s, ROT13, letters);
	else if (known_has(word_reversed(key, letters)))
		hit(s, REVERSED, letters);
}

/* The signs in a run of letters and what stands for them, and its length. */
static size_t
mixed_run(const char *p, size_t n, struct signs *s)
{
	size_t length = leet_run(p, n), i = 0;

	while (i < length) {
		size_t letters = word_length(p + i, length - i);

		one_word(p + i, letters, n - i, s);
		i += letters == 0 ? 1 : letters;
	}
	s->hits[LEET] += count_leet((struct span){p, length});
	return length;
}

/* Whether byte *p, number `at` of a segment, is its last. */
static bool
ends_segment(const char *p, size_t at)
{
	if (*p == '\n')
		return true;
	return *p == ' ' &&
	       (at >= SEGMENT_MOST ||
		   (at >= SEGMENT_LEAST &&
		       (p[-1] == '.' || p[-1] == '!' || p[-1] == '?')));
}

/* What is to be seen from `at` on, up to where the segment ends, which is
 * returned. */
static size_t
count_signs(struct span text, size_t at, struct signs *s)
{
	size_t i = at, length;

	*s = (struct signs){0};
	while (i < text.n) {
		length = word_length(text.p + i, text.n - i);
		if (i + length < text.n && leet_letter(text.p[i + length])) {
			i += mixed_run(text.p + i, text.n - i, s);
			continue;
		}
		one_word(text.p + i, length, text.n - i, s);
		i += length;
		if (i < text.n && ends_segment(text.p + i, i - at))
			return i + 1;
		i++; /* what ended the word is no letter */
	}
	return text.n;
}

static void
add_rot13(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (ascii_is_letter(c))
			c = (char)(c >= 'n' ? c - 13 : c + 13);
		(void)buf_add_byte(out, c);
	}
}

static void
add_reversed_words(struct span text, struct buf *out)
{
	size_t start = 0;

	(void)buf_add(out, text.p, text.n);
	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && text.p[i] != ' ' && text.p[i] != '\n')
			continue;
		bidi_reverse(out->data + start, i - start);
		start = i + 1;
	}
}

static void
add_leet(struct span text, struct buf *out)
{
	char letters[WORD_MOST];
	size_t i = 0;

	while (i < text.n) {
		struct span word = leet_trim((struct span){
		    text.p + i, leet_run(text.p + i, text.n - i)});
		bool known = word.n > 0 && word.n <= WORD_MOST &&
			     spell_known(word, letters);

		if (known || (word.n > 0 && word.n <= WORD_MOST &&
				 has_letter(word, true)))
			(void)buf_add(out, letters, word.n);
		else
			(void)buf_add(
			    out, text.p + i, word.n == 0 ? 1 : word.n);
		i += word.n == 0 ? 1 : word.n;
	}
}

static void
emit(const struct view_job *job, enum spelled kind, const struct buf *out,
    const struct group *g)
{
	view_emit(job, kinds[kind].view, (struct span){out->data, out->len},
	    true, fold_origin(job->fold, g->start),
	    fold_origin(job->fold, g->end));
}

static void
make(const struct view_job *job, enum spelled kind, const struct group *g)
{
	struct span text = {job->fold->text.data + g->start, g->end - g->start};
	struct buf out;

	buf_init(&out, text.n);
	switch (kind) {
	case ROT13:
		add_rot13(text, &out);
		break;
	case REVERSED:
		add_reversed_words(text, &out);
		emit(job, kind, &out, g);
		buf_clear(&out);
		(void)buf_add(&out, text.p, text.n);
		bidi_reverse(out.data, out.len);
		break;
	case LEET:
		add_leet(text, &out);
		break;
	case KINDS:
		break;
	}
	emit(job, kind, &out, g);
	buf_free(&out);
}

static void
group_close(const struct view_job *job, enum spelled kind, struct group *g)
{
	if (g->open && g->hits >= kinds[kind].least)
		make(job, kind, g);
	*g = (struct group){0};
}

/* A segment may go on with the group, end it, or be passed over. */
static void
group_take(const struct view_job *job, enum spelled kind, struct group *g,
    const struct signs *s, size_t start, size_t end)
{
	unsigned hits = s->hits[kind];

	if (kinds[kind].alone && (hits < s->plain || hits < kinds[kind].enough))
		hits = 0;

	if (hits == 0) {
		if (g->open && ((kinds[kind].alone && s->plain != 0) ||
				   ++g->quiet > QUIET_MOST))
			group_close(job, kind, g);
		return;
	}
	if (!g->open)
		*g = (struct group){.start = start, .open = true};
	g->hits += hits;
	g->quiet = 0;
	g->end = end;
}

void
view_spelled(const struct view_job *job)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	struct group groups[KINDS] = {0};
	struct signs signs;
	size_t end;

	for (size_t at = 0; at < text.n; at = end) {
		end = count_signs(text, at, &signs);
		for (enum spelled k = 0; k < KINDS; k++)
			if ((job->done & 1u << kinds[k].view) == 0)
				group_take(job, k, &groups[k], &signs, at, end);
	}
	for (enum spelled k = 0; k < KINDS; k++)
		group_close(job, k, &groups[k]);
}
