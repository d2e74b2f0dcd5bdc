/*
 * The few ASCII rules HTML and CSS share; independent of any locale.
 */
#ifndef TRIZONE_READER_HTML_ASCII_H
#define TRIZONE_READER_HTML_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
ascii_is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Tab, line feed, form feed, carriage return, blank. */
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* Value of a hexadecimal digit, or -1. */
static inline int
ascii_hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Equal without regard to ASCII case; `lower` is in lower case. */
static inline bool
ascii_is(struct span a, const char *lower)
{
	size_t i = 0;

	while (i < a.n && lower[i] != '\0' && ascii_lower(a.p[i]) == lower[i])
		i++;
	return i == a.n && lower[i] == '\0';
}

static inline bool
ascii_starts(struct span a, const char *lower)
{
	size_t i = 0;

	while (i < a.n && lower[i] != '\0' && ascii_lower(a.p[i]) == lower[i])
		i++;
	return lower[i] == '\0';
}

/* Order of `a` in lower case against `lower`, as strcmp(3). */
static inline int
ascii_order(struct span a, const char *lower)
{
	size_t i = 0;

	while (i < a.n && lower[i] != '\0' && ascii_lower(a.p[i]) == lower[i])
		i++;
	if (i == a.n || lower[i] == '\0')
		return (i < a.n) - (lower[i] != '\0');
	return (unsigned char)ascii_lower(a.p[i]) - (unsigned char)lower[i];
}

/* Without the blanks at both ends. */
static inline struct span
ascii_trim(struct span a)
{
	while (a.n > 0 && ascii_is_space(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && ascii_is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

/* Whether one of the words between blanks is `lower`, in any case. */
static inline bool
ascii_has_word(struct span a, const char *lower)
{
	size_t i = 0;

	while (i < a.n) {
		size_t start = i;

		while (i < a.n && !ascii_is_space(a.p[i]))
			i++;
		if (ascii_is((struct span){a.p + start, i - start}, lower))
			return true;
		i++;
	}
	return false;
}

#endif
