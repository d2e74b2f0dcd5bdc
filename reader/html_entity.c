/*
 * Character references: the named table, the numeric rules, the legacy names
 * without semicolon. Pure functions over hostile bytes, in the reader's
 * worker.
 */
#include "reader/html_entity.h"

#include <stdint.h>
#include <string.h>

#include "reader/html_ascii.h"

struct entity {
	const char *name;
	char text[ENTITY_TEXT_BYTES];
	bool legacy; /* also without semicolon */
};

static const struct entity entities[] = {
#define ENTITY(name, text, legacy) {name, text, legacy},
#include "reader/html_entity.def"
#undef ENTITY
};

/* What the numbers 0x80 to 0x9f mean: windows-1252. Zero: the number. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, /* 80 */
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,      /* 88 */
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, /* 90 */
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178, /* 98 */
};

static uint32_t
numeric_code(uint32_t code)
{
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0xfffd;
	if (code >= 0x80 && code <= 0x9f && windows_1252[code - 0x80] != 0)
		return windows_1252[code - 0x80];
	return code;
}

static size_t
parse_number(const char *p, size_t bytes, char out[ENTITY_TEXT_BYTES],
    size_t *length_out)
{
	size_t i = 2, start;
	uint32_t base = 10, code = 0;

	if (i < bytes && ascii_lower(p[i]) == 'x') {
		base = 16;
		i++;
	}
	for (start = i; i < bytes; i++) {
		int digit = ascii_hex(p[i]);

		if (digit < 0 || (uint32_t)digit >= base)
			break;
		if (code <= 0x10ffff)
			code = code * base + (uint32_t)digit;
	}
	if (i == start)
		return 0;
	*length_out = utf8_encode(numeric_code(code), out);
	return i < bytes && p[i] == ';' ? i + 1 : i;
}

/* First row at or behind `from` and before `to` whose character number `at`
 * is not below `c` (or, with `above`, is greater). The rows between agree in
 * all characters before. */
static size_t
narrow(size_t from, size_t to, size_t at, char c, bool above)
{
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		char have = entities[mid].name[at];

		if (have < c || (above && have == c))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* The longest name that the bytes start with; NULL if there is none. */
static const struct entity *
find_name(const char *p, size_t bytes, size_t *length_out)
{
	size_t from = 0, to = sizeof entities / sizeof entities[0], i;
	const struct entity *best = NULL;

	for (i = 0; i < bytes && p[i] != '\0'; i++) {
		from = narrow(from, to, i, p[i], false);
		to = narrow(from, to, i, p[i], true);
		if (from == to)
			break;
		if (entities[from].name[i + 1] != '\0')
			continue;
		if (entities[from].legacy ||
		    (i + 1 < bytes && p[i + 1] == ';')) {
			best = &entities[from];
			*length_out = i + 1;
		}
	}
	return best;
}

static size_t
parse_name(const char *p, size_t bytes, bool in_attribute,
    char out[ENTITY_TEXT_BYTES], size_t *length_out)
{
	size_t length = 0;
	const struct entity *found = find_name(p + 1, bytes - 1, &length);
	char next;

	if (found == NULL)
		return 0;
	length++;
	next = length < bytes ? p[length] : '\0';
	if (next == ';')
		length++;
	else if (in_attribute &&
		 (next == '=' || ascii_is_letter(next) || ascii_is_digit(next)))
		return 0;
	*length_out = strlen(found->text);
	memcpy(out, found->text, *length_out);
	return length;
}

size_t
entity_parse(const char *p, size_t bytes, bool in_attribute,
    char out[ENTITY_TEXT_BYTES], size_t *length_out)
{
	if (bytes < 2)
		return 0;
	if (p[1] == '#')
		return parse_number(p, bytes, out, length_out);
	return parse_name(p, bytes, in_attribute, out, length_out);
}

struct span
entity_decode(struct span raw, struct buf *scratch)
{
	size_t i = 0;

	if (raw.n == 0 || memchr(raw.p, '&', raw.n) == NULL)
		return raw;
	buf_clear(scratch);
	while (i < raw.n) {
		const char *amp = memchr(raw.p + i, '&', raw.n - i);
		size_t plain =
		    amp == NULL ? raw.n - i : (size_t)(amp - raw.p) - i;
		char out[ENTITY_TEXT_BYTES];
		size_t used = 0, length = 1;

		(void)buf_add(scratch, raw.p + i, plain);
		i += plain;
		if (amp == NULL)
			break;
		used = entity_parse(amp, raw.n - i, true, out, &length);
		(void)buf_add(scratch, used == 0 ? "&" : out, length);
		i += used == 0 ? 1 : used;
	}
	return (struct span){scratch->data, scratch->len};
}
