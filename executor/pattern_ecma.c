/*
 * What ECMA-262 and PCRE2 read differently: `.` and \s, which know other blank
 * characters; \v; the long names of properties; a bracket inside a class. What
 * only PCRE2 has is refused: groups that call each other, turn off what the
 * meter of pattern.c counts, or let a text look like a comment.
 */
#include "executor/pattern_ecma.h"

#include <string.h>

#include "common/ascii.h"

/* White space and line ends of ECMA-262, and all other characters. */
#define BLANK                                                                  \
	"\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f"    \
	"\\u3000\\ufeff"
#define NOT_BLANK                                                              \
	"\\x00-\\x08\\x0e-\\x1f!-\\u009f\\u00a1-\\u167f\\u1681-\\u1fff"        \
	"\\u200b-\\u2027\\u202a-\\u202e\\u2030-\\u205e\\u2060-\\u2fff"         \
	"\\u3001-\\ud7ff\\ue000-\\ufefe\\uff00-\\u{10ffff}"
#define ANY_BUT_LINE_END "[^\\n\\r\\u2028\\u2029]"
#define NOTHING "[^\\x00-\\u{10ffff}]"

#define SET_ESCAPES "dDwWsSpP"
#define OTHER_ESCAPES "bBtnvfrcxuk"

enum in_class {
	OUTSIDE,
	CLASS,	    /* nothing that a range could begin with */
	CLASS_ATOM, /* behind a character */
	CLASS_DASH, /* behind a character and a hyphen */
	CLASS_SET   /* behind \s, \d, ... */
};

struct translator {
	struct buf *out;
	struct span rest; /* not translated yet */
	enum in_class state;
};

static const struct {
	const char *name, *code;
} categories[] = {
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Unassigned", "Cn"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Lowercase_Letter", "Ll"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Math_Symbol", "Sm"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Space_Separator", "Zs"},
};

/* Names before `=` and what stands for them; a category needs none. */
static const struct {
	const char *name, *prefix;
} properties[] = {
    {"General_Category=", ""},
    {"gc=", ""},
    {"Script=", "sc:"},
    {"sc=", "sc:"},
    {"Script_Extensions=", "scx:"},
    {"scx=", "scx:"},
};

static char
ahead(const struct translator *t, size_t offset)
{
	return offset < t->rest.n ? t->rest.p[offset] : '\0';
}

static void
skip(struct translator *t, size_t count)
{
	t->rest.p += count;
	t->rest.n -= count;
}

static void
copy(struct translator *t, size_t count)
{
	buf_add(t->out, t->rest.p, count);
	skip(t, count);
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* The name inside \p{...}, t->rest at it. */
static void
translate_name(struct translator *t, struct span name)
{
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
		size_t n = strlen(properties[i].name);

		if (!span_starts(name, properties[i].name))
			continue;
		name = (struct span){name.p + n, name.n - n};
		buf_add_text(t->out, properties[i].prefix);
		break;
	}
	for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
		if (span_is(name, categories[i].name))
			name = span_of(categories[i].code);
	buf_add(t->out, name.p, name.n);
}

/* \p{...} or \P{...}. */
static bool
translate_property(struct translator *t)
{
	const char *end = memchr(t->rest.p, '}', t->rest.n);
	size_t whole;

	if (ahead(t, 2) != '{' || end == NULL)
		return false;
	whole = (size_t)(end - t->rest.p) + 1;
	buf_add(t->out, t->rest.p, 3);
	translate_name(t, (struct span){t->rest.p + 3, whole - 4});
	buf_add_byte(t->out, '}');
	skip(t, whole);
	return true;
}

