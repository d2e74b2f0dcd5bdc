/*
 * The detector. Runs in the worker on text that anybody may have written: one
 * pass each for folding, words, rules and features, then one over the windows.
 * All memory grows with the text and is kept for the next one.
 */
#include "reader/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "reader/detect_impl.h"

#define NEVER (-20.0)	  /* log odds of no text at all */
#define HIDDEN_WEIGHT 1.0 /* log odds: hiding it is a sign by itself */
#define CROWDED 1.0	  /* of a text with more forms than are looked at */

struct detect_work {
	struct fold fold;    /* of the text as it stands */
	struct fold decoded; /* of another form of it */
	struct hits hits;
	struct segments segments;
	struct features features;
	size_t first_span; /* of the text that is being looked at */
};

/* A text being looked at, and what its bytes are in the text that was added. */
struct look {
	struct detect *d;
	struct span text;	 /* folded */
	const struct fold *fold; /* NULL: all of it stands for `whole` */
	uint32_t whole_start, whole_end;
	enum view view;
	bool loose;
};

const char *
detect_view_name(enum view view)
{
	return view == VIEW_COUNT ? "" : view_name(view);
}

void
detect_warm(void)
{
	lexicon_warm();
	rules_warm();
	view_warm();
}

void
detect_begin(struct detect *d, enum detect_channel channel)
{
	*d = (struct detect){.channel = channel, .sum = NEVER};
	d->work = alloc_bytes(sizeof *d->work);
	fold_init(&d->work->fold, DETECT_TEXT_BYTES * FOLD_GROWTH);
	fold_init(&d->work->decoded, DETECT_TEXT_BYTES * FOLD_GROWTH);
}

void
detect_done(struct detect *d)
{
	struct detect_work *w = d->work;

	fold_done(&w->fold);
	fold_done(&w->decoded);
	hits_done(&w->hits);
	free(w->segments.at);
	free(w->features.at);
	free(w);
	d->work = NULL;
}

static void
count_keywords(struct detect *d)
{
	static const uint8_t classes[KEYWORD_COUNT] = {
	    [KEYWORD_IGNORE] = WORD_KEY_IGNORE,
	    [KEYWORD_INSTEAD] = WORD_KEY_INSTEAD,
	    [KEYWORD_NEW] = WORD_KEY_NEW,
	};
	const struct hits *hits = &d->work->hits;
	uint32_t ends[KEYWORD_COUNT] = {0}; /* one inside another is no other */

	for (size_t i = 0; i < hits->count; i++)
		for (unsigned k = 0; k < KEYWORD_COUNT; k++)
			if (hits->at[i].class == classes[k] &&
			    hits->at[i].start >= ends[k]) {
				d->keywords[k]++;
				ends[k] = hits->at[i].end;
			}
}

/* Bytes of the added text that folded bytes stand for. */
static void
place(
    const struct look *l, uint32_t start, uint32_t end, struct detect_span *out)
{
	out->start = l->whole_start;
	out->end = l->whole_end;
	if (l->fold != NULL) {
		out->start = (uint32_t)fold_origin(l->fold, start);
		out->end = (uint32_t)fold_origin(l->fold, end);
	}
}

/* Put another span of the same view into this one, if they touch. */
static bool
take_in(struct detect_span *span, const struct detect_span *other)
{
	if (span->view != other->view || span->start > other->end ||
	    span->end < other->start)
		return false;
	if (other->start < span->start)
		span->start = other->start;
	if (other->end > span->end)
		span->end = other->end;
	span->score = fmax(span->score, other->score);
	span->rules |= other->rules;
	return true;
}

