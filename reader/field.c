/*
 * Lexical tokens of hostile header fields; linear.
 */
#include "reader/field.h"

bool
field_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
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
