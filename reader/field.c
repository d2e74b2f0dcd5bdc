/*
 * Lexical tokens of hostile header fields; linear.
 */
#include "reader/field.h"

#include <string.h>

#include "reader/limits.h"

bool
field_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
field_skip_space(struct span *text)
{
	while (text->n != 0 && field_is_blank(text->p[0]))
		field_advance(text, 1);
}

struct span
field_trim(struct span text)
{
	field_skip_space(&text);
	while (text.n != 0 && field_is_blank(text.p[text.n - 1]))
		text.n--;
	return text;
}

struct span
field_name(struct span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct span name = {line.p, 0};

	if (colon == NULL)
		return name;
	while (name.p + name.n < colon && (unsigned char)name.p[name.n] > ' ' &&
	       name.p[name.n] != 0x7f)
		name.n++;
	if (colon - line.p > MAIL_LINE_BYTES)
		return (struct span){line.p, 0};
	for (const char *p = name.p + name.n; p < colon; p++)
		if (*p != ' ' && *p != '\t')
			return (struct span){line.p, 0};
	return name;
}

bool
field_is_mbox(struct span line)
{
	return span_starts(line, "From ") && field_name(line).n == 0;
}

void
field_advance(struct span *text, size_t n)
{
	text->p += n;
	text->n -= n;
}

void
field_skip_blanks(struct span *text)
{
	size_t depth = 0;

	while (text->n != 0) {
		if (text->p[0] == '\\' && depth != 0 && text->n > 1)
			field_advance(text, 1);
		else if (text->p[0] == '(')
			depth++;
		else if (text->p[0] == ')' && depth != 0)
			depth--;
		else if (depth == 0 && !field_is_blank(text->p[0]))
			return;
		field_advance(text, 1);
	}
}

size_t
field_quoted(struct span text, bool *whole_out)
{
	size_t n = 1;

	while (n < text.n && text.p[n] != '"')
		n += text.p[n] == '\\' && n + 1 < text.n ? 2 : 1;
	if (whole_out != NULL)
		*whole_out = n < text.n;
	return n < text.n ? n + 1 : text.n;
}
