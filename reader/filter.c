/*
 * The work of one item, by channel. Runs in a disposable worker; everything it
 * is given is hostile.
 */
#include "reader/filter.h"

#include "common/err.h"
#include "proto/clean.h"
#include "reader/mail.h"
#include "reader/record.h"
#include "reader/text.h"

/* The channels that can be read. */
static const struct {
	const char *name;
	void (*warm)(void);
	int (*clean)(struct span raw, struct buf *clean, struct buf *record);
} kinds[] = {
    {"mail", mail_warm, mail_clean},
    {"text", text_warm, text_clean},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const char *
filter_kind(struct span name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (span_is(name, kinds[i].name))
			return kinds[i].name;
	return NULL;
}

void
filter_warm(void)
{
	for (size_t i = 0; i < KINDS; i++)
		kinds[i].warm();
}

int
filter_work(
    const char *kind, struct span raw, struct buf *clean, struct buf *record)
{
	for (size_t i = 0; i < KINDS; i++)
		if (span_is(span_of(kind), kinds[i].name))
			return kinds[i].clean(raw, clean, record);
	bug("no reader for %s", kind);
}

void
filter_fail(const char *kind, int error, const char *text, struct buf *clean,
    struct buf *record)
{
	struct clean form;
	struct record none;

	clean_init(&form, kind);
	record_init(&none);
	clean_fail(&form, error, text);
	if (clean_write(&form, clean) != 0 ||
	    record_write(&none, kind, NULL, 0, 0, record) != 0)
		bug("no room for a failure form");
	clean_done(&form);
	record_done(&none);
}
