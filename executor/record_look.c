/*
 * What is told of a record without taking its line apart: members that begin
 * it, or that nothing a string holds can look like. Pure.
 */
#include <string.h>

#include "executor/record.h"

#define REMOVED_DIGITS_MAX 15

/* The sequence behind a kind that names its intent first; `lead` is both. */
static uint64_t
intent_behind(struct span line, struct span lead)
{
	struct span rest = {line.p + RECORD_KIND_AT, line.n - RECORD_KIND_AT};
	uint64_t seq = 0;

	if (rest.n <= lead.n + RECORD_SEQ_DIGITS ||
	    memcmp(rest.p, lead.p, lead.n) != 0)
		return 0;
	rest = (struct span){rest.p + lead.n, RECORD_SEQ_DIGITS};
	return record_seq_parse(rest, &seq) == 0 ? seq : 0;
}

uint64_t
record_intent(struct span line)
{
	return intent_behind(line, SPAN("outcome\",\"intent\":\""));
}

uint64_t
record_settles(struct span line)
{
	return intent_behind(line, SPAN("settlement\",\"intent\":\""));
}

/* A quote inside a string is escaped, so that this stands in no string. */
bool
record_is_unknown(struct span line)
{
	static const char status[] = ",\"status\":\"unknown\"";

	return record_is(line, RECORD_OUTCOME) &&
	       memmem(line.p, line.n, status, sizeof status - 1) != NULL;
}

/* A quote inside a string is escaped, so that this stands in no string. */
uint64_t
record_removes(struct span line)
{
	static const char lead[] = ",\"detail\":\"records ", to[] = " to ";
	const char *at, *start, *end = line.p + line.n;
	uint64_t last = 0;

	if (!record_is(line, RECORD_REMOVAL))
		return 0;
	at = memmem(line.p, line.n, lead, sizeof lead - 1);
	if (at == NULL)
		return 0;
	start = at + sizeof lead - 1;
	for (at = start; at < end && *at >= '0' && *at <= '9';)
		at++;
	if (at == start || (size_t)(end - at) < sizeof to ||
	    memcmp(at, to, sizeof to - 1) != 0)
		return 0;
	start = at + sizeof to - 1;
	for (at = start; at < end && at - start < REMOVED_DIGITS_MAX &&
			 *at >= '0' && *at <= '9';
	     at++)
		last = last * 10 + (uint64_t)(*at - '0');
	return at < end && *at == '"' ? last : 0;
}

/* A quote inside a string is escaped, so that this stands in no string. */
uint64_t
record_grant(struct span line)
{
	static const char lead[] = ",\"grant\":";
	uint64_t grant = 0;
	size_t at = RECORD_KIND_AT;

	if (!record_is(line, RECORD_INTENT))
		return 0;
	while (at + sizeof lead <= line.n &&
	       memcmp(line.p + at, lead, sizeof lead - 1) != 0)
		at++;
	for (at += sizeof lead - 1;
	     at < line.n && line.p[at] >= '0' && line.p[at] <= '9' &&
	     grant <= RECORD_NUMBER_MAX;
	     at++)
		grant = grant * 10 + (uint64_t)(line.p[at] - '0');
	return grant;
}
