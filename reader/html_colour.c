/*
 * Colours. Pure functions over hostile text.
 */
#include "reader/html_colour.h"

#include <string.h>

#include "reader/html_ascii.h"

#define NEAR_DISTANCE 24   /* of 255; #eee on white is near, #ddd is not */
#define HUE_DISTANCE 64	   /* the same, if only the hue differs */
#define CONTRAST_LEAST 120 /* hundredths; pale yellow on white has 105 */
#define FLARE 3251250	   /* a twentieth of the greatest luminance */
#define LEGACY_MOST 128	   /* longer attributes are cut (2.4.6, step 11) */

struct named {
	const char *name;
	uint32_t rgb;
};

static const struct named colours[] = {
#define COLOUR(name, rgb) {name, rgb},
#include "reader/html_colour.def"
#undef COLOUR
};

static const struct named systems[] = {
#define SYSTEM(name, rgb) {name, rgb},
#include "reader/html_system.def"
#undef SYSTEM
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool
find_in(const struct named *table, size_t high, struct span name,
    colour *colour_out)
{
	size_t low = 0;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = ascii_order(name, table[mid].name);

		if (order == 0) {
			*colour_out = 0xff000000u | table[mid].rgb;
			return true;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

static bool
find_name(struct span name, colour *colour_out)
{
	return find_in(colours, COUNT_OF(colours), name, colour_out);
}

/* "rgb", "rgba", "rrggbb" or "rrggbbaa". */
static bool
parse_hex(struct span text, colour *colour_out)
{
	uint32_t part[4] = {0, 0, 0, 0xff};
	size_t each = text.n <= 4 ? 1 : 2;

	if (text.n != 3 && text.n != 4 && text.n != 6 && text.n != 8)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int digit = ascii_hex(text.p[i]);

		if (digit < 0)
			return false;
		if (i % each == 0)
			part[i / each] = 0;
		part[i / each] = part[i / each] * 16 + (uint32_t)digit;
		if (each == 1)
			part[i] *= 17;
	}
	*colour_out = part[3] << 24 | part[0] << 16 | part[1] << 8 | part[2];
	return true;
}

static uint32_t
channel(double value)
{
	if (value <= 0)
		return 0;
	return value >= 255 ? 255 : (uint32_t)(value + 0.5);
}

static double
hue_part(double hue, double low, double high)
{
	while (hue < 0)
		hue += 360;
	while (hue >= 360)
		hue -= 360;
	if (hue < 60)
		return low + (high - low) * hue / 60;
	if (hue < 180)
		return high;
	return hue < 240 ? low + (high - low) * (240 - hue) / 60 : low;
}

static uint32_t
hsl(double hue, double saturation, double light)
{
	double high = light < 0.5 ? light * (1 + saturation)
				  : light + saturation - light * saturation;
	double low = 2 * light - high;

	hue = hue > 3600 || hue < -3600 ? 0 : hue;
	return channel(255 * hue_part(hue + 120, low, high)) << 16 |
	       channel(255 * hue_part(hue, low, high)) << 8 |
	       channel(255 * hue_part(hue - 120, low, high));
}

static double
unit_value(const struct css_token *token)
{
	double value = token->number;

	if (strcmp(token->text, "%") == 0)
		value /= 100;
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* hwb(): a hue with white and black mixed in. */
static uint32_t
hwb(double hue, double white, double black)
{
	double sum = white + black;
	uint32_t pure = hsl(hue, 1, 0.5), rgb = 0;

	if (sum > 1) {
		white /= sum;
		black /= sum;
	}
	for (int shift = 16; shift >= 0; shift -= 8)
		rgb = rgb << 8 |
		      channel((pure >> shift & 255) * (1 - white - black) +
			      255 * white);
	return rgb;
}

/* lab(), lch(), oklab(), oklch() as a grey of the same lightness: right at
 * both ends, where text vanishes. */
static uint32_t
lightness(const struct css_token *name, const struct css_token *token)
{
	double light = token->number;

	if (strcmp(token->text, "%") == 0 || name->text[0] == 'l')
		light /= 100;
	return channel(255 * light) * 0x010101u;
}

/* What three numbers mean in the function `name`. */
static uint32_t
three(const struct css_token *name, const struct css_token *const part[3])
{
	double unit = strcmp(name->text, "color") == 0 ? 255 : 1;
	uint32_t rgb = 0;

	if (strcmp(name->text, "hwb") == 0)
		return hwb(part[0]->number, part[1]->number / 100,
		    part[2]->number / 100);
	if (name->text[0] == 'h')
		return hsl(
		    part[0]->number, unit_value(part[1]), unit_value(part[2]));
	if (name->text[0] == 'l' || name->text[0] == 'o')
		return lightness(name, part[0]);
	for (size_t k = 0; k < 3; k++)
		rgb = rgb << 8 | channel(strcmp(part[k]->text, "%") == 0
					     ? part[k]->number * 2.55
					     : part[k]->number * unit);
	return rgb;
}

/* A colour function with commas or blanks, and its alpha. */
static size_t
parse_function(const struct css_token *tokens, size_t count, colour *colour_out)
{
	static const struct css_token none = {.type = CSS_NUMBER};
	const struct css_token *part[4];
	size_t n = 0, i = strcmp(tokens[0].text, "color") == 0 ? 2 : 1;
	uint32_t alpha = 255;

	for (; i < count && !css_is_delim(&tokens[i], ')'); i++) {
		bool is_none = css_is_word(&tokens[i], "none");

		if (css_is_delim(&tokens[i], ',') ||
		    css_is_delim(&tokens[i], '/'))
			continue;
		if ((tokens[i].type != CSS_NUMBER && !is_none) || n == 4)
			return 0;
		part[n++] = is_none ? &none : &tokens[i];
	}
	if (n < 3 || i >= count)
		return 0;
	if (n == 4)
		alpha = channel(255 * unit_value(part[3]));
	*colour_out = alpha << 24 | three(&tokens[0], part);
	return i + 1;
}

static bool
is_function(const struct css_token *token)
{
	static const char *const names[] = {"rgb", "rgba", "hsl", "hsla", "hwb",
	    "lab", "lch", "oklab", "oklch", "color"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (token->type == CSS_FUNCTION &&
		    strcmp(token->text, names[i]) == 0)
			return true;
	return false;
}

size_t
colour_parse(const struct css_token *tokens, size_t count, colour *colour_out)
{
	const char *text = tokens[0].text;

	if (count == 0)
		return 0;
	if (tokens[0].type == CSS_HASH)
		return parse_hex(span_of(text), colour_out) ? 1 : 0;
	if (css_is_word(&tokens[0], "transparent")) {
		*colour_out = COLOUR_CLEAR;
		return 1;
	}
	if (tokens[0].type == CSS_IDENT)
		return find_name(span_of(text), colour_out) ||
		       find_in(systems, COUNT_OF(systems), span_of(text),
			   colour_out);
	return is_function(&tokens[0])
		   ? parse_function(tokens, count, colour_out)
		   : 0;
}

/* The digits of one third of an old colour text; what is no digit is 0. */
static uint32_t
legacy_part(struct span text, size_t start, size_t length)
{
	uint32_t value = 0;

	for (size_t i = start; i < start + length && i < start + 2; i++) {
		int digit = i < text.n ? ascii_hex(text.p[i]) : 0;

		value = value * 16 + (uint32_t)(digit < 0 ? 0 : digit);
	}
	return value;
}

/* How many leading zeros all three parts have, leaving two digits. */
static size_t
legacy_zeros(struct span text, size_t start, size_t length)
{
	size_t each = (text.n + 2) / 3, zeros = 0;

	for (; length - zeros > 2; zeros++)
		for (size_t k = 0; k < 3; k++) {
			size_t at = k * each + start + zeros;

			if (at < text.n && ascii_hex(text.p[at]) > 0)
				return zeros;
		}
	return zeros;
}

bool
colour_legacy(struct span text, colour *colour_out)
{
	size_t each, start, length;

	text = ascii_trim(text);
	if (text.n == 0 || ascii_is(text, "transparent"))
		return false;
	if (find_name(text, colour_out))
		return true;
	if (text.p[0] == '#' && text.n == 4 &&
	    parse_hex((struct span){text.p + 1, 3}, colour_out))
		return true;
	if (text.n > LEGACY_MOST)
		text.n = LEGACY_MOST;
	if (text.p[0] == '#') {
		text.p++;
		text.n--;
	}
	each = text.n == 0 ? 1 : (text.n + 2) / 3;
	start = each > 8 ? each - 8 : 0;
	length = each - start;
	start += legacy_zeros(text, start, length);
	length = each - start;
	*colour_out = 0xff000000u | legacy_part(text, start, length) << 16 |
		      legacy_part(text, each + start, length) << 8 |
		      legacy_part(text, 2 * each + start, length);
	return true;
}

colour
colour_blend(colour over, colour under)
{
	uint32_t alpha = over >> 24, mixed = 0xff000000u;

	for (unsigned shift = 0; shift <= 16; shift += 8) {
		uint32_t a = over >> shift & 255, b = under >> shift & 255;

		mixed |= (a * alpha + b * (255 - alpha) + 127) / 255 << shift;
	}
	return mixed;
}

/* Relative luminance (WCAG 2, with a gamma of 2), of 65,025,000. */
static int64_t
luminance(colour c)
{
	int64_t r = c >> 16 & 255, g = c >> 8 & 255, b = c & 255;

	return 213 * r * r + 715 * g * g + 72 * b * b;
}

/* Whether the brightness differs too little to read by. */
static bool
is_as_bright(colour a, colour b)
{
	int64_t x = luminance(a) + FLARE, y = luminance(b) + FLARE;

	return x < y ? y * 100 < x * CONTRAST_LEAST
		     : x * 100 < y * CONTRAST_LEAST;
}

bool
colour_near(colour a, colour b)
{
	static const int weight[3] = {3, 4, 2}; /* blue, green, red */
	int sum = 0;

	for (unsigned k = 0; k < 3; k++) {
		int d = (int)(a >> (8 * k) & 255) - (int)(b >> (8 * k) & 255);

		sum += weight[k] * d * d;
	}
	return sum <= 9 * NEAR_DISTANCE * NEAR_DISTANCE ||
	       (sum <= 9 * HUE_DISTANCE * HUE_DISTANCE && is_as_bright(a, b));
}
