/*
 * What a report counts. Runs as whoever may read the log; believes nothing of
 * it.
 */
#include "executor/audit_report.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_report_attest.h"
#include "executor/audit_show.h"
#include "executor/destination.h"
#include "proto/message.h"

#define TEXT_MAX_BYTES (3 * RECORD_LINE_MAX)
#define COUNT_MAX 1000000 /* of one record of blocked connections */
#define SLOW_MS (UINT64_C(10) * 60 * 1000) /* longer than any order takes */
#define LIST_MAX 20 /* unknown outcomes that are told one by one */

struct reading {
	struct report *report;
	struct attested *attested;
	struct json_doc doc;		  /* of a record's detail */
	char time[RECORD_TIME_BYTES + 1]; /* of the record, or empty */
	struct buf text;
};

static const struct {
	const char *id, *title, *command;
	bool always; /* of the others nothing is written yet, or is damage: an
			empty one would say that it looked */
	bool events;
} sections[REPORT_SECTIONS] = {
    [REPORT_DAMAGE] = {"damage", "Damage of the log", "audit verify", false,
	true},
    [REPORT_BLOCKED] = {"blocked", "Blocked connections by user, host and port",
	"audit show --kind blocked", false, false},
    [REPORT_REFUSED] = {"refused", "Refusals by rule",
	"audit show --kind decision", true, false},
    [REPORT_SUSPECT] = {"suspect", "Suspect content",
	"audit show --kind detect, --kind quarantine", true, true},
    [REPORT_HALTED] = {"halted", "Halted loops", "audit show --kind halt",
	false, true},
    [REPORT_ATTESTED] = {"attested", "Changes of what processes attest",
	"audit show --kind attest, --kind hello", true, true},
    [REPORT_UNKNOWN] = {"unknown", "Unknown outcomes", "audit show --unknown",
	true, true},
};

const char *
report_title(enum report_section section)
{
	return sections[section].title;
}

const char *
report_id(enum report_section section)
{
	return sections[section].id;
}

const char *
report_command(enum report_section section)
{
	return sections[section].command;
}

bool
report_always(enum report_section section)
{
	return sections[section].always;
}

bool
report_is_events(enum report_section section)
{
	return sections[section].events;
}

bool
report_is_quiet(const struct report *report)
{
	for (unsigned i = 0; i < REPORT_SECTIONS; i++)
		if (report->sections[i].total != 0)
			return false;
	return true;
}

static void
set_time(struct reading *reading, struct span line)
{
	memcpy(reading->time, record_time(line).p, RECORD_TIME_BYTES);
	reading->time[RECORD_TIME_BYTES] = '\0';
}

/* Count what the buffer says. */
static void
count(struct reading *reading, enum report_section section, uint64_t times)
{
	struct span text = {reading->text.data, reading->text.len};

	if (text.n != 0 && text.p[0] == ' ') /* of a member before it */
		text = (struct span){text.p + 1, text.n - 1};
	if (reading->text.overflow || text.n == 0)
		text = SPAN("(too long to be told)");
	tally_add(&reading->report->sections[section], text, times,
	    span_of(reading->time));
}

static void
add_name(struct reading *reading, const char *before, struct span name)
{
	if (name.n == 0)
		return;
	buf_add_text(&reading->text, before);
	show_name(&reading->text, name);
}

static void
add_number(struct reading *reading, const char *before, uint64_t number)
{
	if (number != 0)
		buf_add_format(&reading->text, "%s%llu", before,
		    (unsigned long long)number);
}

/* The member of a detail that is an object, as text. */
static struct span
detail_text(const struct reading *reading, const char *key)
{
	const struct json_node *root = json_root(&reading->doc);
	const struct json_node *node = json_get(&reading->doc, root, key);

	if (node == NULL)
		return (struct span){NULL, 0};
	return node->type == JSON_STRING ? node->value.string
					 : json_raw(&reading->doc, node);
}

static bool
parse_detail(struct reading *reading, const struct record *record)
{
	return json_parse(&reading->doc, record->detail, NULL, NULL) == 0 &&
	       json_root(&reading->doc)->type == JSON_OBJECT;
}

