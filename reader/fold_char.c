/*
 * One character's folding: GLib's tables of Unicode, and ours for what Unicode
 * keeps apart and a reader does not. Pure but for the cache.
 */
#include "reader/fold_char.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "common/invisible.h"

#define ROUNDS 4 /* a capital can decompose to capitals that decompose */

struct range {
	uint32_t first, last;
};

/* Marks that are taken off, and tatweel. Sorted. */
static const struct range stripped[] = {
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x05bf, 0x05bf},
    {0x05c1, 0x05c2},
    {0x05c4, 0x05c5},
    {0x05c7, 0x05c7},
    {0x0610, 0x061a},
    {0x0640, 0x0640},
    {0x064b, 0x065f},
    {0x0670, 0x0670},
    {0x06d6, 0x06dc},
    {0x06df, 0x06e4},
    {0x06e7, 0x06e8},
    {0x06ea, 0x06ed},
    {0x08ca, 0x08ff},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x20d0, 0x20ff},
    {0x2cef, 0x2cf1},
    {0x302a, 0x302d},
    {0xa66f, 0xa672},
    {0xa674, 0xa67d},
    {0xa69e, 0xa69f},
    {0xfe20, 0xfe2f},
};

/* Scripts without words between blanks. Sorted. */
static const struct range wordless[] = {
    {0x1100, 0x11ff},
    {0x2e80, 0xa4cf},
    {0xa960, 0xa97f},
    {0xac00, 0xd7ff},
    {0xf900, 0xfaff},
    {0x1b000, 0x1b2ff},
    {0x20000, 0x3ffff},
};

/* Sorted by the first number; the last of the row is what all in it are. */
static const struct {
	uint32_t first, last, to;
} own[] = {
#define FOLD(first, last, to) {first, last, to},
#include "reader/fold.def"
#undef FOLD
};

static const struct {
	uint32_t code;
	char text[4];
	bool strict;
} confusables[] = {
#define CONFUSABLE(code, text, strict) {code, text, strict},
#include "reader/confusable.def"
#undef CONFUSABLE
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (code > ranges[mid].last)
			low = mid + 1;
		else if (code < ranges[mid].first)
			high = mid;
		else
			return true;
	}
	return false;
}

/* Index of the confusable, or their number. */
static size_t
find_confusable(uint32_t code)
{
	size_t low = 0, high = COUNT(confusables);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (confusables[mid].code == code)
			return mid;
		if (confusables[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return COUNT(confusables);
}

const char *
fold_ascii_like(uint32_t code)
{
	size_t i = find_confusable(code);

	return i == COUNT(confusables) ? NULL : confusables[i].text;
}

/* Our own choice for a character; true if there is one. */
static bool
find_own(uint32_t code, uint32_t *to_out)
{
	size_t low = 0, high = COUNT(own);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (code > own[mid].last) {
			low = mid + 1;
		} else if (code < own[mid].first) {
			high = mid;
		} else {
			*to_out = own[mid].to;
			return true;
		}
	}
	return false;
}

/* A character that is part of no other: 0 if nothing is left of it. */
static uint32_t
fold_part(uint32_t code)
{
	uint32_t to;

	switch (invisible_class(code)) {
	case INVISIBLE_NOT:
		break;
	case INVISIBLE_BREAK:
		return '\n';
	case INVISIBLE_TAG:
		code = code - 0xe0000;
		return code >= ' ' && code < 0x7f ? g_unichar_tolower(code) : 0;
	default:
		return 0;
	}
	if (find_own(code, &to))
		return to;
	if (in_ranges(stripped, COUNT(stripped), code))
		return 0;
	switch (g_unichar_type(code)) {
	case G_UNICODE_SPACE_SEPARATOR:
		return ' ';
	case G_UNICODE_DECIMAL_NUMBER:
		return '0' + (uint32_t)g_unichar_digit_value(code);
	default:
		return g_unichar_tolower(code);
	}
}

static bool
stays_whole(uint32_t code)
{
	uint32_t to;

	return code < 0x80 || (code >= 0xac00 && code <= 0xd7a3) ||
	       code == 0xfdfa || find_own(code, &to) ||
	       invisible_class(code) != INVISIBLE_NOT;
}

/* What `code` is made of; GLib says how long all of it is, also if that is
 * more than there is room for. */
static size_t
decompose(uint32_t code, gunichar parts[FOLD_CODES])
{
	gsize count = g_unichar_fully_decompose(code, TRUE, parts, FOLD_CODES);

	return count < FOLD_CODES ? count : FOLD_CODES;
}

/* Put what `code` is made of, folded once, behind to[count]. */
static size_t
fold_once(uint32_t code, uint32_t to[FOLD_CODES], size_t count)
{
	gunichar parts[FOLD_CODES] = {code};
	size_t parts_count = 1;

	if (!stays_whole(code))
		parts_count = decompose(code, parts);
	for (size_t i = 0; i < parts_count && count < FOLD_CODES; i++) {
		uint32_t part = fold_part(parts[i]);

		if (part != 0)
			to[count++] = part;
	}
	return count;
}

static bool
is_jamo(uint32_t code)
{
	return code >= 0x1161 && code <= 0x11ff;
}

uint32_t
fold_compose(uint32_t last, uint32_t mark)
{
	gunichar one = 0;

	if (last < 0x80 || !g_unichar_compose(last, mark, &one))
		return 0;
	return one;
}

/* Put marks and the letters before them together again. */
static size_t
compose(uint32_t to[FOLD_CODES], size_t count)
{
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t one =
		    made == 0 ? 0 : fold_compose(to[made - 1], to[i]);

		if (one != 0)
			to[made - 1] = one;
		else
			to[made++] = to[i];
	}
	return made;
}

static enum fold_kind
kind_of(uint32_t code)
{
	size_t i;

	if (is_jamo(code))
		return FOLD_JAMO;
	if (g_unichar_ismark(code))
		return FOLD_MARK;
	i = find_confusable(code);
	if (i != COUNT(confusables))
		return confusables[i].strict ? FOLD_STRICT : FOLD_LOOSE;
	if (g_unichar_isalpha(code) &&
	    !in_ranges(wordless, COUNT(wordless), code))
		return FOLD_LETTER;
	return FOLD_OUTSIDE;
}

static void
look_up(struct fold_char *out, uint32_t code)
{
	uint32_t from[FOLD_CODES] = {code}, to[FOLD_CODES];
	size_t from_count = 1, count = 0;

	for (int round = 0; round < ROUNDS; round++) {
		count = 0;
		for (size_t i = 0; i < from_count; i++)
			count = fold_once(from[i], to, count);
		if (count == from_count &&
		    memcmp(from, to, count * sizeof to[0]) == 0)
			break;
		memcpy(from, to, count * sizeof to[0]);
		from_count = count;
	}
	count = compose(to, count);
	*out = (struct fold_char){.code = code,
	    .count = (uint8_t)count,
	    .kind = (uint8_t)kind_of(code)};
	memcpy(out->to, to, count * sizeof to[0]);
}

const struct fold_char *
fold_char(struct fold_cache *cache, uint32_t code)
{
	struct fold_char *c = &cache->chars[(code ^ code >> 10) % FOLD_CACHE];

	if (c->code != code)
		look_up(c, code);
	return c;
}
