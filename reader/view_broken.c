/*
 * Words that are not where a reader of words looks for them: many glued
 * together, one cut in pieces, letters doubled or in another order. The folded
 * text is walked by its runs of letters; a view is made where several known
 * words come out near each other that were none before.
 */
#include <string.h>

#include "common/err.h"
#include "reader/ascii_word.h"
#include "reader/lexicon.h"
#include "reader/view_part.h"

#define GLUED_LEAST 20	 /* letters of a run */
#define GLUED_WORDS 4	 /* known ones in it */
#define REPAIRED_LEAST 4 /* letters of a word that was cut or doubled */
#define PIECES_MOST 4
#define GAP_MOST 4 /* bytes between two pieces of a word */
#define DOUBLES_MOST 4
#define HITS_LEAST 3
#define QUIET_MOST 10 /* words between two that were repaired */
#define AROUND 120    /* bytes beside them that are part of the view */

enum broken { CUT, DOUBLED, MISSPELT, KINDS };

static const enum view views[KINDS] = {
    [CUT] = VIEW_CUT, [DOUBLED] = VIEW_DOUBLED, [MISSPELT] = VIEW_MISSPELT};

/* A word that is not as it stands in the text. */
struct repair {
	size_t end; /* in the text */
	size_t letters;
	char word[WORD_MOST];
};

/* Repaired words near each other. */
struct group {
	size_t start, end;
	unsigned hits, quiet;
	size_t taken; /* up to where words are in it */
	size_t from;  /* where the next view may begin */
};

static struct word_key
key_at(struct span text, size_t at, size_t letters)
{
	return word_key(text.p + at, letters, text.n - at);
}

static bool
is_known(struct span text, size_t at, size_t letters)
{
	return letters <= WORD_MOST && known_has(key_at(text, at, letters));
}

/* Where the next piece of a word starts behind `at`, or 0. */
static size_t
next_piece(struct span text, size_t at)
{
	size_t i = at;

	while (i < text.n && i - at <= GAP_MOST) {
		char c = text.p[i];

		if (c >= 'a' && c <= 'z')
			return i;
		if ((c >= '0' && c <= '9') || (c & 0x80) != 0 || c == '.' ||
		    c == ',' || c == '\'')
			return 0;
		i++;
	}
	return 0;
}

/* Put `next` behind the `letters` of a key; both have room in one. */
static void
append_key(struct word_key *key, size_t letters, struct word_key next)
{
	size_t shift = letters % WORD_EIGHT * 8;

	if (letters >= WORD_EIGHT) {
		key->high |= next.low << shift;
		return;
	}
	key->low |= next.low << shift;
	key->high |=
	    next.high << shift | (shift == 0 ? 0 : next.low >> (64 - shift));
}

/* A known word in pieces, of which the first is `letters` at `at`: the longest
 * that not all pieces are words beside. */
static bool
repair_cut(struct span text, size_t at, size_t letters, struct repair *out)
{
	struct word_key key = {0, 0}, piece;
	size_t n = 0, i = at;
	bool found = false, odd = false;

	for (unsigned count = 0; count < PIECES_MOST; count++) {
		if (n + letters > WORD_MOST)
			break;
		piece = key_at(text, i, letters);
		append_key(&key, n, piece);
		n += letters;
		odd = odd || !known_has(piece);
		if (count > 0 && !odd)
			break; /* both are words, as in most text */
		if (count > 0 && n >= REPAIRED_LEAST && known_has(key)) {
			*out =
			    (struct repair){.end = i + letters, .letters = n};
			word_store(out->word, key.low);
			word_store(out->word + WORD_EIGHT, key.high);
			found = true;
		}
		i = next_piece(text, i + letters);
		if (i == 0)
			break;
		letters = word_length(text.p + i, text.n - i);
	}
	return found;
}

/* A word of which some doubled letters, by the bits of `variant`, are one. */
static size_t
undouble(struct span word, unsigned variant, char out[WORD_MOST * 2])
{
	size_t n = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (i > 0 && word.p[i] == word.p[i - 1]) {
			bool single = (variant & 1) != 0;

			variant >>= 1;
			if (single)
				continue;
		}
		out[n++] = word.p[i];
	}
	return n;
}

