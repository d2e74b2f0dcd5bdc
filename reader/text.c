/*
 * Bare text. Runs in the worker on bytes nobody has looked at.
 */
#include "reader/text.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "common/sha256.h"
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
	sha256_warm();
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

int
text_clean_as(enum detect_channel channel, struct span raw, struct buf *clean,
    struct buf *record)
{
	struct record notes;
	struct visible v;
	struct clean c;
	struct span hidden, excerpts;
	int rc;

	clean_init(&c, CHANNEL);
	record_init(&notes);
	visible_init(&v, NULL);
	if (raw.n <= MAIL_MAX_BYTES) {
		read_text(raw, &v, &c);
		object_body(&c, &v);
		object_hidden(&c, NULL, &v);
	} else {
		clean_fail(&c, ERR_TOO_LARGE,
		    "the text is larger than the reader takes");
	}
	hidden = (struct span){v.hidden.data, v.hidden.len};
	excerpts = (struct span){v.record.data, v.record.len};
	if (c.error == 0)
		judge_clean(&c, channel, &hidden, 1, &notes);
	rc = clean_write(&c, clean);
	if (rc == 0)
		rc = record_write(
		    &notes, CHANNEL, &excerpts, 1, v.record_dropped, record);
	clean_done(&c);
	record_done(&notes);
	visible_done(&v);
	return rc;
}

int
text_clean(struct span raw, struct buf *clean, struct buf *record)
{
	return text_clean_as(DETECT_CONTENT, raw, clean, record);
}
