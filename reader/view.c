/*
 * The views of one text: the bounds, and the way from what came out to what
 * is in that. Runs in the reader's worker; recursion ends at VIEW_DEPTH.
 */
#include "reader/view.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "reader/lexicon.h"
#include "reader/view_part.h"

static const char *const names[VIEW_COUNT] = {
#define VIEW(name, text) text,
#include "reader/view.def"
#undef VIEW
};

const char *
view_name(enum view view)
{
	if ((unsigned)view >= VIEW_COUNT)
		bug("view %d", (int)view);
	return names[view];
}

/* What has come out of a text cannot come out of it again, but for what
 * people put into each other. */
static bool
may_repeat(enum view view)
{
	return view <= VIEW_ESCAPE;
}

static void look(struct view_job *job); /* ends at VIEW_DEPTH */

/* The views in what came out. */
static void
look_inside(const struct view_job *job, enum view view, struct span decoded,
    size_t start, size_t end)
{
	struct view_job inner = {.run = job->run,
	    .text = decoded,
	    .depth = job->depth + 1,
	    .done = job->done,
	    .start = start,
	    .end = end};
	struct fold fold;

	if (!may_repeat(view))
		inner.done |= 1u << view;
	fold_init(&fold, decoded.n * FOLD_GROWTH);
	(void)fold_text(&fold, decoded);
	inner.fold = &fold;
	look(&inner);
	fold_done(&fold);
}

void
view_emit(const struct view_job *job, enum view view, struct span decoded,
    bool readable, size_t start, size_t end)
{
	struct view_run *run = job->run;

	if (decoded.n == 0)
		return;
	if (decoded.n > run->bytes_left || run->views_left == 0) {
		run->cut = true;
		return;
	}
	run->bytes_left -= decoded.n;
	if (job->depth != 0) {
		start = job->start;
		end = job->end;
	}
	if (readable) {
		run->views_left--;
		run->take(run->with, view, decoded, start, end);
	}
	if (job->depth + 1 == VIEW_DEPTH)
		return;
	if (run->looks_left == 0) {
		run->cut = true;
		return;
	}
	run->looks_left--;
	look_inside(job, view, decoded, start, end);
}

static void
look(struct view_job *job)
{
	struct view_marks marks;

	view_marks_find(&marks, job->text);
	job->marks = &marks;
	view_base64(job);
	view_base32(job);
	view_codes(job);
	view_escapes(job);
	view_joined(job);
	view_spelled(job);
	view_broken(job);
	view_turned(job);
	view_marks_done(&marks);
}

void
view_warm(void)
{
	known_warm();
	lexicon_warm();
}

bool
view_each(struct span text, const struct fold *fold, view_take take, void *with)
{
	struct view_run *run = alloc_bytes(sizeof *run);
	struct view_job job = {.run = run, .text = text, .fold = fold};
	bool whole;

	run->take = take;
	run->with = with;
	run->bytes_left = text.n * 2 + VIEW_SPARE_BYTES;
	run->views_left = VIEW_COUNT_MAX;
	run->looks_left = VIEW_COUNT_MAX * 2;
	known_warm();
	run->cut = !utf8_check(text.p, text.n);
	if (text.n != 0 && !run->cut)
		look(&job);
	whole = !run->cut;
	free(run);
	return whole;
}
