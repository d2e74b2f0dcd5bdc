/*
 * The table of invisible characters. Pure.
 */
#include "common/invisible.h"

#include <stddef.h>

/* Sorted, without overlap. The last two code points of each plane, which are
 * noncharacters, are not here. */
static const struct {
	uint32_t first, last;
	enum invisible class;
} ranges[] = {
    {0x0000, 0x0009, INVISIBLE_CONTROL},
    {0x000a, 0x000d, INVISIBLE_BREAK},
    {0x000e, 0x001f, INVISIBLE_CONTROL},
    {0x007f, 0x0084, INVISIBLE_CONTROL},
    {0x0085, 0x0085, INVISIBLE_BREAK},
    {0x0086, 0x009f, INVISIBLE_CONTROL},
    {0x00ad, 0x00ad, INVISIBLE_ZERO_WIDTH}, /* soft hyphen */
    {0x034f, 0x034f, INVISIBLE_ZERO_WIDTH}, /* grapheme joiner */
    {0x061c, 0x061c, INVISIBLE_BIDI},
    {0x115f, 0x1160, INVISIBLE_ZERO_WIDTH}, /* Hangul fillers */
    {0x17b4, 0x17b5, INVISIBLE_ZERO_WIDTH}, /* Khmer inherent vowels */
    {0x180b, 0x180d, INVISIBLE_VARIATION},  /* Mongolian */
    {0x180e, 0x180e, INVISIBLE_ZERO_WIDTH},
    {0x180f, 0x180f, INVISIBLE_VARIATION},
    {0x200b, 0x200d, INVISIBLE_ZERO_WIDTH},
    {0x200e, 0x200f, INVISIBLE_BIDI},
    {0x2028, 0x2029, INVISIBLE_BREAK},
    {0x202a, 0x202e, INVISIBLE_BIDI},
    {0x2060, 0x2065, INVISIBLE_ZERO_WIDTH},
    {0x2066, 0x2069, INVISIBLE_BIDI},
    {0x206a, 0x206f, INVISIBLE_CONTROL},
    {0x3164, 0x3164, INVISIBLE_ZERO_WIDTH}, /* Hangul filler */
    {0xfdd0, 0xfdef, INVISIBLE_CONTROL},    /* noncharacters */
    {0xfe00, 0xfe0f, INVISIBLE_VARIATION},
    {0xfeff, 0xfeff, INVISIBLE_ZERO_WIDTH}, /* byte order mark */
    {0xffa0, 0xffa0, INVISIBLE_ZERO_WIDTH}, /* half-width filler */
    {0xfff0, 0xfffb, INVISIBLE_CONTROL},    /* annotations */
    {0x1bca0, 0x1bca3, INVISIBLE_CONTROL},  /* shorthand */
    {0x1d173, 0x1d17a, INVISIBLE_CONTROL},  /* music */
    {0xe0000, 0xe007f, INVISIBLE_TAG},
    {0xe0080, 0xe00ff, INVISIBLE_CONTROL},
    {0xe0100, 0xe01ef, INVISIBLE_VARIATION},
    {0xe01f0, 0xe0fff, INVISIBLE_CONTROL},
};

enum invisible
invisible_find(uint32_t code)
{
	size_t low = 0, high = sizeof ranges / sizeof ranges[0];

	if ((code & 0xfffe) == 0xfffe)
		return INVISIBLE_CONTROL;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (code > ranges[mid].last)
			low = mid + 1;
		else if (code < ranges[mid].first)
			high = mid;
		else
			return ranges[mid].class;
	}
	return INVISIBLE_NOT;
}