/* Keep a suspect window; windows that touch become one span. */
static void
keep_span(const struct look *l, const struct detect_segment *first,
    const struct detect_segment *last, uint64_t rules, double score)
{
	struct detect *d = l->d;
	struct detect_span span = {
	    .score = score, .rules = rules, .where = d->where, .view = l->view};

	place(l, first->start, last->end, &span);
	while (d->span_count > d->work->first_span &&
	       take_in(&span, &d->spans[d->span_count - 1]))
		d->span_count--;
	if (d->span_count <
	    (d->where == DETECT_SEEN ? DETECT_SPANS_SEEN : DETECT_SPANS))
		d->spans[d->span_count++] = span;
	else
		d->lost_spans++;
}

static double
to_score(double sum)
{
	return 1 / (1 + exp(-sum));
}

/* The best of the windows that end with segment `last`. */
static void
score_windows(const struct look *l, size_t last)
{
	const struct segments *s = &l->d->work->segments;
	double sums[MODEL_COUNT] = {0}, best = NEVER;
	size_t features = 0, first = last;
	uint64_t best_rules = 0;

	for (size_t size = 1; size <= WINDOW_MOST && size <= last + 1; size++) {
		const struct detect_segment *at = &s->at[last + 1 - size];
		double logits[MODEL_COUNT], sum;
		struct concepts concepts;

		for (unsigned m = 0; m < MODEL_COUNT; m++)
			sums[m] += at->sum[m];
		features += at->feature_end - at->feature;
		for (unsigned m = 0; m < MODEL_COUNT; m++)
			logits[m] =
			    model_logit((enum model)m, sums[m], features);
		concepts_within(s, last, size, &concepts);
		sum = detect_window(
		    l->d->channel, concepts_logit(&concepts), logits);
		if (sum > best) {
			best = sum;
			best_rules = rules_within(s, last, size);
			first = last + 1 - size;
		}
	}
	if (l->d->where == DETECT_HIDDEN)
		best += HIDDEN_WEIGHT;
	if (best > l->d->sum)
		l->d->sum = best;
	if (best > 0)
		keep_span(
		    l, &s->at[first], &s->at[last], best_rules, to_score(best));
}

static void
look(const struct look *l)
{
	struct detect *d = l->d;
	struct detect_work *w = d->work;

	segments_cut(l->text, &w->segments);
	lexicon_find(l->text, l->loose, &w->hits);
	rules_fire(&w->hits, &w->segments);
	concepts_find(&w->hits, &w->segments);
	features_find(l->text, &w->segments, &w->features);
	model_sum(&w->segments, &w->features);
	for (size_t i = 0; i < w->segments.count; i++) {
		d->rules |= rules_within(&w->segments, i, WINDOW_MOST);
		score_windows(l, i);
	}
}

/* Another form of a part of the text. */
static void
look_at_view(
    void *with, enum view view, struct span decoded, size_t start, size_t end)
{
	struct detect *d = with;
	struct fold *fold = &d->work->decoded;
	struct look l = {
	    .d = d,
	    .whole_start = (uint32_t)start,
	    .whole_end = (uint32_t)end,
	    .view = view,
	    .loose = view == VIEW_JOINED,
	};

	if (fold_text(fold, decoded) != 0)
		return;
	l.text = (struct span){fold->text.data, fold->text.len};
	look(&l);
}

void
detect_add(struct detect *d, struct span text, enum detect_where where)
{
	struct detect_work *w = d->work;
	struct look l = {.d = d, .fold = &w->fold, .view = VIEW_COUNT};

	if (text.n > DETECT_TEXT_BYTES)
		for (text.n = DETECT_TEXT_BYTES;
		     text.n != 0 &&
		     ((unsigned char)text.p[text.n] & 0xc0) == 0x80;
		     text.n--)
			;
	d->where = where;
	w->first_span = d->span_count;
	if (text.n == 0 || fold_text(&w->fold, text) != 0)
		return;
	l.text = (struct span){w->fold.text.data, w->fold.text.len};
	look(&l);
	count_keywords(d);
	if (!view_each(text, &w->fold, look_at_view, d))
		d->sum = fmax(d->sum, CROWDED);
	d->score = to_score(d->sum);
	d->suspect = d->sum > 0;
}
