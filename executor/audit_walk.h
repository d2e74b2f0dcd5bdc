/*
 * A log record by record, for whoever may read it: the chain is checked on the
 * way, what is wrong goes to standard error and what can still be read is
 * given. Constant memory.
 *
 *	struct audit_walk *walk;
 *	struct audit_item item;
 *	int rc = audit_walk_open(path, &options, &walk);
 *
 *	while (rc == 0 && (rc = audit_walk_next(walk, &item)) == 1)
 *		rc = ...item.record...;
 *	audit_walk_close(walk);
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_WALK_H
#define TRIZONE_EXECUTOR_AUDIT_WALK_H

#include <stdbool.h>

#include "executor/audit_filter.h"
#include "executor/audit_intents.h"
#include "executor/audit_unsettled.h"

struct audit_walk;

struct audit_walk_options {
	const struct audit_filter *filter; /* borrowed while it is open */
	/* A further cheap test of each line before it is taken apart; NULL:
	 * none. */
	bool (*may)(void *context, struct span line);
	void *context;
	/* Pass over segments that the index says nothing of it is in: quicker,
	 * and no proof. Not with filter->unknown. */
	bool use_index;
};

struct audit_item {
	struct span line; /* as record_check accepts it; until the next call */
	struct record record;
	uint64_t place; /* for audit_walk_at */
};

/* Open the log `path`, a folder or a file. Errors as audit_reader_open. */
int audit_walk_open(const char *path, const struct audit_walk_options *options,
    struct audit_walk **out);
void audit_walk_close(struct audit_walk *walk);

/* The next record the filter wants: 1. 0: there is none yet; may be asked
 * again, which is how a log is followed. Errors as audit_reader_next. */
int audit_walk_next(struct audit_walk *walk, struct audit_item *item_out);

/* Tell of a last record that was cut short, once there is no next one. 0 or
 * -ERR_IO. */
int audit_walk_end(struct audit_walk *walk);

/* A record that was there before, in `buffer` of RECORD_LINE_MAX bytes; its
 * texts are kept by `doc`, or, if that is NULL, up to the next call of any of
 * these. Errors as audit_reader_at and record_parse. */
int audit_walk_at(struct audit_walk *walk, struct json_doc *doc, uint64_t place,
    char *buffer, struct audit_item *item_out);

/* Intents that have no outcome up to here, whatever the filter: the oldest
 * INTENTS_MAX, and at least how many more there are. Where segments were
 * passed over, outcomes may have been too. */
const struct intents *audit_walk_intents(const struct audit_walk *walk);
uint64_t audit_walk_intents_more(const struct audit_walk *walk);

/* The same of unknown outcomes without a settlement, by the places of these
 * outcomes; but for what there was no room for. */
const struct unsettled *audit_walk_unsettled(const struct audit_walk *walk);

/* Call `each` for the unsettled outcomes in the order of the log; one that
 * returns other than 0 ends it. Errors as audit_walk_at, and what `each`
 * returned. */
int audit_walk_each_unsettled(struct audit_walk *walk,
    int (*each)(void *context, const struct audit_item *item), void *context);

bool audit_walk_damaged(const struct audit_walk *walk);

#endif
