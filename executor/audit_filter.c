/*
 * Filters over audit records. Pure; believes nothing of the records.
 */
#include "executor/audit_filter.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"

void
audit_filter_init(struct audit_filter *filter)
{
	*filter = (struct audit_filter){.session = FILTER_ANY,
	    .message = FILTER_ANY,
	    .verdict = VERDICT_COUNT,
	    .kind = RECORD_KIND_COUNT};
}

bool
audit_filter_when(const struct audit_filter *filter, struct span line)
{
	const char *time = record_time(line).p;

	if (strncmp(time, filter->since, strlen(filter->since)) < 0)
		return false;
	return strncmp(time, filter->until, strlen(filter->until)) <= 0;
}

/* Whether the text may stand in the line: as it is, or with escapes. */
static bool
may_have(struct span line, const char *text)
{
	size_t length = text == NULL ? 0 : strlen(text);

	if (length == 0 || ascii_unescaped(text, length) != length)
		return true;
	return memmem(line.p, line.n, text, length) != NULL ||
	       memchr(line.p, '\\', line.n) != NULL;
}

/* The same of a number, which no escape can change: a record in which it
 * stands in another way is none that our auditor wrote. */
static bool
may_have_number(struct span line, const char *lead, uint64_t number)
{
	char text[48];
	int length;

	if (number == FILTER_ANY)
		return true;
	length = snprintf(
	    text, sizeof text, "%s%llu", lead, (unsigned long long)number);
	return memmem(line.p, line.n, text, (size_t)length) != NULL;
}

bool
audit_filter_may(const struct audit_filter *filter, struct span line)
{
	if (!audit_filter_when(filter, line))
		return false;
	if (filter->kind != RECORD_KIND_COUNT && !record_is(line, filter->kind))
		return false;
	if (filter->verdict != VERDICT_COUNT &&
	    !record_is(line, RECORD_DECISION))
		return false;
	if (filter->unknown && !record_is(line, RECORD_INTENT) &&
	    !record_is(line, RECORD_OUTCOME))
		return false;
	return may_have_number(line, "\"session\":", filter->session) &&
	       may_have_number(line, "\"msg:", filter->message) &&
	       may_have(line, filter->capability) &&
	       may_have(line, filter->rule) && may_have(line, filter->zone) &&
	       may_have(line, filter->destination);
}

static bool
is_wanted(const char *wanted, struct span text)
{
	return wanted == NULL || span_is(text, wanted);
}

/* Members of a call and its order may be lost behind others' words in the
 * detail: so any place in it counts. */
static bool
goes_to(const char *wanted, const struct record *record)
{
	if (wanted == NULL)
		return true;
	switch (record->kind) {
	case RECORD_DECISION:
	case RECORD_INTENT:
	case RECORD_OUTCOME:
	case RECORD_TICKET:
	case RECORD_APPROVAL:
	case RECORD_DENIAL:
	case RECORD_EXPIRY:
	case RECORD_SPENT:
	case RECORD_BLOCKED:
	case RECORD_HALT:
		return memmem(record->detail.p, record->detail.n, wanted,
			   strlen(wanted)) != NULL;
	default:
		return false;
	}
}

bool
audit_filter_wants(const struct audit_filter *filter, struct span line,
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
	if (filter->session != FILTER_ANY && filter->session != record->session)
		return false;
	if (filter->message != FILTER_ANY && filter->message != record->message)
		return false;
	if (filter->unknown && !outcome_unknown &&
	    record->kind != RECORD_INTENT)
		return false;
	return is_wanted(filter->zone, record->zone) &&
	       is_wanted(filter->capability, record->capability) &&
	       is_wanted(filter->rule, record->rule) &&
	       goes_to(filter->destination, record) &&
	       audit_filter_when(filter, line);
}

/* "leak: 12 bytes in 1 fields to ann@example.org, 12 in this session", the
 * last words of a detail (see count_describe). */
static struct span
leak_destination(struct span detail)
{
	static const char lead[] = " fields to ";
	const char *start = NULL, *end = NULL;

	for (size_t i = 0; i + sizeof lead - 1 <= detail.n; i++)
		if (memcmp(detail.p + i, lead, sizeof lead - 1) == 0) {
			start = detail.p + i + sizeof lead - 1;
			break;
		}
	if (start == NULL || memmem(detail.p, detail.n, "leak: ", 6) == NULL)
		return (struct span){NULL, 0};
	for (end = detail.p + detail.n; end > start && *end != ',';)
		end--;
	if (end == start)
		end = detail.p + detail.n;
	return (struct span){start, (size_t)(end - start)};
}

struct span
record_destination(const struct record *record)
{
	switch (record->kind) {
	case RECORD_DECISION:
	case RECORD_INTENT:
	case RECORD_OUTCOME:
	case RECORD_TICKET:
		return leak_destination(record->detail);
	default:
		return (struct span){NULL, 0};
	}
}

static int
parse_number(const char *text, uint64_t most, uint64_t *value_out)
{
	uint64_t value = 0;

	if (*text == '\0')
		return -ERR_RANGE;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -ERR_RANGE;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > most)
			return -ERR_RANGE;
	}
	*value_out = value;
	return 0;
}

int
audit_count_parse(const char *text, uint64_t most, uint64_t *value_out)
{
	uint64_t value = 0;
	int rc = parse_number(text, most, &value);

	if (rc != 0 || value == 0)
		return -ERR_RANGE;
	*value_out = value;
	return 0;
}

static int
take_verdict(struct audit_filter *filter, const char *text)
{
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (strcmp(text, verdict_name((enum verdict)i)) == 0) {
			filter->verdict = (enum verdict)i;
			return 0;
		}
	return -ERR_RANGE;
}

static int
take_kind(struct audit_filter *filter, const char *text)
{
	filter->kind = record_kind_find(span_of(text));
	return filter->kind == RECORD_KIND_COUNT ? -ERR_RANGE : 0;
}

static int
take_message(struct audit_filter *filter, const char *text)
{
	if (strncmp(text, "msg:", 4) == 0)
		text += 4;
	return audit_count_parse(text, RECORD_NUMBER_MAX, &filter->message);
}

int
audit_filter_take(struct audit_filter *filter, int option, const char *argument,
    uint64_t now_ms)
{
	switch (option) {
	case FILTER_OPTION_SINCE:
		return audit_time_parse(argument, now_ms, filter->since);
	case FILTER_OPTION_UNTIL:
		return audit_time_parse(argument, now_ms, filter->until);
	case FILTER_OPTION_ZONE:
		filter->zone = argument;
		return 0;
	case FILTER_OPTION_SESSION:
		return audit_count_parse(
		    argument, RECORD_NUMBER_MAX, &filter->session);
	case FILTER_OPTION_CAPABILITY:
		filter->capability = argument;
		return 0;
	case FILTER_OPTION_VERDICT:
		return take_verdict(filter, argument);
	case FILTER_OPTION_RULE:
		filter->rule = argument;
		return 0;
	case FILTER_OPTION_MESSAGE:
		return take_message(filter, argument);
	case FILTER_OPTION_DESTINATION:
		filter->destination = argument;
		return *argument == '\0' ? -ERR_RANGE : 0;
	case FILTER_OPTION_KIND:
		return take_kind(filter, argument);
	case FILTER_OPTION_UNKNOWN:
		filter->unknown = true;
		return 0;
	default:
		return -ERR_RANGE;
	}
}
