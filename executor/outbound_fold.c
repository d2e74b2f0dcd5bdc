/*
 * Characters of outgoing text as a browser reads them: full-width and like
 * ones, escapes of percent, HTML and Markdown, and invisible ones left out.
 * Runs in the broker on a planner's words; believes nothing in them. Pure.
 */
#include "executor/outbound_impl.h"

#include "common/invisible.h"

static const struct {
	uint32_t code;
	char c;
} alike[] = {
    {0x2024, '.'},
    {0x3002, '.'},
    {0xfe52, '.'},
    {0xff61, '.'},
    {0x2044, '/'},
    {0x2215, '/'},
    {0x29f8, '/'},
    {0x2236, ':'},
    {0xa789, ':'},
    {0xfe13, ':'},
    {0xfe55, ':'},
    {0xfe68, '\\'},
    {0xfe6b, '@'},
    {0x00a0, ' '},
    {0x1680, ' '},
    {0x2028, ' '},
    {0x2029, ' '},
    {0x202f, ' '},
    {0x205f, ' '},
    {0x3000, ' '},
};

/* Only what can be a part of a link: a full-width quote ends none. */
static char
fold_ascii(char c)
{
	return is_alpha(c) || is_digit(c) || memchr("./:@-_?#\\", c, 9) != NULL
		   ? c
		   : HIGH;
}

static char
fold_code(uint32_t code)
{
	if (code >= 0xff01 && code <= 0xff5e)
		return fold_ascii((char)(code - 0xfee0));
	if (code >= 0x2000 && code <= 0x200a)
		return ' ';
	for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
		if (alike[i].code == code)
			return alike[i].c;
	return HIGH;
}

static void
set_code(struct unit *u, uint32_t code)
{
	u->c = code < 0x80 ? fold_ascii((char)code) : fold_code(code);
	u->ideographic = code == 0x3002 || code == 0xff61;
}

/* "&#46;", "&#x2e" (HTML does without the semicolon, and takes any number of
 * zeros before): its length, or 0. */
static size_t
entity_number(struct span text, uint32_t *code_out)
{
	unsigned base = 10;
	uint32_t code = 0;
	size_t at = 2, start;

	if (text.n > 2 && lower(text.p[2]) == 'x') {
		base = 16;
		at = 3;
	}
	start = at;
	for (; at < text.n; at++) {
		char c = lower(text.p[at]);

		if (is_digit(c))
			code = code * base + (uint32_t)(c - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			code = code * base + (uint32_t)(c - 'a' + 10);
		else
			break;
		if (code > 0x10ffff)
			return 0;
	}
	if (at == start)
		return 0;
	*code_out = code;
	return at < text.n && text.p[at] == ';' ? at + 1 : at;
}

static size_t
entity(struct span text, uint32_t *code_out)
{
	static const struct {
		const char *name;
		uint32_t code;
	} names[] = {{"&period;", '.'}, {"&sol;", '/'}, {"&colon;", ':'},
	    {"&bsol;", '\\'}, {"&commat;", '@'}, {"&tab;", 0xad},
	    {"&newline;", 0xad}, {"&shy;", 0xad}, {"&zwj;", 0xad},
	    {"&zwnj;", 0xad}, {"&zerowidthspace;", 0xad}};

	if (text.n > 1 && text.p[1] == '#')
		return entity_number(text, code_out);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t n = strlen(names[i].name);

		if (text.n >= n &&
		    is_word((struct span){text.p, n}, names[i].name)) {
			*code_out = names[i].code;
			return n;
		}
	}
	return 0;
}

/* "%2e", "%2F", "%3a": what it stands for, or 0. */
static char
percent(struct span text)
{
	char second;

	if (text.n < 3)
		return '\0';
	second = lower(text.p[2]);
	if (text.p[1] == '2' && second == 'e')
		return '.';
	if (text.p[1] == '2' && second == 'f')
		return '/';
	return text.p[1] == '3' && second == 'a' ? ':' : '\0';
}

/* A character that is written as another; false: it is none. */
static bool
escaped(struct span rest, struct unit *u, uint32_t *code_out)
{
	size_t n;

	if (rest.p[0] == '\\' && rest.n > 1 &&
	    memchr("./:-_", rest.p[1], 5) != NULL) {
		*code_out = (unsigned char)rest.p[1];
		u->to = u->from + 2;
		return true;
	}
	if (rest.p[0] == '%' && percent(rest) != '\0') {
		*code_out = (unsigned char)percent(rest);
		u->to = u->from + 3;
		return true;
	}
	n = rest.p[0] == '&' ? entity(rest, code_out) : 0;
	u->to = u->from + n;
	return n != 0;
}

static bool
is_unseen(uint32_t code)
{
	enum invisible class = invisible_class(code);

	if (code == ' ' || (code >= '\t' && code <= '\r') || code == 0x2028 ||
	    code == 0x2029)
		return false;
	return class != INVISIBLE_NOT;
}

bool
unit_at(struct span text, size_t at, struct unit *u)
{
	while (at < text.n) {
		struct span rest = {text.p + at, text.n - at};
		unsigned char c = (unsigned char)rest.p[0];
		uint32_t code = c;
		size_t n = 1;

		*u = (struct unit){.from = at};
		if (c == '\\' || c == '%' || c == '&') {
			if (escaped(rest, u, &code) && !is_unseen(code)) {
				set_code(u, code);
				return true;
			}
			n = u->to > at ? u->to - at : 1;
			code = u->to > at ? code : c;
		} else if (c >= 0x80) {
			n = utf8_decode(rest.p, rest.n, &code);
			n = n == 0 ? 1 : n;
		}
		u->to = at + n;
		if (!is_unseen(code)) {
			if (code >= 0x80)
				set_code(u, code);
			else
				u->c = code >= '\t' && code <= '\r' ? ' '
								    : (char)c;
			return true;
		}
		at += n;
	}
	return false;
}
