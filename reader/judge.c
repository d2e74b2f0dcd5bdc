/*
 * Runs in the worker. The object's texts are looked at as one, as an attack
 * may be spread over them: who says to have sent it, subject, body, the names
 * of attachments. Addresses and the names beside them are another text, the
 * words in links' URLs a third.
 */
#include "reader/judge.h"

#include <string.h>

#include "common/limits.h"
#include "reader/url_words.h"

static void
add_part(struct buf *text, struct span part)
{
	if (part.n == 0)
		return;
	if (text->len != 0)
		(void)buf_add_text(text, "\n\n");
	(void)buf_add(text, part.p, part.n);
}

/* All that is read as a text, as one; *body_out is where the body begins in
 * it. */
static void
main_text(const struct clean *c, struct buf *out, size_t *body_out)
{
	add_part(out, c->from.name);
	add_part(out, c->subject);
	add_part(out, c->body);
	*body_out = out->len - c->body.n;
	for (size_t i = 0; i < c->attachment_count; i++)
		add_part(out, c->attachments[i].name);
}

/* What else a sender can write into the object. */
static void
other_text(const struct clean *c, struct buf *out)
{
	add_part(out, c->from.address);
	add_part(out, c->message_id);
	for (unsigned list = 0; list < CLEAN_LIST_COUNT; list++)
		for (size_t i = 0; i < c->people[list].count; i++) {
			add_part(out, c->people[list].at[i].name);
			add_part(out, c->people[list].at[i].address);
		}
}

/* The words of the links' URLs: of HTML they are not in the body. */
static void
url_text(const struct clean *c, struct buf *out)
{
	for (size_t i = 0; i < c->link_count; i++)
		url_words_add(c->links[i].url, out);
}

/* Places from `first` on in the order of their starts: a few, so by
 * insertion. */
static void
sort_spans(struct detect *d, size_t first)
{
	for (size_t i = first; i < d->span_count; i++)
		for (size_t k = i;
		     k > first && d->spans[k].start < d->spans[k - 1].start;
		     k--) {
			struct detect_span swap = d->spans[k];

			d->spans[k] = d->spans[k - 1];
			d->spans[k - 1] = swap;
		}
}

/* Look at a text, and record what is found. */
static void
look(struct detect *d, struct span text, enum detect_where where,
    struct record *record)
{
	size_t first = d->span_count;

	detect_add(d, text, where);
	sort_spans(d, first);
	for (size_t i = first; i < d->span_count; i++)
		record_injection(record, &d->spans[i],
		    (struct span){text.p + d->spans[i].start,
			d->spans[i].end - d->spans[i].start});
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
	size_t body = 0;

	buf_init(&text, 2 * CLEAN_MAX_BYTES);
	main_text(c, &text, &body);
	detect_begin(&d, channel);
	look(&d, (struct span){text.data, text.len}, DETECT_SEEN, record);
	for (size_t i = 0; i < d.span_count; i++)
		add_body_span(c, &d.spans[i], body);
	buf_clear(&text);
	other_text(c, &text);
	look(&d, (struct span){text.data, text.len}, DETECT_SEEN, record);
	buf_clear(&text);
	url_text(c, &text);
	look(&d, (struct span){text.data, text.len}, DETECT_SEEN, record);
	for (size_t i = 0; i < count; i++)
		look(&d, hidden[i], DETECT_HIDDEN, record);
	record->dropped += d.lost_spans;
	keep(c, &d);
	detect_done(&d);
	buf_free(&text);
}
