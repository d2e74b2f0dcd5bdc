/*
 * The table of formats, and those that are a matter of a few characters.
 */
#include "executor/format.h"

#include <string.h>

#include "executor/format_impl.h"
#include "executor/uri.h"

#define IPV6_GROUPS 8
#define UUID_BYTES 36
#define LABEL_WORK 64	     /* per byte of a name with labels of IDNA */
#define NAME_BYTES_MAX 1024u /* looked at, of a longer name too */

/*
 * ipv4, ipv6
 */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
format_ipv4(struct span text)
{
	unsigned parts = 0;
	size_t i = 0;

	for (;;) {
		unsigned value = 0, digits = 0;

		while (i < text.n && is_digit(text.p[i]) && digits < 3) {
			value = value * 10 + (unsigned)(text.p[i++] - '0');
			digits++;
		}
		if (digits == 0 || value > 255 ||
		    (digits > 1 && text.p[i - digits] == '0'))
			return false;
		if (++parts == 4)
			return i == text.n;
		if (i == text.n || text.p[i++] != '.')
			return false;
	}
}

/* Groups between single colons; the last may be an IPv4 address, which counts
 * as two. -1: it is something else. */
static int
count_groups(struct span text, bool may_end_in_ipv4)
{
	int groups = 0;
	size_t i = 0;

	if (text.n == 0)
		return 0;
	for (;;) {
		size_t begin = i;

		while (i < text.n && is_hex(text.p[i]))
			i++;
		if (i < text.n && text.p[i] == '.')
			return may_end_in_ipv4 &&
				       format_ipv4((struct span){
					   text.p + begin, text.n - begin})
				   ? groups + 2
				   : -1;
		if (i == begin || i - begin > 4)
			return -1;
		groups++;
		if (i == text.n)
			return groups;
		if (text.p[i++] != ':' || groups > IPV6_GROUPS)
			return -1;
	}
}

bool
format_ipv6(struct span text)
{
	size_t gap = 0;
	int before, behind;

	while (
	    gap + 1 < text.n && (text.p[gap] != ':' || text.p[gap + 1] != ':'))
		gap++;
	if (gap + 1 >= text.n)
		return count_groups(text, true) == IPV6_GROUPS;
	before = count_groups((struct span){text.p, gap}, false);
	behind = count_groups(
	    (struct span){text.p + gap + 2, text.n - gap - 2}, true);
	return before >= 0 && behind >= 0 && before + behind < IPV6_GROUPS;
}

/*
 * date, date-time
 */

/* `count` digits at `at`; -1 if they are not there. */
static int
number_at(struct span text, size_t at, size_t count)
{
	int value = 0;

	if (text.n < at + count)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if (!is_digit(text.p[i]))
			return -1;
		value = value * 10 + (text.p[i] - '0');
	}
	return value;
}

static int
month_days(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool
format_date(struct span text)
{
	int year = number_at(text, 0, 4), month = number_at(text, 5, 2);
	int day = number_at(text, 8, 2);

	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || year < 0 ||
	    month < 1 || month > 12)
		return false;
	return day >= 1 && day <= month_days(year, month);
}

/* Minutes east of UTC in Z or +hh:mm, all of `text`. */
static bool
parse_offset(struct span text, int *minutes_out)
{
	int hours = number_at(text, 1, 2), minutes = number_at(text, 4, 2);

	*minutes_out = 0;
	if (text.n == 1)
		return text.p[0] == 'Z' || text.p[0] == 'z';
	if (text.n != 6 || (text.p[0] != '+' && text.p[0] != '-') ||
	    text.p[3] != ':' || hours < 0 || hours > 23 || minutes < 0 ||
	    minutes > 59)
		return false;
	*minutes_out = (hours * 60 + minutes) * (text.p[0] == '-' ? -1 : 1);
	return true;
}

/* hh:mm:ss, a fraction, an offset. The second 60 is the last of a day in UTC;
 * which days have one is not known. */
static bool
time_check(struct span text)
{
	int hour = number_at(text, 0, 2), minute = number_at(text, 3, 2);
	int second = number_at(text, 6, 2), offset, utc;
	size_t i = 8;

	if (text.n < 9 || text.p[2] != ':' || text.p[5] != ':' || hour < 0 ||
	    hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (text.p[i] == '.') {
		for (i++; i < text.n && is_digit(text.p[i]); i++)
			;
		if (i == 9)
			return false;
	}
	if (!parse_offset((struct span){text.p + i, text.n - i}, &offset))
		return false;
	utc = (hour * 60 + minute - offset + 2 * 1440) % 1440;
	return second < 60 || utc == 1439;
}

static bool
format_date_time(struct span text)
{
	return text.n > 11 && format_date((struct span){text.p, 10}) &&
	       (text.p[10] == 'T' || text.p[10] == 't') &&
	       time_check((struct span){text.p + 11, text.n - 11});
}

/*
 * uuid, json-pointer
 */
static bool
format_uuid(struct span text)
{
	if (text.n != UUID_BYTES)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text.p[i] != '-' : !is_hex(text.p[i]))
			return false;
	}
	return true;
}

static bool
format_json_pointer(struct span text)
{
	if (text.n != 0 && text.p[0] != '/')
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '~' &&
		    (i + 1 == text.n ||
			(text.p[i + 1] != '0' && text.p[i + 1] != '1')))
			return false;
	return true;
}

static const struct format formats[] = {
    {"email", format_email, true},
    {"uri", uri_check, false},
    {"hostname", format_hostname, true},
    {"idn-hostname", format_idn_hostname, true},
    {"ipv4", format_ipv4, false},
    {"ipv6", format_ipv6, false},
    {"date-time", format_date_time, false},
    {"date", format_date, false},
    {"uuid", format_uuid, false},
    {"json-pointer", format_json_pointer, false},
};

const struct format *
format_find(struct span name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (span_is(name, formats[i].name))
			return &formats[i];
	return NULL;
}

uint64_t
format_work(const struct format *format, struct span text)
{
	size_t bytes = text.n < NAME_BYTES_MAX ? text.n : NAME_BYTES_MAX;

	for (size_t i = 1; format->of_names && i < bytes; i++)
		if (((unsigned char)(text.p[i] | text.p[i - 1]) & 0x80) != 0 ||
		    (text.p[i] == '-' && text.p[i - 1] == '-'))
			return bytes * LABEL_WORK;
	return text.n;
}

size_t
format_number(const struct format *format)
{
	return (size_t)(format - formats);
}
