/*
 * Filters over audit records. Pure; believes nothing of the records.
 */
#include "executor/audit_filter.h"

#include <stdio.h>
#include <string.h>

#include "common/ascii.h"
#include "common/err.h"

#define TIME_WANTED                                                            \
	"a time: UTC, as 2026-01-02T03:04:05 or the first part of it, a day "  \
	"and hour that there are; or today, yesterday, now, 90s, 30m, 2h, "    \
	"3d, 1w"

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

/* `wanted` is in lower case. */
static bool
stands_in(const char *wanted, struct span text)
{
	size_t length = strlen(wanted), i;

	for (size_t at = 0; at + length <= text.n; at++) {
		for (i = 0; i < length; i++)
			if (ascii_lower(text.p[at + i]) != wanted[i])
				break;
		if (i == length)
			return true;
	}
	return false;
}

/* The member as it stands in the line. A quote in a string is escaped, so that
 * its name stands in none; another member tells that it was cut. */
static bool
may_go_to(struct span line, const char *wanted)
{
	static const char lead[] = ",\"destination\":\"";
	static const char cut[] = ",\"destination_bytes\":";
	const char *start, *end, *line_end = line.p + line.n;
	struct span text;

	if (wanted[0] == '\0')
		return true;
	start = memmem(line.p, line.n, lead, sizeof lead - 1);
	if (start == NULL)
		return false;
	start += sizeof lead - 1;
	end = memchr(start, '"', (size_t)(line_end - start));
	if (end == NULL)
		return true;
	text = (struct span){start, (size_t)(end - start)};
	return memchr(text.p, '\\', text.n) != NULL ||
	       stands_in(wanted, text) ||
	       memmem(line.p, line.n, cut, sizeof cut - 1) != NULL;
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
	       may_go_to(line, filter->destination);
}

static bool
is_wanted(const char *wanted, struct span text)
{
	return wanted == NULL || span_is(text, wanted);
}

static bool
goes_to(const char *wanted, const struct record *record)
{
	return wanted[0] == '\0' ||
	       record->destination_bytes > record->destination.n ||
	       stands_in(wanted, record->destination);
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

/* As records have it, so that blanks and other scripts are found too. */
static int
take_destination(struct audit_filter *filter, const char *text)
{
	char *out = filter->destination;
	char *end = out + sizeof filter->destination - 1;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c > 0x20 && c < 0x7f && c != '"' && c != '\\';

		if (end - out < (plain ? 1 : 3))
			return -ERR_RANGE;
		if (plain)
			*out++ = ascii_lower((char)c);
		else
			out += sprintf(out, "%%%02x", (unsigned)c);
	}
	*out = '\0';
	return out == filter->destination ? -ERR_RANGE : 0;
}

static const struct {
	const char *name, *wants;
} wanted[] = {
    {"since", TIME_WANTED},
    {"until", TIME_WANTED},
    {"session", "a number from 1"},
    {"verdict", "allow, ask or deny"},
    {"message", "msg:N"},
    {"handle", "msg:N"},
    {"destination", "1 to 256 bytes"},
    {"kind", "a kind of record, see audit(5)"},
    {"limit", "a number from 1"},
    {"tail", "a number from 1 to 100000"},
    {"format", "ocsf or cef"},
};

int
audit_option_refused(const char *command, const struct option *row, int option,
    const char *argument)
{
	if (option == '?' || argument == NULL)
		return -ERR_RANGE;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (strcmp(row->name, wanted[i].name) != 0)
			continue;
		fprintf(stderr, "%s: --%s \"%s\" is not %s\n", command,
		    row->name, argument, wanted[i].wants);
		return -ERR_TYPE;
	}
	return -ERR_RANGE;
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
		return take_destination(filter, argument);
	case FILTER_OPTION_KIND:
		return take_kind(filter, argument);
	case FILTER_OPTION_UNKNOWN:
		filter->unknown = true;
		return 0;
	default:
		return -ERR_RANGE;
	}
}
