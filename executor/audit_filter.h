/*
 * Which records a reader of the log wants, for all commands that take the
 * same filters.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_FILTER_H
#define TRIZONE_EXECUTOR_AUDIT_FILTER_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "executor/audit_time.h"
#include "executor/record.h"

#define FILTER_ANY UINT64_MAX

/* Which records. A record that does not have the member does not match. */
struct audit_filter {
	uint64_t session; /* FILTER_ANY: all */
	uint64_t message; /* FILTER_ANY: all */
	/* NULL: all */
	const char *zone, *capability, *rule;
	/* Stands in where it went, in lower case, as destination.h writes it;
	 * empty: all. What was too long to be on record whole may have gone
	 * there, and matches. */
	char destination[ENTRY_DESTINATION_MAX + 1];
	/* First bytes of a time, both inclusive; empty: all. */
	char since[AUDIT_TIME_BYTES], until[AUDIT_TIME_BYTES];
	enum verdict verdict;  /* VERDICT_COUNT: all */
	enum record_kind kind; /* RECORD_KIND_COUNT: all */
	bool unknown; /* intents without outcome, and outcomes `unknown` */
};

/* All records. */
void audit_filter_init(struct audit_filter *filter);

/* False if the record in `line` (as record_check accepts it) cannot match:
 * cheap, and known before the line is taken apart. */
bool audit_filter_may(const struct audit_filter *filter, struct span line);

/* Whether the record is wanted. Of `unknown` every intent is: which of them
 * have no outcome only the end of the log tells. */
bool audit_filter_wants(const struct audit_filter *filter, struct span line,
    const struct record *record);

/* Whether a time is in the period. */
bool audit_filter_when(const struct audit_filter *filter, struct span line);

/* Rows of a getopt_long table, and what takes them. */
enum {
	FILTER_OPTION_SINCE = 0x100,
	FILTER_OPTION_UNTIL,
	FILTER_OPTION_ZONE,
	FILTER_OPTION_SESSION,
	FILTER_OPTION_CAPABILITY,
	FILTER_OPTION_VERDICT,
	FILTER_OPTION_RULE,
	FILTER_OPTION_MESSAGE,
	FILTER_OPTION_DESTINATION,
	FILTER_OPTION_KIND,
	FILTER_OPTION_UNKNOWN,
	FILTER_OPTION_END
};

#define FILTER_PERIOD_OPTIONS                                                  \
	{"since", required_argument, NULL, FILTER_OPTION_SINCE},               \
	{                                                                      \
		"until", required_argument, NULL, FILTER_OPTION_UNTIL          \
	}

#define FILTER_OPTIONS                                                         \
	FILTER_PERIOD_OPTIONS,                                                 \
	    {"zone", required_argument, NULL, FILTER_OPTION_ZONE},             \
	    {"session", required_argument, NULL, FILTER_OPTION_SESSION},       \
	    {"capability", required_argument, NULL, FILTER_OPTION_CAPABILITY}, \
	    {"verdict", required_argument, NULL, FILTER_OPTION_VERDICT},       \
	    {"rule", required_argument, NULL, FILTER_OPTION_RULE},             \
	    {"message", required_argument, NULL, FILTER_OPTION_MESSAGE},       \
	    {"handle", required_argument, NULL, FILTER_OPTION_MESSAGE},        \
	    {"destination", required_argument, NULL,                           \
		FILTER_OPTION_DESTINATION},                                    \
	    {"kind", required_argument, NULL, FILTER_OPTION_KIND},             \
	{                                                                      \
		"unknown", no_argument, NULL, FILTER_OPTION_UNKNOWN            \
	}

#define FILTER_PERIOD_USAGE                                                    \
	"  --since TIME, --until TIME\n"                                       \
	"                      UTC, as 2026-01-02T03:04:05 or the first\n"     \
	"                      part of it, both inclusive; or today,\n"        \
	"                      yesterday, now, or how long ago: 90s, 30m,\n"   \
	"                      2h, 3d, 1w\n"

#define FILTER_USAGE                                                           \
	FILTER_PERIOD_USAGE                                                    \
	"  --kind NAME         start, decision, intent, outcome, ...\n"        \
	"  --session N         of this session\n"                              \
	"  --zone NAME         of this zone\n"                                 \
	"  --capability NAME   of this capability\n"                           \
	"  --verdict NAME      decisions: allow, ask or deny\n"                \
	"  --rule ID           decided by this rule\n"                         \
	"  --message msg:N     about this message; so does --handle\n"         \
	"  --destination TEXT  calls and connections to where this is in\n"    \
	"                      the address, host or path\n"                    \
	"  --unknown           effects that may have happened: intents\n"      \
	"                      without outcome, outcomes `unknown'\n"

/* Take an option of the table at `now_ms`; the filter keeps `argument`. 0 or
 * -ERR_RANGE. */
int audit_filter_take(struct audit_filter *filter, int option,
    const char *argument, uint64_t now_ms);

/* Of an option that was not taken: tell on standard error what it can be, and
 * return -ERR_TYPE; or -ERR_RANGE if the usage has to say it. `option` is what
 * getopt_long gave, `row` that of its index. */
int audit_option_refused(const char *command, const struct option *row,
    int option, const char *argument);

/* A whole number from 1 to `most`. 0 or -ERR_RANGE. */
int audit_count_parse(const char *text, uint64_t most, uint64_t *value_out);

#endif
