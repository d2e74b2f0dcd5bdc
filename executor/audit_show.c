/*
 * Reading a log for a person: filters, the last so many, intents without
 * outcome. Runs as whoever may read the log; believes nothing of it.
 */
#include "executor/audit_show.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_intents.h"
#include "executor/audit_reader.h"
#include "executor/audit_verify.h"

#define TEXT_MAX_BYTES                                                         \
	(3 * RECORD_LINE_MAX) /* inert text is thrice as long                  \
			       */
#define DAY_BYTES 10	      /* of a time */

struct show {
	const struct show_options *options;
	FILE *out;
	struct audit_reader *reader;
	struct chain chain;
	struct intents intents;
	struct json_doc doc;
	struct buf text;
	uint64_t shown;
	uint64_t *tail;		 /* ring of options->tail offsets */
	uint64_t seen;		 /* offsets that went into the ring */
	char day[DAY_BYTES + 1]; /* of the last line shown */
	bool damaged;
};

void
show_options_init(struct show_options *options)
{
	*options = (struct show_options){.filter = {.session = SHOW_ANY,
					     .message = SHOW_ANY,
					     .verdict = VERDICT_COUNT,
					     .kind = RECORD_KIND_COUNT}};
}

static bool
text_matches(const char *wanted, struct span text)
{
	return wanted == NULL || span_is(text, wanted);
}

static bool
time_matches(const struct show_filter *filter, struct span line)
{
	const char *time = record_time(line).p;

	if (filter->since != NULL &&
	    strncmp(time, filter->since, strlen(filter->since)) < 0)
		return false;
	return filter->until == NULL ||
	       strncmp(time, filter->until, strlen(filter->until)) <= 0;
}

