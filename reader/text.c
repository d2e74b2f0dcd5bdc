/*
 * Bare text. Runs in the worker on bytes nobody has looked at.
 */
#include "reader/text.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/clean.h"
#include "reader/charset.h"
#include "reader/judge.h"
#include "reader/limits.h"
#include "reader/object.h"
#include "reader/record.h"
#include "reader/visible.h"

#define CHANNEL "text"

void
text_warm(void)
{
	charset_warm();
	detect_warm();
}

/* The set that a byte order mark names; the mark is taken off. */
static struct span
take_mark(struct span *raw)
{
	static const struct {
		const char *mark, *set;
	} marks[] = {
	    {"\xff\xfe", "utf-16le"},
	    {"\xfe\xff", "utf-16be"},
	    {"\xef\xbb\xbf", "utf-8"},
	};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (span_starts(*raw, marks[i].mark)) {
			raw->p += strlen(marks[i].mark);
			raw->n -= strlen(marks[i].mark);
			return span_of(marks[i].set);
		}
	return SPAN("utf-8");
}

static void
read_text(struct span raw, struct visible *v, struct clean *c)
{
	uint64_t replaced = 0;
	struct span set;
	struct buf text;

	if (raw.n == 0)
		clean_find(c, FINDING_EMPTY);
	set = take_mark(&raw);
	buf_init(&text, MAIL_TEXT_BYTES * 2);
	if (charset_decode(set, raw, &text, &replaced) != 0)
		v->text_dropped++; /* at least one; nobody counted them */
	if (replaced != 0)
		clean_find(c, FINDING_UNDECODABLE_TEXT);
	visible_add(v, text.data, text.len);
	visible_end(v);
	buf_free(&text);
}

/* A text in work. */
struct work {
	struct clean clean;
	struct record notes;
	struct visible body;
};

/* Read and judge; work_done is the caller's. */
static void
work_do(struct work *w, enum detect_channel channel, struct span raw)
{
	struct span hidden;

	clean_init(&w->clean, CHANNEL);
	record_init(&w->notes);
	visible_init(&w->body, NULL);
	if (raw.n <= MAIL_MAX_BYTES) {
		read_text(raw, &w->body, &w->clean);
		object_body(&w->clean, &w->body);
		object_hidden(&w->clean, NULL, &w->body);
	} else {
		clean_fail(&w->clean, ERR_TOO_LARGE,
		    "the text is larger than the reader takes");
	}
	hidden = (struct span){w->body.hidden.data, w->body.hidden.len};
	if (w->clean.error == 0)
		judge_clean(&w->clean, channel, &hidden, 1, &w->notes);
}

static void
work_done(struct work *w)
{
	clean_done(&w->clean);
	record_done(&w->notes);
	visible_done(&w->body);
}

int
text_clean(struct span raw, struct buf *clean, struct buf *record)
{
	struct span excerpts;
	struct work w;
	int rc;

	work_do(&w, DETECT_CONTENT, raw);
	excerpts = (struct span){w.body.record.data, w.body.record.len};
	rc = clean_write(&w.clean, clean);
	if (rc == 0)
		rc = record_write(&w.notes, CHANNEL, &excerpts, 1,
		    w.body.record_dropped, record);
	work_done(&w);
	return rc;
}

struct clean_injection
text_score(enum detect_channel channel, struct span raw)
{
	struct clean_injection injection;
	struct work w;

	work_do(&w, channel, raw);
	injection = w.clean.injection;
	work_done(&w);
	return injection;
}
