/*
 * Points in time for the audit's readers. Pure.
 */
#include "executor/audit_time.h"

#include <string.h>

#include "common/err.h"

#define TIME_SHAPE "0000-00-00T00:00:00.000Z"
#define TIME_LEAST 4 /* a year */
#define DAY_BYTES 10 /* of a time */
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static uint64_t
number_at(struct span time, size_t at, size_t digits)
{
	uint64_t value = 0;

	for (size_t i = at; i < at + digits; i++)
		value = value * 10 + (uint64_t)(time.p[i] - '0');
	return value;
}

static uint64_t
days_in(uint64_t year, uint64_t month)
{
	static const unsigned char days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Whether there is such a day and hour, as far as the text goes; it has the
 * shape of a time. UTC knows no summer time, and records no leap second. */
static bool
is_there(struct span text)
{
	uint64_t month = text.n < 7 ? 1 : number_at(text, 5, 2);
	uint64_t day = text.n < 10 ? 1 : number_at(text, 8, 2);

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days_in(number_at(text, 0, 4), month) &&
	       (text.n < 13 || number_at(text, 11, 2) < 24) &&
	       (text.n < 16 || number_at(text, 14, 2) < 60) &&
	       (text.n < 19 || number_at(text, 17, 2) < 60);
}

/* Whether a part of a time ends there. */
static bool
is_end(size_t length)
{
	return length == 4 || length == 7 || length == DAY_BYTES ||
	       length == 13 || length == 16 || length == 19 || length == 23 ||
	       length == RECORD_TIME_BYTES;
}

/* The first part of a time; a Z behind seconds or less is dropped. */
static int
parse_absolute(const char *text, char out[AUDIT_TIME_BYTES])
{
	size_t length = strlen(text);

	if (length > TIME_LEAST && length < RECORD_TIME_BYTES &&
	    text[length - 1] == 'Z')
		length--;
	if (!is_end(length))
		return -ERR_RANGE;
	for (size_t i = 0; i < length; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (TIME_SHAPE[i] == '0' ? !digit : text[i] != TIME_SHAPE[i])
			return -ERR_RANGE;
	}
	if (!is_there((struct span){text, length}))
		return -ERR_RANGE;
	memcpy(out, text, length);
	out[length] = '\0';
	return 0;
}

static void
put(uint64_t time_ms, size_t length, char out[AUDIT_TIME_BYTES])
{
	record_time_write(time_ms, out);
	out[length] = '\0';
}

static uint64_t
unit_ms(char unit)
{
	switch (unit) {
	case 's':
		return 1000;
	case 'm':
		return UINT64_C(60) * 1000;
	case 'h':
		return UINT64_C(3600) * 1000;
	case 'd':
		return DAY_MS;
	case 'w':
		return 7 * DAY_MS;
	default:
		return 0;
	}
}

/* "2h": so long before now. */
static int
parse_ago(const char *text, uint64_t now_ms, char out[AUDIT_TIME_BYTES])
{
	uint64_t count = 0, unit;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9' && i < 9; i++)
		count = count * 10 + (uint64_t)(text[i] - '0');
	unit = unit_ms(text[i]);
	if (i == 0 || unit == 0 || text[i + 1] != '\0' || count > now_ms / unit)
		return -ERR_RANGE;
	put(now_ms - count * unit, RECORD_TIME_BYTES, out);
	return 0;
}

int
audit_time_parse(const char *text, uint64_t now_ms, char out[AUDIT_TIME_BYTES])
{
	if (strcmp(text, "now") == 0) {
		put(now_ms, RECORD_TIME_BYTES, out);
		return 0;
	}
	if (strcmp(text, "today") == 0) {
		put(now_ms, DAY_BYTES, out);
		return 0;
	}
	if (strcmp(text, "yesterday") == 0 && now_ms >= DAY_MS) {
		put(now_ms - DAY_MS, DAY_BYTES, out);
		return 0;
	}
	return parse_ago(text, now_ms, out) == 0 ? 0
						 : parse_absolute(text, out);
}

/* Days from 1970 to the date: years begin in March, so that a leap day is
 * the last one of its year. */
static uint64_t
days_of(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t from_march = (month + 9) % 12;
	uint64_t y = month <= 2 ? year - 1 : year;

	return y * 365 + y / 4 - y / 100 + y / 400 +
	       (from_march * 153 + 2) / 5 + day - 1 - 719468;
}

uint64_t
audit_time_ms(struct span time)
{
	uint64_t year = number_at(time, 0, 4), month = number_at(time, 5, 2);
	uint64_t seconds = number_at(time, 11, 2) * 3600 +
			   number_at(time, 14, 2) * 60 + number_at(time, 17, 2);

	if (year < 1970)
		return 0;
	return days_of(year, month, number_at(time, 8, 2)) * DAY_MS +
	       seconds * 1000 + number_at(time, 20, 3);
}