bool
show_matches(const struct show_filter *filter, struct span line,
    const struct record *record)
{
	bool outcome_unknown =
	    record->kind == RECORD_OUTCOME && record->status == OUTCOME_UNKNOWN;

	if (filter->kind != RECORD_KIND_COUNT && filter->kind != record->kind)
		return false;
	if (filter->verdict != VERDICT_COUNT &&
	    (record->kind != RECORD_DECISION ||
		filter->verdict != record->verdict))
		return false;
	if (filter->session != SHOW_ANY && filter->session != record->session)
		return false;
	if (filter->message != SHOW_ANY && filter->message != record->message)
		return false;
	if (filter->unknown && !outcome_unknown &&
	    record->kind != RECORD_INTENT)
		return false;
	return text_matches(filter->capability, record->capability) &&
	       text_matches(filter->rule, record->rule) &&
	       time_matches(filter, line);
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
print(struct show *show, struct span line, const struct record *record)
{
	int rc;

	show->shown++;
	if (show->options->style.json) {
		fwrite(line.p, 1, line.n, show->out);
		putc('\n', show->out);
		return ferror(show->out) ? -ERR_IO : 0;
	}
	print_day(show, line);
	buf_clear(&show->text);
	rc = show_format(&show->text, &show->options->style, line, record);
	if (rc != 0)
		return rc;
	fwrite(show->text.data, 1, show->text.len, show->out);
	return ferror(show->out) ? -ERR_IO : 0;
}

/* A record that matches: print it, or remember it for the tail. */
static int
take(struct show *show, struct span line, uint64_t offset,
    const struct record *record)
{
	if (show->tail == NULL)
		return print(show, line, record);
	show->tail[show->seen % show->options->tail] = offset;
	show->seen++;
	return 0;
}

static void
complain(struct show *show, uint64_t offset, const char *what)
{
	if (!show->damaged)
		fprintf(stderr,
		    "the log is damaged behind record %llu, at byte %llu: %s; "
		    "nothing from there on is proved\n",
		    (unsigned long long)show->chain.last,
		    (unsigned long long)offset, what);
	show->damaged = true;
}

/* What cannot be read is complained about and passed over. */
static int
show_line(struct show *show, const struct audit_line *at)
{
	const struct show_filter *filter = &show->options->filter;
	enum damage damage = at->stub ? chain_skip(&show->chain, at->text)
				      : chain_next(&show->chain, at->text);
	struct span line = at->text;
	uint64_t offset = at->place;
	struct record record;
	int rc;

	if (damage != DAMAGE_NONE)
		complain(show, offset, damage_text(damage));
	if (damage == DAMAGE_MALFORMED)
		return 0;
	rc = record_parse(&show->doc, line, &record);
	if (rc != 0) {
		complain(show, offset, err_text(rc));
		return 0;
	}
	if (filter->unknown &&
	    intents_follow(&show->intents, line, offset) != 0)
		complain(show, offset, "too many intents without outcome");
	if (filter->unknown && record.kind == RECORD_INTENT)
		return 0; /* told at the end, if it is still open then */
	if (!show_matches(filter, line, &record))
		return 0;
	return take(show, line, offset, &record);
}

static bool
enough(const struct show *show)
{
	return show->options->limit != 0 && show->shown == show->options->limit;
}

static int
show_lines(struct show *show)
{
	struct audit_line line;
	struct audit_rest rest = {0};
	int rc = 0, got = 1;

	while (rc == 0 && !enough(show) &&
	       (got = audit_reader_next(show->reader, &line)) > 0)
		rc = show_line(show, &line);
	if (got == -ERR_TOO_LARGE)
		complain(show, line.place, damage_text(DAMAGE_MALFORMED));
	else if (got < 0)
		return got;
	if (got == 0)
		rc = audit_reader_rest(show->reader, NULL, &rest);
	if (rest.torn)
		fprintf(stderr, "%s\n", damage_text(DAMAGE_TORN));
	return rc;
}

/* A line that was read before. */
static int
again(struct show *show, uint64_t offset, bool filtered)
{
	char buffer[RECORD_LINE_MAX];
	struct record record;
	struct span line;
	int rc = audit_reader_at(show->reader, offset, buffer, &line);

	if (rc == 0)
		rc = record_check(line);
	if (rc == 0)
		rc = record_parse(&show->doc, line, &record);
	if (rc != 0)
		return rc;
	if (!filtered)
		return print(show, line, &record);
	if (!show_matches(&show->options->filter, line, &record))
		return 0;
	return take(show, line, offset, &record);
}

static int
show_open_intents(struct show *show)
{
	int rc = 0;

	for (size_t i = 0; i < show->intents.count && rc == 0 && !enough(show);
	     i++)
		rc = again(show, show->intents.rows[i].offset, true);
	return rc;
}

static int
show_tail(struct show *show)
{
	size_t room = show->options->tail;
	uint64_t first = show->seen > room ? show->seen - room : 0;
	int rc = 0;

	for (uint64_t i = first; i < show->seen && rc == 0; i++)
		rc = again(show, show->tail[i % room], false);
	return rc;
}

static int
show_all(struct show *show)
{
	int rc = show_lines(show);

	if (rc == 0)
		rc = show_open_intents(show);
	if (rc == 0 && show->tail != NULL)
		rc = show_tail(show);
	if (rc == 0 && fflush(show->out) != 0)
		rc = -ERR_IO;
	return rc;
}

int
audit_show(const char *path, const struct show_options *options, FILE *out,
    bool *damaged_out)
{
	struct sha256 *digest;
	struct show *show;
	struct audit_reader *reader;
	int rc = audit_reader_open(path, &reader);

	if (rc != 0)
		return rc;
	show = alloc_bytes(sizeof *show);
	show->options = options;
	show->out = out;
	show->reader = reader;
	digest = sha256_new();
	chain_init(&show->chain, digest);
	json_init(&show->doc);
	buf_init(&show->text, TEXT_MAX_BYTES);
	if (options->tail != 0)
		show->tail = alloc_array(options->tail, sizeof *show->tail);
	rc = show_all(show);
	*damaged_out = show->damaged;
	free(show->tail);
	buf_free(&show->text);
	json_done(&show->doc);
	sha256_free(digest);
	free(show);
	audit_reader_close(reader);
	return rc;
}