/* Host and port are what the record says itself, or words of its detail. */
static void
read_blocked(struct reading *reading, const struct record *record)
{
	const struct json_node *node;
	struct span port = {NULL, 0}, host = record->destination;
	uint64_t times = 1;

	if (!parse_detail(reading, record)) {
		add_name(reading, "", host);
		add_name(reading, " ", record->detail);
		count(reading, REPORT_BLOCKED, 1);
		return;
	}
	if (host.n == 0) {
		host = detail_text(reading, "host");
		port = detail_text(reading, "port");
	} else {
		host = destination_host(host, &port);
	}
	add_name(reading, "user ", detail_text(reading, "user"));
	add_name(reading, " host ", host);
	add_name(reading, " port ", port);
	node = json_get(&reading->doc, json_root(&reading->doc), "count");
	if (node != NULL && node->type == JSON_INTEGER &&
	    node->value.integer > 0)
		times = node->value.integer < COUNT_MAX
			    ? (uint64_t)node->value.integer
			    : COUNT_MAX;
	count(reading, REPORT_BLOCKED, times);
}

static void
read_decision(struct reading *reading, const struct record *record)
{
	if (report_class_of(record) != CLASS_REFUSED)
		return;
	add_name(reading, "rule ", record->rule);
	add_name(reading, ": ", record->why);
	if (record->verdict != VERDICT_DENY)
		buf_add_format(
		    &reading->text, ", then %s", record_error_text(record));
	count(reading, REPORT_REFUSED, 1);
}

/* Which message, or what call brought it back. */
static void
add_source(struct reading *reading, const struct record *record)
{
	if (record->message != 0 && record->request == 0)
		add_number(reading, "msg:", record->message);
	add_number(reading, "request ", record->request);
	add_number(reading, " session ", record->session);
}

static void
read_detect(struct reading *reading, const struct record *record)
{
	if (!parse_detail(reading, record) ||
	    !span_is(detail_text(reading, "verdict"), "suspect"))
		return;
	add_source(reading, record);
	add_name(reading, " score ", detail_text(reading, "score"));
	add_name(reading, " places ", detail_text(reading, "found"));
	count(reading, REPORT_SUSPECT, 1);
}

static void
read_quarantine(struct reading *reading, const struct record *record)
{
	add_source(reading, record);
	add_name(reading, " set aside: ", record->why);
	count(reading, REPORT_SUSPECT, 1);
}

static void
read_halt(struct reading *reading, const struct record *record)
{
	add_number(reading, "session ", record->session);
	add_name(reading, " zone ", record->zone);
	add_name(reading, " capability ", record->capability);
	add_name(reading, ": ", record->why);
	count(reading, REPORT_HALTED, 1);
}

/* An outcome that is unknown, or an intent that has none. */
static void
read_unknown(struct reading *reading, const struct record *record)
{
	struct tally *tally = &reading->report->sections[REPORT_UNKNOWN];

	if (tally->used < LIST_MAX)
		add_number(reading, "session ", record->session);
	add_name(reading, " capability ", record->capability);
	if (tally->used < LIST_MAX) {
		add_name(reading, " to ", record->destination);
		add_number(reading, " request ", record->request);
	}
	if (record->kind == RECORD_INTENT)
		buf_add_text(&reading->text, ", no outcome yet");
	count(reading, REPORT_UNKNOWN, 1);
}

static void
read_damage(struct reading *reading, const struct record *record)
{
	buf_add_text(&reading->text, "found at a start");
	add_name(reading, ": ", record->why);
	add_name(reading, " ", record->detail);
	count(reading, REPORT_DAMAGE, 1);
}

static void
read_attestation(
    struct reading *reading, const struct record *record, bool in_period)
{
	if (attested_follow(
		reading->attested, record, in_period, &reading->text) != 0)
		count(reading, REPORT_ATTESTED, 1);
}

static void
read_record(struct reading *reading, const struct record *record)
{
	switch (record->kind) {
	case RECORD_BLOCKED:
		read_blocked(reading, record);
		break;
	case RECORD_DECISION:
		read_decision(reading, record);
		break;
	case RECORD_DETECT:
		read_detect(reading, record);
		break;
	case RECORD_QUARANTINE:
		read_quarantine(reading, record);
		break;
	case RECORD_HALT:
		read_halt(reading, record);
		break;
	case RECORD_DAMAGE:
		read_damage(reading, record);
		break;
	case RECORD_OUTCOME:
		/* the others at the end, if nobody has settled them */
		if (record->status == OUTCOME_UNKNOWN &&
		    !unsettled_has(audit_walk_unsettled(reading->report->walk),
			record->intent))
			read_unknown(reading, record);
		break;
	case RECORD_SESSION:
		if (span_is(record->why, "begins"))
			reading->report->sessions++;
		break;
	default:
		break;
	}
}