static bool
repair_doubled(struct span text, size_t at, size_t letters, struct repair *out)
{
	struct span word = {text.p + at, letters};
	char once[WORD_MOST * 2];
	unsigned doubles = 0;

	if (letters < REPAIRED_LEAST || letters > WORD_MOST * 2)
		return false;
	for (size_t i = 1; i < letters && doubles <= DOUBLES_MOST; i++)
		doubles += word.p[i] == word.p[i - 1];
	if (doubles == 0 || doubles > DOUBLES_MOST ||
	    is_known(text, at, letters))
		return false;
	for (unsigned variant = 1; variant < 1u << doubles; variant++) {
		size_t n = undouble(word, variant, once);

		if (n < WORD_LEAST || n > WORD_MOST ||
		    !known_has(word_key(once, n, n)))
			continue;
		*out = (struct repair){.end = at + letters, .letters = n};
		memcpy(out->word, once, n);
		return true;
	}
	return false;
}

/* A word with its inner letters in another order, or one of them wrong. */
static bool
repair_misspelt(struct span text, size_t at, size_t letters, struct repair *out)
{
	struct span word = {NULL, 0};

	if (letters <= WORD_MOST && !is_known(text, at, letters))
		word = lexicon_guess((struct span){text.p + at, letters});
	if (word.n == 0 || word.n > WORD_MOST)
		return false;
	*out = (struct repair){.end = at + letters, .letters = word.n};
	memcpy(out->word, word.p, word.n);
	return true;
}

static bool
repair(enum broken kind, struct span text, size_t at, size_t letters,
    struct repair *out)
{
	switch (kind) {
	case CUT:
		return repair_cut(text, at, letters, out);
	case DOUBLED:
		return repair_doubled(text, at, letters, out);
	case MISSPELT:
		return repair_misspelt(text, at, letters, out);
	case KINDS:
		break;
	}
	return false;
}

static void
emit(const struct view_job *job, enum view view, const struct buf *out,
    size_t start, size_t end)
{
	view_emit(job, view, (struct span){out->data, out->len}, true,
	    fold_origin(job->fold, start), fold_origin(job->fold, end));
}

/* A blank or the like near `at`, at most AROUND away towards `limit`. */
static size_t
widen(struct span text, size_t at, size_t limit)
{
	if (limit < at) {
		size_t from = at - limit > AROUND ? at - AROUND : limit;

		while (from < at && from > limit && text.p[from - 1] != ' ' &&
		       text.p[from - 1] != '\n')
			from++;
		return from;
	}
	if (limit - at > AROUND)
		limit = at + AROUND;
	while (limit > at && limit < text.n && text.p[limit] != ' ' &&
	       text.p[limit] != '\n')
		limit--;
	return limit;
}

/* The group's words repaired, and what is beside them; `from` is where it may
 * begin. */
static void
make(const struct view_job *job, enum broken kind, const struct group *g,
    size_t from)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	size_t start = widen(text, g->start, from);
	size_t end = widen(text, g->end, text.n), i = start;
	struct buf out;

	buf_init(&out, (end - start + 1) * WORD_MOST);
	while (i < end) {
		size_t n = word_length(text.p + i, end - i);
		struct repair r;

		if (n != 0 && i >= g->start && i < g->end &&
		    repair(kind, text, i, n, &r)) {
			(void)buf_add(&out, r.word, r.letters);
			i = r.end;
			continue;
		}
		n += n == 0;
		(void)buf_add(&out, text.p + i, n);
		i += n;
	}
	if (out.overflow)
		bug("no room for what was repaired");
	emit(job, views[kind], &out, start, end);
	buf_free(&out);
}

static void
group_close(const struct view_job *job, enum broken kind, struct group *g)
{
	if (g->hits >= HITS_LEAST) {
		make(job, kind, g, g->from);
		g->from = g->end;
	}
	g->hits = g->quiet = 0;
}

/* A word of the walk. */
struct walked {
	size_t at, letters; /* 0 letters: there is none */
	bool known;
};

