/*
 * Exact comparison and division of JSON numbers. Used by the broker and the
 * couriers on hostile numbers that json_parse accepted; pure.
 */
#include "executor/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define TWO_TO_63 9223372036854775808.0
#define DIGITS_END                                                             \
	UINT64_C(1000000000000000000) /* 18 digits; times ten, it              \
					 still fits 64 bits */
#define EXPONENT_MAX 9999

/* digits * 10^exponent without its sign; digits do not end in a zero. */
struct decimal {
	uint64_t digits;
	int exponent;
};

bool
number_is(const struct json_node *node)
{
	return node->type == JSON_INTEGER || node->type == JSON_REAL;
}

bool
number_is_whole(const struct json_node *number)
{
	return number->type == JSON_INTEGER ||
	       floor(number->value.real) == number->value.real;
}

static int
compare_integer_real(int64_t a, double b)
{
	int64_t whole;
	double fraction;

	if (b >= TWO_TO_63)
		return -1;
	if (b < -TWO_TO_63)
		return 1;
	whole = (int64_t)b;
	if (a != whole)
		return a < whole ? -1 : 1;
	fraction = b - (double)whole;
	return (fraction < 0) - (fraction > 0);
}

int
number_compare(const struct json_node *a, const struct json_node *b)
{
	if (a->type == JSON_INTEGER && b->type == JSON_REAL)
		return compare_integer_real(a->value.integer, b->value.real);
	if (a->type == JSON_REAL && b->type == JSON_INTEGER)
		return -compare_integer_real(b->value.integer, a->value.real);
	if (a->type == JSON_INTEGER)
		return (a->value.integer > b->value.integer) -
		       (a->value.integer < b->value.integer);
	return (a->value.real > b->value.real) -
	       (a->value.real < b->value.real);
}

/* The exponent behind the letter e. */
static int
parse_exponent(struct span text, int *exponent_out)
{
	bool negative = text.p[0] == '-';
	int exponent = 0;

	for (size_t i = text.p[0] == '-' || text.p[0] == '+'; i < text.n; i++) {
		exponent = exponent * 10 + (text.p[i] - '0');
		if (exponent > EXPONENT_MAX)
			return -ERR_LIMIT;
	}
	*exponent_out = negative ? -exponent : exponent;
	return 0;
}

/* Append one digit that is not zero behind `zeros` zeros. */
static int
push_digit(uint64_t *digits, int zeros, char digit)
{
	if (*digits == 0)
		zeros = 0;
	for (; zeros >= 0; zeros--) {
		if (*digits >= DIGITS_END / 10)
			return -ERR_LIMIT;
		*digits *= 10;
	}
	*digits += (uint64_t)(digit - '0');
	return 0;
}

/* `text` has the grammar of RFC 8259 section 6. */
static int
parse_decimal(struct span text, struct decimal *decimal_out)
{
	struct decimal d = {0, 0};
	int zeros = 0, exponent = 0, rc = 0;
	bool fraction = false;
	size_t i;

	for (i = text.p[0] == '-'; i < text.n && rc == 0; i++) {
		char c = text.p[i];

		if (c == 'e' || c == 'E')
			break;
		if (c == '.') {
			fraction = true;
			continue;
		}
		d.exponent -= fraction;
		if (c == '0') {
			zeros++;
			continue;
		}
		rc = push_digit(&d.digits, zeros, c);
		zeros = 0;
	}
	if (rc == 0 && i < text.n)
		rc = parse_exponent(
		    (struct span){text.p + i + 1, text.n - i - 1}, &exponent);
	d.exponent += zeros + exponent;
	if (rc == 0)
		*decimal_out = d;
	return rc;
}

static bool
divides(struct decimal value, struct decimal divisor)
{
	int shift = value.exponent - divisor.exponent;
	uint64_t rest;

	if (value.digits == 0)
		return true;
	if (shift < 0)
		return false; /* value's last digit is not a zero */
	rest = value.digits % divisor.digits;
	while (rest != 0 && shift-- > 0)
		rest = rest * 10 % divisor.digits;
	return rest == 0;
}

int
number_multiple(const struct json_doc *value_doc, const struct json_node *value,
    const struct json_doc *divisor_doc, const struct json_node *divisor,
    bool *multiple_out)
{
	struct decimal a, b;
	int rc;

	if (value->type == JSON_INTEGER && divisor->type == JSON_INTEGER) {
		*multiple_out =
		    value->value.integer % divisor->value.integer == 0;
		return 0;
	}
	rc = parse_decimal(json_raw(value_doc, value), &a);
	if (rc == 0)
		rc = parse_decimal(json_raw(divisor_doc, divisor), &b);
	if (rc == 0)
		*multiple_out = divides(a, b);
	return rc;
}

/* A double tells decimals of 15 digits apart, but for the smallest. */
static bool
is_short(struct span text)
{
	return text.n <= 16 && memchr(text.p, 'e', text.n) == NULL &&
	       memchr(text.p, 'E', text.n) == NULL;
}

bool
number_is_exact(const struct json_doc *doc, const struct json_node *number)
{
	struct decimal written, kept;
	char text[40];
	int digits = fabs(number->value.real) < DBL_MIN ? 1 : 15, length;

	if (number->type == JSON_INTEGER || is_short(json_raw(doc, number)))
		return true;
	do
		length = snprintf(
		    text, sizeof text, "%.*e", digits - 1, number->value.real);
	while (digits++ < 17 && strtod(text, NULL) != number->value.real);
	return parse_decimal(json_raw(doc, number), &written) == 0 &&
	       parse_decimal((struct span){text, (size_t)length}, &kept) == 0 &&
	       written.digits == kept.digits &&
	       (written.digits == 0 || written.exponent == kept.exponent);
}