/* What is counted, and attestations before the period, to compare with. */
static bool
may(void *context, struct span line)
{
	static const enum record_kind kinds[] = {RECORD_BLOCKED,
	    RECORD_DECISION, RECORD_DETECT, RECORD_QUARANTINE, RECORD_HALT,
	    RECORD_DAMAGE, RECORD_SESSION};
	struct reading *reading = context;

	if (attested_is(line))
		return true;
	if (!audit_filter_when(reading->report->period, line) ||
	    record_is(line, RECORD_CHECKPOINT) ||
	    record_is(line, RECORD_LINEAGE))
		return false;
	if (reading->report->rows != NULL)
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (record_is(line, kinds[i]))
			return true;
	return record_is(line, RECORD_OUTCOME) &&
	       memmem(line.p, line.n, "\"unknown\"", 9) != NULL;
}

static bool
counted(void *context, struct span line)
{
	struct reading *reading = context;

	if (audit_filter_when(reading->report->period, line))
		reading->report->records++;
	return may(context, line);
}

static void
take(struct reading *reading, const struct audit_item *item)
{
	bool in_period = audit_filter_when(reading->report->period, item->line);

	set_time(reading, item->line);
	buf_clear(&reading->text);
	if (attested_is(item->line))
		read_attestation(reading, &item->record, in_period);
	else
		read_record(reading, &item->record);
	if (in_period)
		report_keep(reading->report, item);
}

static int
read_unsettled(void *context, const struct audit_item *item)
{
	struct reading *reading = context;

	if (!audit_filter_when(reading->report->period, item->line))
		return 0;
	buf_clear(&reading->text);
	read_unknown(reading, &item->record);
	return 0;
}

static int
read_open_intents(struct reading *reading, uint64_t now_ms)
{
	struct audit_walk *walk = reading->report->walk;
	const struct intents *intents = audit_walk_intents(walk);
	char buffer[RECORD_LINE_MAX];
	struct audit_item item;
	int rc = 0;

	for (size_t i = 0; i < intents->count && rc == 0; i++) {
		rc = audit_walk_at(
		    walk, NULL, intents->rows[i].offset, buffer, &item);
		if (rc != 0 ||
		    !audit_filter_when(reading->report->period, item.line) ||
		    audit_time_ms(record_time(item.line)) + SLOW_MS > now_ms)
			continue;
		set_time(reading, item.line);
		buf_clear(&reading->text);
		read_unknown(reading, &item.record);
	}
	if (rc == 0 && audit_walk_intents_more(walk) != 0) {
		reading->time[0] = '\0';
		buf_clear(&reading->text);
		buf_add_text(&reading->text,
		    "at least so many more without an outcome, whenever they "
		    "began");
		count(reading, REPORT_UNKNOWN, audit_walk_intents_more(walk));
	}
	return rc;
}

static int
gather(struct reading *reading, uint64_t now_ms)
{
	struct report *report = reading->report;
	struct audit_item item;
	int rc;

	while ((rc = audit_walk_next(report->walk, &item)) == 1)
		take(reading, &item);
	if (rc == 0)
		rc = audit_walk_end(report->walk);
	if (rc == 0)
		rc = audit_walk_each_unsettled(
		    report->walk, read_unsettled, reading);
	if (rc == 0)
		rc = read_open_intents(reading, now_ms);
	if (audit_walk_damaged(report->walk)) {
		reading->time[0] = '\0';
		buf_clear(&reading->text);
		buf_add_text(&reading->text,
		    "records are damaged, and nothing behind them is proved: "
		    "see audit verify");
		count(reading, REPORT_DAMAGE, 1);
	}
	return rc;
}

int
report_read(const char *path, const struct audit_filter *period, bool rows,
    uint64_t now_ms, struct report *out)
{
	struct audit_filter all;
	struct reading reading = {.report = out};
	struct audit_walk_options options = {
	    .filter = &all, .may = counted, .context = &reading};
	int rc;

	*out = (struct report){.period = period};
	audit_filter_init(&all);
	rc = audit_walk_open(path, &options, &out->walk);
	if (rc != 0)
		return rc;
	if (rows)
		out->rows = alloc_array(REPORT_ROWS_MAX, sizeof *out->rows);
	reading.attested = attested_new();
	json_init(&reading.doc);
	buf_init(&reading.text, TEXT_MAX_BYTES);
	rc = gather(&reading, now_ms);
	buf_free(&reading.text);
	json_done(&reading.doc);
	attested_free(reading.attested);
	for (unsigned i = 0; i < REPORT_SECTIONS; i++)
		if (report_is_events((enum report_section)i))
			tally_sort_time(&out->sections[i]);
		else
			tally_sort(&out->sections[i]);
	report_sort_rows(out);
	return rc;
}

void
report_free(struct report *report)
{
	for (unsigned i = 0; i < REPORT_SECTIONS; i++)
		tally_free(&report->sections[i]);
	free(report->rows);
	audit_walk_close(report->walk);
}
