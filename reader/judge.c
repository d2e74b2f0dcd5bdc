/*
 * Runs in the worker. The object's texts are looked at as one, as an attack
 * may be spread over them: who says to have sent it, subject, body, the names
 * of attachments and of those it says to have gone to.
 */
#include "reader/judge.h"

#include <string.h>

#include "common/limits.h"

static void
add_part(struct buf *text, struct span part)
{
	if (part.n == 0)
		return;
	if (text->len != 0)
		(void)buf_add_text(text, "\n\n");
	(void)buf_add(text, part.p, part.n);
}

/* All that is seen, as one text; *body_out is where the body begins in it. */
static void
seen_text(const struct clean *c, struct buf *out, size_t *body_out)
{
	add_part(out, c->from.name);
	add_part(out, c->subject);
	add_part(out, c->body);
	*body_out = out->len - c->body.n;
	for (size_t i = 0; i < c->attachment_count; i++)
		add_part(out, c->attachments[i].name);
	for (unsigned list = 0; list < CLEAN_LIST_COUNT; list++)
		for (size_t i = 0; i < c->people[list].count; i++)
			add_part(out, c->people[list].at[i].name);
}

/* Places in the order of their starts: a few, so by insertion. */
static void
sort_spans(struct detect *d)
{
	for (size_t i = 1; i < d->span_count; i++)
		for (size_t k = i;
		     k > 0 && d->spans[k].start < d->spans[k - 1].start; k--) {
			struct detect_span swap = d->spans[k];

			d->spans[k] = d->spans[k - 1];
			d->spans[k - 1] = swap;
		}
}

/* The part of a place that is in the body. */
static void
add_body_span(struct clean *c, const struct detect_span *span, size_t body)
{
	if (span->end > body)
		clean_add_span(c, span->start > body ? span->start - body : 0,
		    span->end - body);
}

static void
keep(struct clean *c, const struct detect *d)
{
	struct clean_injection *in = &c->injection;

	in->verdict = d->suspect ? CLEAN_SUSPECT : CLEAN_CLEAN;
	in->score = d->score;
	in->ignore = (int64_t)d->keywords[KEYWORD_IGNORE];
	in->instead = (int64_t)d->keywords[KEYWORD_INSTEAD];
	in->new_instruction = (int64_t)d->keywords[KEYWORD_NEW];
}

void
judge_clean(struct clean *c, enum detect_channel channel,
    const struct span *hidden, size_t count, struct record *record)
{
	struct detect d;
	struct buf text;
	size_t body = 0, i;

	buf_init(&text, 2 * CLEAN_MAX_BYTES);
	seen_text(c, &text, &body);
	detect_begin(&d, channel);
	detect_add(&d, (struct span){text.data, text.len}, DETECT_SEEN);
	sort_spans(&d);
	for (i = 0; i < d.span_count; i++) {
		add_body_span(c, &d.spans[i], body);
		record_injection(record, &d.spans[i],
		    (struct span){text.data + d.spans[i].start,
			d.spans[i].end - d.spans[i].start});
	}
	for (size_t k = 0; k < count; k++) {
		detect_add(&d, hidden[k], DETECT_HIDDEN);
		for (; i < d.span_count; i++)
			record_injection(record, &d.spans[i],
			    (struct span){hidden[k].p + d.spans[i].start,
				d.spans[i].end - d.spans[i].start});
	}
	keep(c, &d);
	detect_done(&d);
	buf_free(&text);
}
