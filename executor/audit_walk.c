/*
 * Walking a log. Runs as whoever may read it; believes nothing of it.
 */
#include "executor/audit_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_index.h"
#include "executor/audit_reader.h"
#include "executor/audit_verify.h"

struct audit_walk {
	struct audit_walk_options options;
	struct audit_reader *reader;
	struct audit_index *index; /* NULL: none, or not to be used */
	struct chain chain;
	struct intents intents;
	uint64_t intents_more; /* that the set had no room for */
	struct unsettled unsettled;
	struct json_doc doc;
	uint64_t segment; /* that of the last line; 0: before the first */
	bool jumped;	  /* segments were passed over just now */
	bool damaged;
	char again[RECORD_LINE_MAX]; /* a line that was read once more */
};

#define LOOKS 5		      /* at a line that may still be written */
#define LOOK_NS (2 * 1000000) /* between two of them */

int
audit_walk_open(const char *path, const struct audit_walk_options *options,
    struct audit_walk **out)
{
	struct audit_reader *reader;
	struct audit_walk *walk;
	int rc = audit_reader_open(path, &reader);

	if (rc != 0)
		return rc;
	walk = alloc_bytes(sizeof *walk);
	walk->options = *options;
	walk->reader = reader;
	walk->unsettled.most = UNSETTLED_READ_MAX;
	if (options->use_index && !options->filter->unknown)
		walk->index = audit_index_open(path, options->filter);
	chain_init(&walk->chain, sha256_new());
	json_init(&walk->doc);
	*out = walk;
	return 0;
}

void
audit_walk_close(struct audit_walk *walk)
{
	if (walk == NULL)
		return;
	json_done(&walk->doc);
	sha256_free(walk->chain.digest);
	audit_index_close(walk->index);
	audit_reader_close(walk->reader);
	unsettled_done(&walk->unsettled);
	free(walk);
}

const struct intents *
audit_walk_intents(const struct audit_walk *walk)
{
	return &walk->intents;
}

uint64_t
audit_walk_intents_more(const struct audit_walk *walk)
{
	return walk->intents_more;
}

const struct unsettled *
audit_walk_unsettled(const struct audit_walk *walk)
{
	return &walk->unsettled;
}

bool
audit_walk_damaged(const struct audit_walk *walk)
{
	return walk->damaged;
}

static void
complain(
    struct audit_walk *walk, const struct audit_line *line, const char *what)
{
	if (!walk->damaged)
		fprintf(stderr,
		    "the log is damaged behind record %llu, at byte %llu: %s; "
		    "nothing from there on is proved\n",
		    (unsigned long long)walk->chain.last,
		    (unsigned long long)line->offset, what);
	walk->damaged = true;
}

/* The first line of a segment: whether to begin with a later one. */
static int
pass_over(struct audit_walk *walk, const struct audit_line *line)
{
	uint64_t next = line->segment;

	if (walk->index == NULL || line->segment == walk->segment)
		return 0;
	walk->segment = line->segment;
	while (audit_index_spares(walk->index, next, &next))
		;
	if (next == line->segment)
		return 0;
	walk->jumped = true;
	return audit_reader_seek(walk->reader, next) == 0 ? 1 : -ERR_IO;
}

/* Once the set is full the younger ones are only counted: an outcome of none
 * in it is one of theirs. */
static void
follow_intents(struct audit_walk *walk, const struct audit_line *line)
{
	uint64_t ended = record_intent(line->text);

	if (walk->intents_more != 0 && ended != 0 &&
	    !intents_has(&walk->intents, ended))
		walk->intents_more--;
	else if (walk->intents_more != 0 &&
		 record_is(line->text, RECORD_INTENT))
		walk->intents_more++;
	else if (intents_follow(&walk->intents, line->text, line->place) != 0)
		walk->intents_more = 1;
}

static enum damage
look(struct audit_walk *walk, const struct audit_line *line)
{
	return line->stub || walk->jumped
		   ? chain_skip(&walk->chain, line->text)
		   : chain_next(&walk->chain, line->text);
}