/* The four hexadecimal digits of \\uXXXX at `offset`, or 0. */
static uint32_t
unit_at(const struct translator *t, size_t offset)
{
	uint32_t unit = 0;

	if (ahead(t, offset) != '\\' || ahead(t, offset + 1) != 'u')
		return 0;
	for (size_t i = offset + 2; i < offset + 6; i++) {
		char c = ahead(t, i);

		if (is_digit(c))
			unit = unit * 16 + (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			unit = unit * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return 0;
	}
	return unit;
}

/* Two surrogates are one character. */
static bool
translate_pair(struct translator *t)
{
	uint32_t high = unit_at(t, 0), low = unit_at(t, 6);

	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return false;
	buf_add_format(t->out, "\\u{%x}",
	    (unsigned)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
	skip(t, 12);
	return true;
}

/* Whether a backslash with `c` behind it is of ECMA-262. */
static bool
knows_escape(const struct translator *t, char c)
{
	char next = ahead(t, 2);

	if (c == 'c')
		return is_alpha(next);
	if (is_digit(c))
		return !is_digit(next) && (c == '0' || t->state == OUTSIDE);
	if (t->state != OUTSIDE && (c == 'B' || c == 'k'))
		return false;
	return !is_alpha(c) || is_one_of(c, SET_ESCAPES OTHER_ESCAPES);
}

static void
translate_blank(struct translator *t, const char *blank)
{
	bool outside = t->state == OUTSIDE;

	buf_add_text(t->out, outside ? "[" : "");
	buf_add_text(t->out, blank);
	buf_add_text(t->out, outside ? "]" : "");
	skip(t, 2);
}

static bool
translate_escape(struct translator *t)
{
	char c = ahead(t, 1);
	bool is_set = is_one_of(c, SET_ESCAPES);

	if (!knows_escape(t, c) || (is_set && t->state == CLASS_DASH))
		return false;
	if (c == 's' || c == 'S')
		translate_blank(t, c == 's' ? BLANK : NOT_BLANK);
	else if (is_set && (c == 'p' || c == 'P')) {
		if (!translate_property(t))
			return false;
	} else if (c == 'v' || c == '0') {
		buf_add_text(t->out, c == 'v' ? "\\x0b" : "\\x00");
		skip(t, 2);
	} else if (!translate_pair(t)) {
		copy(t, t->rest.n == 1 ? 1 : 2 + (c == 'c'));
	}
	if (t->state != OUTSIDE)
		t->state = is_set		    ? CLASS_SET
			   : t->state == CLASS_DASH ? CLASS
						    : CLASS_ATOM;
	return true;
}

/* Inside a class. */
static void
translate_member(struct translator *t)
{
	char c = ahead(t, 0);

	if (c == ']') {
		t->state = OUTSIDE;
	} else if (c == '-' && t->state == CLASS_SET) {
		buf_add_byte(t->out, '\\');
		t->state = CLASS;
	} else if (c == '-' && t->state == CLASS_ATOM) {
		t->state = CLASS_DASH;
	} else {
		if (c == '[')
			buf_add_byte(t->out, '\\');
		t->state = t->state == CLASS_DASH ? CLASS : CLASS_ATOM;
	}
	copy(t, 1);
}

static bool
translate_outside(struct translator *t)
{
	char c = ahead(t, 0), next = ahead(t, 1), third = ahead(t, 2);

	if (c == '(' &&
	    (next == '*' || (next == '?' && !is_one_of(third, ":=!<"))))
		return false;
	if (c == '.') {
		buf_add_text(t->out, ANY_BUT_LINE_END);
		skip(t, 1);
		return true;
	}
	if (c == '{' && next == ',')
		buf_add_byte(t->out, '\\');
	if (c == '[' && next == ']') {
		buf_add_text(t->out, NOTHING);
		skip(t, 2);
		return true;
	}
	if (c == '[') {
		t->state = CLASS;
		copy(t, next == '^' ? 2 : 1);
		return true;
	}
	copy(t, 1);
	return true;
}

size_t
pattern_translate(struct buf *out, struct span source)
{
	struct translator t = {out, source, OUTSIDE};
	bool good = true;
	size_t lead;

	/* anything may stand before a match; said so, it costs a try each */
	lead = span_starts(source, ".*?") ? 3 : 2;
	if (span_starts(source, ".*") && !is_one_of(ahead(&t, lead), "+*?{"))
		skip(&t, lead);
	while (t.rest.n != 0 && good) {
		if (ahead(&t, 0) == '\\')
			good = translate_escape(&t);
		else if (t.state == OUTSIDE)
			good = translate_outside(&t);
		else
			translate_member(&t);
	}
	return source.n - t.rest.n;
}
