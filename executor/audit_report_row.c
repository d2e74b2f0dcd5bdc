/*
 * A row of a timeline: when, what, where to, and why. Everything in a record
 * may have been chosen by an attacker.
 */
#include <string.h>

#include "common/err.h"
#include "executor/audit_report_page.h"
#include "executor/inert.h"
#include "proto/message.h"

#define CLOCK_AT 11
#define CLOCK_BYTES 8
#define ARROW " <span class=\"dim\">\xe2\x86\x92</span> "

static const struct {
	const char *name, *title;
} classes[CLASS_COUNT] = {
    [CLASS_READ] = {"read", "Read"},
    [CLASS_LEFT] = {"left", "Left"},
    [CLASS_CHANGED] = {"left", "Changed"},
    [CLASS_DONE] = {"done", "Done"},
    [CLASS_ASKED] = {"asked", "Asked"},
    [CLASS_REFUSED] = {"refused", "Refused"},
    [CLASS_FAILED] = {"failed", "Failed"},
    [CLASS_UNKNOWN] = {"unknown", "Unknown"},
    [CLASS_SUSPECT] = {"suspect", "Suspect"},
    [CLASS_HALTED] = {"halted", "Halted"},
    [CLASS_PERSON] = {"person", "Person"},
    [CLASS_OTHER] = {"other", "Other"},
};

const char *page_class(enum report_class class)
{
	return classes[class].name;
}

const char *page_title(enum report_class class)
{
	return classes[class].title;
}

/* What a class does not say by itself. */
static const char *
word_of(const struct record *record, const struct audit_item *outcome,
    enum report_class class)
{
	switch (record->kind) {
	case RECORD_CLAIM:
		return "Took";
	case RECORD_EXPIRY:
		return "Expired";
	case RECORD_DENIAL:
		return "Denied";
	case RECORD_APPROVAL:
		return record->error == 0 ? "Approved" : "Not approved";
	case RECORD_BLOCKED:
		return "Blocked";
	case RECORD_TASK:
		return "Task";
	case RECORD_HELLO:
		return record->error == 0 ? "Hello" : "Turned away";
	case RECORD_MACHINE:
		return record->error == 0 ? "Machine" : "Machine refused";
	case RECORD_SESSION:
		return "Session";
	case RECORD_INTENT:
		return class == CLASS_DONE && outcome == NULL
			   ? "Began"
			   : classes[class].title;
	case RECORD_OUTCOME:
		return record->status == OUTCOME_REFUSED ? "Not done"
							 : classes[class].title;
	default:
		return class == CLASS_OTHER || class == CLASS_PERSON
			   ? record_kind_name(record->kind)
			   : classes[class].title;
	}
}

static void
add_part(struct buf *out, const char *lead, struct span text)
{
	if (text.n == 0)
		return;
	buf_add_text(out, lead);
	page_text(out, text);
}

/* Each by itself, and whether there are more than were kept, or one that is
 * not there whole. */
static void
add_destination(
    struct buf *out, const struct record *record, enum report_class class)
{
	const char *lead = class == CLASS_READ ? " " : ARROW;
	struct span rest = record->destination;

	while (rest.n != 0) {
		const char *blank = memchr(rest.p, ' ', rest.n);
		size_t n = blank == NULL ? rest.n : (size_t)(blank - rest.p);

		add_part(out, lead, (struct span){rest.p, n});
		lead = ", ";
		n += blank == NULL ? 0 : 1;
		rest = (struct span){rest.p + n, rest.n - n};
	}
	if (record->destination_bytes > record->destination.n)
		buf_add_text(out, " and more");
}

static void
add_subject(
    struct buf *out, const struct record *record, enum report_class class)
{
	char handle[HANDLE_MAX_BYTES];

	add_part(out, " ", record->capability);
	add_destination(out, record, class);
	if (record->message != 0) {
		handle_format((int64_t)record->message, handle);
		buf_add_format(out, " <span class=\"dim\">%s</span>", handle);
	}
	if (record->request != 0)
		buf_add_format(out, " <span class=\"dim\">call %llu</span>",
		    (unsigned long long)record->request);
}

/* A part of a line of reasons; the first has nothing before it. */
static void
add_reason(struct buf *out, bool *any, const char *lead, struct span text)
{
	if (text.n == 0)
		return;
	if (*any)
		buf_add_text(out, " \xc2\xb7 ");
	*any = true;
	buf_add_text(out, lead);
	page_text(out, text);
}