static struct walked
word_at(struct span text, size_t at)
{
	size_t letters = word_length(text.p + at, text.n - at);

	return (struct walked){
	    at, letters, letters != 0 && is_known(text, at, letters)};
}

/* Whether a word before that `next` may be repaired so. */
static bool
may_be(enum broken kind, const struct walked *w, const struct walked *next)
{
	if (kind == CUT)
		return w->letters < WORD_MOST && next->letters != 0 &&
		       !(w->known && next->known);
	return !w->known && w->letters >= REPAIRED_LEAST;
}

/* Look at a word for one kind. */
static void
take_word(const struct view_job *job, enum broken kind, struct group *g,
    const struct walked *w, const struct walked *next)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	struct repair r;

	if (w->at < g->taken)
		return;
	if (may_be(kind, w, next) &&
	    repair(kind, text, w->at, w->letters, &r)) {
		if (g->hits++ == 0)
			g->start = w->at;
		g->end = g->taken = r.end;
		g->quiet = 0;
	} else if (g->hits != 0 && ++g->quiet > QUIET_MOST) {
		group_close(job, kind, g);
	}
}

/* One walk for all kinds, and for what is shifted. Returns whether there was a
 * run that is long enough to be glued words. */
static bool
find_broken(const struct view_job *job)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	struct group groups[KINDS] = {0};
	struct shift_run shift = {0};
	struct walked next = {0};
	bool glued = false;

	for (size_t i = 0; i < text.n;) {
		struct walked w =
		    next.letters != 0 && next.at == i ? next : word_at(text, i);
		size_t piece;

		if (w.letters == 0) {
			view_shift_gap(job, &shift, i++);
			continue;
		}
		i += w.letters;
		glued |= w.letters >= GLUED_LEAST;
		view_shift_word(&shift, w.letters, w.known);
		piece = next_piece(text, i);
		next = piece == 0 ? (struct walked){0} : word_at(text, piece);
		for (enum broken k = 0; k < KINDS; k++)
			if ((job->done & 1u << views[k]) == 0)
				take_word(job, k, &groups[k], &w, &next);
	}
	for (enum broken k = 0; k < KINDS; k++)
		group_close(job, k, &groups[k]);
	view_shift_end(job, &shift);
	return glued;
}

/* A long run with blanks between its words, if there are such. */
static bool
split(struct span run, struct buf *out)
{
	size_t blanks = 0;

	buf_clear(out);
	view_add_words(run.p, run.n, out);
	for (size_t i = 0; i < out->len; i++)
		blanks += out->data[i] == ' ';
	return blanks * 12 >= run.n &&
	       known_count((struct span){out->data, out->len}) >= GLUED_WORDS;
}

/* The text around the first glued run, with all of them near it split. */
static void
make_glued(const struct view_job *job, size_t start, size_t end)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	struct buf out, words;

	buf_init(&out, (end - start) * 2);
	buf_init(&words, (end - start) * 2);
	for (size_t i = start; i < end;) {
		size_t n = word_length(text.p + i, end - i);

		if (n >= GLUED_LEAST &&
		    split((struct span){text.p + i, n}, &words))
			(void)buf_add(&out, words.data, words.len);
		else
			(void)buf_add(&out, text.p + i, n + (n == 0));
		i += n + (n == 0);
	}
	emit(job, VIEW_GLUED, &out, start, end);
	buf_free(&words);
	buf_free(&out);
}

static void
find_glued(const struct view_job *job)
{
	struct span text = {job->fold->text.data, job->fold->text.len};
	size_t from = 0;
	struct buf words;

	buf_init(&words, text.n * 2);
	for (size_t i = 0; i < text.n;) {
		size_t n = word_length(text.p + i, text.n - i), end;

		if (n < GLUED_LEAST ||
		    !split((struct span){text.p + i, n}, &words)) {
			i += n + (n == 0);
			continue;
		}
		end = widen(text, i + n, text.n);
		make_glued(job, widen(text, i, from), end);
		from = i = end;
	}
	buf_free(&words);
}

void
view_broken(const struct view_job *job)
{
	bool glued = find_broken(job);

	if (glued && (job->done & 1u << VIEW_GLUED) == 0)
		find_glued(job);
}
