/*
 * Words spelled otherwise: rot13, turned round, digits for letters, inner
 * letters in another order. Segments of the folded text, some sentence long,
 * are searched for words that are known only so; the view is the segments with
 * such words, one after the other.
 */
#include <string.h>

#include "reader/bidi.h"
#include "reader/html_ascii.h"
#include "reader/view_part.h"

#define SEGMENT_LEAST 20 /* bytes; before that, a full stop ends none */
#define SEGMENT_MOST 300 /* behind this, a blank does */
#define QUIET_MOST 2	 /* segments without a sign between two with one */
#define VARIANT_BITS 3	 /* signs in a word that may be i or l */

enum spelled { ROT13, REVERSED, LEET, TYPO, KINDS };

/* What speaks for each kind in a segment, and against rot13 and reversal. */
struct signs {
	unsigned hits[KINDS];
	unsigned plain;
	bool mixed; /* letters beside what may stand for letters */
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
    [TYPO] = {VIEW_TYPO, 1, 1, false},
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

/* The word at p[0], up to a character that is no letter nor stands for one.
 * Signs that end a sentence do not belong to it. */
static struct span
leet_word(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_leet(p[i]))
		i++;
	while (i > 0 && strchr("!|+", p[i - 1]) != NULL)
		i--;
	return (struct span){p, i};
}

/* Spell the word in letters, with the bits of `variant` for l. */
static struct word_hash
spell(struct span word, unsigned variant, char out[WORD_MOST])
{
	struct word_hash h = {.power = 1};

	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i], letter = leet_letter(c);

		if (letter == 'i') {
			letter = (variant & 1) != 0 ? 'l' : 'i';
			variant >>= 1;
		}
		out[i] = letter == '\0' ? c : letter;
		word_add(&h, out[i]);
	}
	return h;
}

/* Spell a word of at most WORD_MOST characters, of several ways the one that
 * is known. Returns whether it is. */
static bool
spell_known(struct span word, char out[WORD_MOST])
{
	for (unsigned v = 0; v < 1u << VARIANT_BITS; v++)
		if (words_has(spell(word, v, out).word))
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
	       words_count(rest) != 0;
}

static unsigned
count_leet(struct span text)
{
	char out[WORD_MOST];
	unsigned hits = 0;
	size_t i = 0;

	while (i < text.n) {
		struct span word = leet_word(text.p + i, text.n - i);

		if (word.n >= WORD_LEAST && word.n <= WORD_MOST &&
		    has_letter(word, true) && has_letter(word, false) &&
		    !is_variable(word) && spell_known(word, out))
			hits += word.n > WORD_LEAST ? 2 : 1;
		i += word.n == 0 ? 1 : word.n;
	}
	return hits;
}

/* A word in rot13 or reversed. Short ones are other words too, "net" or "saw":
 * of these one counts, and half. */
static void
hit(struct signs *s, enum spelled kind, unsigned letters)
{
	if (letters > WORD_LEAST)
		s->hits[kind] += 2;
	else
		s->hits[kind] |= 1;
}

static void
one_word(const struct word_hash *h, struct signs *s)
{
	bool known = false;

	if (h->count < WORD_LEAST || h->count > WORD_MOST)
		return;
	if (words_has(h->word))
		s->plain++;
	else if (words_has(h->rot13))
		hit(s, ROT13, h->count);
	else if (words_has(h->reversed))
		hit(s, REVERSED, h->count);
	else if (words_jumbled(h, &known) != NULL && known)
		s->hits[TYPO]++; /* "three" is no way to write "there" */
}

static void
count_signs(struct span text, struct signs *s)
{
	struct word_hash h = {.power = 1};

	*s = (struct signs){0};
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (ascii_is_letter(c)) {
			word_add(&h, c);
			continue;
		}
		if (leet_letter(c) != '\0')
			s->mixed |=
			    h.count != 0 ||
			    (i + 1 < text.n && ascii_is_letter(text.p[i + 1]));
		one_word(&h, s);
		h = (struct word_hash){.power = 1};
	}
	one_word(&h, s);
	if (s->mixed)
		s->hits[LEET] = count_leet(text);
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
		struct span word = leet_word(text.p + i, text.n - i);
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
add_typo(struct span text, struct buf *out)
{
	size_t i = 0;

	while (i < text.n) {
		struct word_hash h = {.power = 1};
		const char *word = NULL;
		bool known = false;
		size_t n = 0;

		while (i + n < text.n && ascii_is_letter(text.p[i + n]))
			word_add(&h, text.p[i + n++]);
		if (n != 0 && !words_has(h.word))
			word = words_jumbled(&h, &known);
		n += n == 0;
		(void)buf_add(out, word != NULL ? word : text.p + i, n);
		i += n;
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
	case TYPO:
		add_typo(text, &out);
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

static size_t
segment_end(struct span text, size_t at)
{
	for (size_t i = at; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n' || (c == ' ' && i - at >= SEGMENT_MOST))
			return i + 1;
		if (c == ' ' && i - at >= SEGMENT_LEAST &&
		    strchr(".!?", text.p[i - 1]) != NULL)
			return i + 1;
	}
	return text.n;
}

void
view_spelled(const struct view_job *job)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	struct group groups[KINDS] = {0};
	struct signs signs;
	size_t end;

	for (size_t at = 0; at < text.n; at = end) {
		end = segment_end(text, at);
		count_signs((struct span){text.p + at, end - at}, &signs);
		for (enum spelled k = 0; k < KINDS; k++)
			if ((job->done & 1u << kinds[k].view) == 0)
				group_take(job, k, &groups[k], &signs, at, end);
	}
	for (enum spelled k = 0; k < KINDS; k++)
		group_close(job, k, &groups[k]);
}