static void
add_member(struct page *page, bool *any, const char *lead, const char *key)
{
	const struct json_node *node =
	    json_get(&page->doc, json_root(&page->doc), key);

	if (node == NULL)
		return;
	add_reason(&page->text, any, lead,
	    node->type == JSON_STRING ? node->value.string
				      : json_raw(&page->doc, node));
}

/* Details that are JSON in words; what a process attests is told where it
 * changes. False: the detail is words. */
static bool
add_detail_in_words(struct page *page, const struct record *record, bool *any)
{
	bool is_lock = record->kind == RECORD_START ||
		       record->kind == RECORD_ATTEST ||
		       record->kind == RECORD_HELLO;

	if ((!is_lock && record->kind != RECORD_DETECT &&
		record->kind != RECORD_BLOCKED &&
		record->kind != RECORD_MACHINE) ||
	    json_parse(&page->doc, record->detail, NULL, NULL) != 0 ||
	    json_root(&page->doc)->type != JSON_OBJECT)
		return false;
	if (record->kind == RECORD_DETECT) {
		add_member(page, any, "", "verdict");
		add_member(page, any, "score ", "score");
		add_member(page, any, "places ", "found");
	} else if (record->kind == RECORD_BLOCKED) {
		add_member(page, any, "user ", "user");
		if (record->destination.n == 0) {
			add_member(page, any, "host ", "host");
			add_member(page, any, "port ", "port");
		}
		add_member(page, any, "times ", "count");
	} else if (record->kind == RECORD_MACHINE) {
		add_member(page, any, "", "provider");
		add_member(page, any, "isolated as ", "isolation");
		add_member(page, any, "image ", "image");
	} else {
		add_member(page, any, "", "role");
	}
	return true;
}

/* What became of it, behind the reasons for it. */
static void
add_outcome(struct page *page, const struct audit_item *item,
    const struct audit_item *outcome, bool *any)
{
	struct buf *out = &page->text;

	if (outcome == NULL) {
		if (item->record.kind == RECORD_INTENT)
			add_reason(out, any, "", SPAN("no outcome yet"));
		return;
	}
	add_reason(out, any, "", span_of(outcome_name(outcome->record.status)));
	if (outcome->record.status == OUTCOME_DONE &&
	    outcome->record.bytes != 0 && outcome->record.bytes != UINT64_MAX)
		buf_add_format(out, ", %llu bytes came back",
		    (unsigned long long)outcome->record.bytes);
	if (outcome->record.error != 0)
		buf_add_format(
		    out, ": %s", record_error_text(&outcome->record));
	add_reason(out, any, "", outcome->record.detail);
}

static void
add_reasons(struct page *page, const struct audit_item *item,
    const struct audit_item *outcome)
{
	const struct record *record = &item->record;
	struct buf *out = &page->text;
	size_t start = out->len;
	bool any = false;

	buf_add_text(out, "<p class=\"more\">");
	add_reason(out, &any, "", record->why);
	add_reason(out, &any, "rule ", record->rule);
	if (record->error != 0)
		add_reason(out, &any, "", span_of(record_error_text(record)));
	if (!add_detail_in_words(page, record, &any))
		add_reason(out, &any, "", record->detail);
	if (record->session == 0)
		add_reason(out, &any, "zone ", record->zone);
	add_outcome(page, item, outcome, &any);
	if (any)
		buf_add_text(out, "</p>");
	else
		out->len = start;
}

void
page_row(struct page *page, const struct audit_item *item,
    const struct audit_item *outcome, enum report_class class)
{
	const char *time = record_time(item->line).p;
	struct buf *out = &page->text;

	if (memcmp(page->day, time, PAGE_DATE_BYTES) != 0)
		buf_add_format(out, "<li class=\"day\">%.*s</li>\n",
		    PAGE_DATE_BYTES, time);
	memcpy(page->day, time, PAGE_DATE_BYTES);
	buf_add_format(out,
	    "<li class=\"%s\"><time>%.*s</time><div><p><b>%s</b>",
	    classes[class].name, CLOCK_BYTES, time + CLOCK_AT,
	    word_of(&item->record, outcome, class));
	add_subject(out, &item->record, class);
	buf_add_text(out, "</p>");
	add_reasons(page, item, outcome);
	buf_add_text(out, "</div></li>\n");
}
