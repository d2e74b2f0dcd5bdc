/*
 * Showing a log to a person: the first or last so many, intents without
 * outcome, and what comes later. Runs as whoever may read the log; believes
 * nothing of it.
 */
#include "executor/audit_show.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_walk.h"

#define TEXT_MAX_BYTES                                                         \
	(3 * RECORD_LINE_MAX) /* inert text is thrice as long                  \
			       */
#define DAY_BYTES 10	      /* of a time */
#define FOLLOW_MS 200	      /* a person does not notice it */

struct show {
	const struct show_options *options;
	FILE *out;
	struct audit_walk *walk;
	struct buf text;
	uint64_t shown;
	uint64_t *tail;		 /* ring of options->tail places */
	uint64_t seen;		 /* places that went into the ring */
	char day[DAY_BYTES + 1]; /* of the last line shown */
};

void
show_options_init(struct show_options *options)
{
	*options = (struct show_options){.limit = 0};
	audit_filter_init(&options->filter);
}

/* A line of its own for each day, where the times are short. */
static void
print_day(struct show *show, struct span line)
{
	struct span time = record_time(line);

	if (show->options->style.width == 0 ||
	    memcmp(show->day, time.p, DAY_BYTES) == 0)
		return;
	memcpy(show->day, time.p, DAY_BYTES);
	fprintf(show->out, "%s UTC\n", show->day);
}

static int
print(struct show *show, const struct audit_item *item)
{
	int rc;

	show->shown++;
	if (show->options->style.json) {
		fwrite(item->line.p, 1, item->line.n, show->out);
		putc('\n', show->out);
		return ferror(show->out) ? -ERR_IO : 0;
	}
	print_day(show, item->line);
	buf_clear(&show->text);
	rc = show_format(
	    &show->text, &show->options->style, item->line, &item->record);
	if (rc != 0)
		return rc;
	fwrite(show->text.data, 1, show->text.len, show->out);
	return ferror(show->out) ? -ERR_IO : 0;
}

/* A record that matches: print it, or remember it for the tail. */
static int
take(struct show *show, const struct audit_item *item)
{
	if (show->tail == NULL)
		return print(show, item);
	show->tail[show->seen % show->options->tail] = item->place;
	show->seen++;
	return 0;
}

static bool
enough(const struct show *show)
{
	return show->options->limit != 0 && show->shown == show->options->limit;
}

/* Of `unknown`: intents are told at the end, those of them that are still open
 * then, and so are outcomes that nobody has settled until then. */
static bool
is_later(const struct show *show, const struct audit_item *item)
{
	return show->options->filter.unknown &&
	       (item->record.kind == RECORD_INTENT ||
		   unsettled_has(
		       audit_walk_unsettled(show->walk), item->record.intent));
}

static int
show_lines(struct show *show)
{
	struct audit_item item;
	int rc = 0, got = 1;

	while (rc == 0 && !enough(show) &&
	       (got = audit_walk_next(show->walk, &item)) == 1)
		if (!is_later(show, &item))
			rc = take(show, &item);
	if (rc == 0 && got < 0)
		rc = got;
	return rc;
}

static int
take_unsettled(void *context, const struct audit_item *item)
{
	struct show *show = context;

	if (enough(show) || !audit_filter_wants(&show->options->filter,
				item->line, &item->record))
		return 0;
	return take(show, item);
}

static int
show_open_intents(struct show *show)
{
	const struct audit_filter *filter = &show->options->filter;
	const struct intents *intents = audit_walk_intents(show->walk);
	char buffer[RECORD_LINE_MAX];
	struct audit_item item;
	int rc = 0;

	if (!filter->unknown)
		return 0;
	rc = audit_walk_each_unsettled(show->walk, take_unsettled, show);
	for (size_t i = 0; i < intents->count && rc == 0 && !enough(show);
	     i++) {
		rc = audit_walk_at(
		    show->walk, NULL, intents->rows[i].offset, buffer, &item);
		if (rc == 0 &&
		    audit_filter_wants(filter, item.line, &item.record))
			rc = take(show, &item);
	}
	return rc;
}

/* Of a log that no auditor of ours wrote: it has fewer open at a time. */
static void
tell_more(const struct show *show)
{
	uint64_t more = audit_walk_intents_more(show->walk);

	if (show->options->filter.unknown && more != 0)
		fprintf(stderr,
		    "at least %llu more intents have no outcome; they began "
		    "later than these\n",
		    (unsigned long long)more);
}

static int
show_tail(struct show *show)
{
	size_t room = show->options->tail;
	uint64_t first = show->seen > room ? show->seen - room : 0;
	char buffer[RECORD_LINE_MAX];
	struct audit_item item;
	int rc = 0;

	for (uint64_t i = first; i < show->seen && rc == 0; i++) {
		rc = audit_walk_at(
		    show->walk, NULL, show->tail[i % room], buffer, &item);
		if (rc == 0)
			rc = print(show, &item);
	}
	free(show->tail);
	show->tail = NULL;
	return rc;
}

/* Wait a little; false once nobody reads on. */
static bool
wait_more(struct show *show)
{
	struct pollfd end = {.fd = fileno(show->out)};

	if (fflush(show->out) != 0)
		return false;
	return poll(&end, 1, FOLLOW_MS) <= 0 ||
	       (end.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

static int
show_all(struct show *show)
{
	int rc = show_lines(show);

	if (rc == 0 && !enough(show))
		rc = audit_walk_end(show->walk);
	if (rc == 0)
		rc = show_open_intents(show);
	if (rc == 0)
		tell_more(show);
	if (rc == 0 && show->tail != NULL)
		rc = show_tail(show);
	while (rc == 0 && show->options->follow && !enough(show) &&
	       wait_more(show))
		rc = show_lines(show);
	if (rc == 0 && fflush(show->out) != 0)
		rc = -ERR_IO;
	return rc;
}

int
audit_show(const char *path, const struct show_options *options, FILE *out,
    bool *damaged_out)
{
	struct audit_walk_options walk = {
	    .filter = &options->filter, .use_index = !options->no_index};
	struct show show = {.options = options, .out = out};
	int rc = audit_walk_open(path, &walk, &show.walk);

	if (rc != 0)
		return rc;
	buf_init(&show.text, TEXT_MAX_BYTES);
	if (options->tail != 0)
		show.tail = alloc_array(options->tail, sizeof *show.tail);
	rc = show_all(&show);
	*damaged_out = audit_walk_damaged(show.walk);
	free(show.tail);
	buf_free(&show.text);
	audit_walk_close(show.walk);
	return rc;
}