/* The kernel shows a write bit by bit to who reads meanwhile: what is no record
 * may be one a moment later. */
static enum damage
look_again(struct audit_walk *walk, struct audit_line *line, enum damage damage)
{
	struct timespec delay = {.tv_nsec = LOOK_NS};
	struct span now;

	for (int i = 0; i < LOOKS && damage != DAMAGE_NONE; i++) {
		nanosleep(&delay, NULL);
		if (audit_reader_at(
			walk->reader, line->place, walk->again, &now) != 0)
			continue;
		line->text = now;
		damage = look(walk, line);
	}
	return damage;
}

/* Check that a line follows what was before it; false: it is no record. */
static bool
follow(struct audit_walk *walk, struct audit_line *line)
{
	enum damage damage = look(walk, line);

	if (damage != DAMAGE_NONE && !walk->damaged)
		damage = look_again(walk, line, damage);
	walk->jumped = false;
	if (damage != DAMAGE_NONE)
		complain(walk, line, damage_text(damage));
	if (damage == DAMAGE_MALFORMED)
		return false;
	follow_intents(walk, line);
	unsettled_follow(&walk->unsettled, line->text, line->place);
	return true;
}

/* 1: the line is wanted. */
static int
take(struct audit_walk *walk, struct audit_line *line,
    struct audit_item *item_out)
{
	const struct audit_walk_options *options = &walk->options;
	int rc;

	if (!follow(walk, line) ||
	    !audit_filter_may(options->filter, line->text) ||
	    (options->may != NULL &&
		!options->may(options->context, line->text)))
		return 0;
	rc = record_parse(&walk->doc, line->text, &item_out->record);
	if (rc != 0) {
		complain(walk, line, err_text(rc));
		return 0;
	}
	item_out->line = line->text;
	item_out->place = line->place;
	return audit_filter_wants(
	    options->filter, line->text, &item_out->record);
}

int
audit_walk_next(struct audit_walk *walk, struct audit_item *item_out)
{
	struct audit_line line = {.place = 0};
	int rc;

	while ((rc = audit_reader_next(walk->reader, &line)) == 1) {
		rc = pass_over(walk, &line);
		if (rc < 0)
			return rc;
		if (rc == 0 && take(walk, &line, item_out) == 1)
			return 1;
	}
	if (rc != -ERR_TOO_LARGE)
		return rc;
	complain(walk, &line, damage_text(DAMAGE_MALFORMED));
	return 0;
}

int
audit_walk_end(struct audit_walk *walk)
{
	struct audit_rest rest;
	int rc = audit_reader_rest(walk->reader, NULL, &rest);

	if (rc == 0 && rest.torn)
		fprintf(stderr, "%s\n", damage_text(DAMAGE_TORN));
	return rc;
}

int
audit_walk_at(struct audit_walk *walk, struct json_doc *doc, uint64_t place,
    char *buffer, struct audit_item *item_out)
{
	int rc = audit_reader_at(walk->reader, place, buffer, &item_out->line);

	if (rc == 0)
		rc = record_check(item_out->line);
	if (rc == 0)
		rc = record_parse(doc == NULL ? &walk->doc : doc,
		    item_out->line, &item_out->record);
	item_out->place = place;
	return rc;
}

static int
compare_places(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return a < b ? -1 : a > b;
}

int
audit_walk_each_unsettled(struct audit_walk *walk,
    int (*each)(void *context, const struct audit_item *item), void *context)
{
	size_t count = walk->unsettled.count;
	uint64_t *places = alloc_array(count + 1, sizeof *places);
	char buffer[RECORD_LINE_MAX];
	struct audit_item item;
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		places[i] = walk->unsettled.rows[i].outcome;
	qsort(places, count, sizeof *places, compare_places);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = audit_walk_at(walk, NULL, places[i], buffer, &item);
		if (rc == 0)
			rc = each(context, &item);
	}
	free(places);
	return rc;
}
