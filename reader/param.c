/*
 * Parameters from hostile header fields. Pure; linear in the field times the
 * bounded number of pieces.
 */
#include "reader/param.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "proto/clean.h"
#include "reader/charset.h"
#include "reader/field.h"
#include "reader/html_ascii.h"
#include "reader/limits.h"
#include "reader/words.h"

#define PIECES 100 /* of one parameter; a field of 64 KiB could have more */

/* How a parameter is written: name=x, name*0=x, name*=charset'language'x. */
enum form { PLAIN, CONTINUED, EXTENDED };

struct piece {
	enum form form;
	unsigned index;	 /* of a continued one */
	bool encoded;	 /* a name that ends in '*' */
	struct span raw; /* with its quotes */
};

/* Up to the next ';', not in quotes. */
static struct span
take_value(struct span *text)
{
	struct span value = {text->p, 0};

	if (text->n != 0 && text->p[0] == '"') {
		value.n = field_quoted(*text, NULL);
		field_advance(text, value.n);
	}
	while (text->n != 0 && text->p[0] != ';') {
		if (value.n == 0 || value.p[0] != '"')
			value.n++;
		field_advance(text, 1);
	}
	while (value.n != 0 && field_is_blank(value.p[value.n - 1]))
		value.n--;
	return value;
}

/* The field's own value, without parameters. */
static void
skip_own_value(struct span *text)
{
	for (field_skip_blanks(text); text->n != 0 && text->p[0] != ';';
	     field_skip_blanks(text))
		field_advance(text, 1);
}

/* Whether "name", "name*", "name*3" or "name*3*" is a piece of `key`. */
static bool
read_name(struct span name, const char *key, struct piece *out)
{
	size_t n = strlen(key);

	if (name.n < n || strncasecmp(name.p, key, n) != 0)
		return false;
	field_advance(&name, n);
	*out = (struct piece){.form = PLAIN};
	if (name.n == 0)
		return true;
	if (name.p[0] != '*')
		return false;
	field_advance(&name, 1);
	out->form = name.n == 0 ? EXTENDED : CONTINUED;
	out->encoded = name.n == 0;
	while (name.n != 0 && name.p[0] >= '0' && name.p[0] <= '9' &&
	       out->index < PIECES) {
		out->index = out->index * 10 + (unsigned)(name.p[0] - '0');
		field_advance(&name, 1);
	}
	if (name.n == 1 && name.p[0] == '*') {
		out->encoded = true;
		name.n = 0;
	}
	return name.n == 0;
}

/* All pieces of `key`, in text order. */
static size_t
find_pieces(struct span field, const char *key, struct piece *pieces)
{
	size_t count = 0;

	skip_own_value(&field);
	while (field.n != 0 && count < PIECES) {
		struct span name;

		field_advance(&field, 1);
		field_skip_blanks(&field);
		name = (struct span){field.p, 0};
		while (name.n < field.n &&
		       strchr("=; \t\r\n(", field.p[name.n]) == NULL)
			name.n++;
		field_advance(&field, name.n);
		field_skip_blanks(&field);
		if (field.n == 0 || field.p[0] != '=') {
			(void)take_value(&field);
			continue;
		}
		field_advance(&field, 1);
		field_skip_blanks(&field);
		if (read_name(name, key, &pieces[count]))
			pieces[count++].raw = take_value(&field);
		else
			(void)take_value(&field);
	}
	return count;
}

/* Append a value without quotes. */
static void
add_unquoted(struct span raw, struct buf *out)
{
	bool quoted = raw.n != 0 && raw.p[0] == '"';
	size_t end = raw.n;

	if (quoted && end > 1 && raw.p[end - 1] == '"')
		end--;
	for (size_t i = quoted; i < end; i++) {
		if (quoted && raw.p[i] == '\\' && i + 1 < end)
			i++;
		(void)buf_add_byte(out, raw.p[i]);
	}
}

static void
add_percent(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%' && i + 2 < text.n &&
		    ascii_hex(text.p[i + 1]) >= 0 &&
		    ascii_hex(text.p[i + 2]) >= 0) {
			c = (char)(ascii_hex(text.p[i + 1]) << 4 |
				   ascii_hex(text.p[i + 2]));
			i += 2;
		}
		(void)buf_add_byte(out, c);
	}
}

/* What stands before charset'language'. */
static struct span
take_label(struct span *text)
{
	const char *first = memchr(text->p, '\'', text->n);
	const char *second;
	struct span label = {text->p, 0};

	if (first == NULL)
		return label;
	second =
	    memchr(first + 1, '\'', text->n - (size_t)(first + 1 - text->p));
	if (second == NULL)
		return label;
	label.n = (size_t)(first - text->p);
	field_advance(text, (size_t)(second + 1 - text->p));
	return label;
}

static void
convert(struct span label, const struct buf *bytes, struct buf *out,
    uint64_t *findings)
{
	uint64_t replaced = 0;

	if (!charset_known(label))
		*findings |= FINDING_BIT(FINDING_UNKNOWN_CHARSET);
	(void)charset_decode(
	    label, (struct span){bytes->data, bytes->len}, out, &replaced);
	if (replaced != 0)
		*findings |= FINDING_BIT(FINDING_UNDECODABLE_TEXT);
}

/* The continued piece of that number, or NULL. */
static const struct piece *
find_index(const struct piece *pieces, size_t count, unsigned index)
{
	for (size_t i = 0; i < count; i++)
		if (pieces[i].form == CONTINUED && pieces[i].index == index)
			return &pieces[i];
	return NULL;
}

/* One piece's bytes; *label is set by the first one. */
static void
add_piece(const struct piece *piece, bool first, struct span *label,
    struct buf *bytes)
{
	struct span raw = piece->raw;

	if (!piece->encoded) {
		add_unquoted(raw, bytes);
		return;
	}
	if (raw.n >= 2 && raw.p[0] == '"' && raw.p[raw.n - 1] == '"')
		raw = (struct span){raw.p + 1, raw.n - 2};
	if (first)
		*label = take_label(&raw);
	add_percent(raw, bytes);
}

/* The value in one form; false if it is not there in that form. */
static bool
value_of(const struct piece *pieces, size_t count, enum form form,
    struct buf *out, uint64_t *findings)
{
	struct span label = SPAN("");
	const struct piece *piece = NULL;
	struct buf bytes;

	for (size_t i = 0; i < count && piece == NULL; i++)
		if (pieces[i].form == form && pieces[i].index == 0)
			piece = &pieces[i];
	if (piece == NULL)
		return false;
	buf_init(&bytes, MAIL_FIELD_BYTES);
	for (unsigned i = 0; piece != NULL; i++) {
		add_piece(piece, i == 0, &label, &bytes);
		piece =
		    form == CONTINUED ? find_index(pieces, count, i + 1) : NULL;
	}
	if (form == PLAIN)
		words_decode(
		    (struct span){bytes.data, bytes.len}, out, findings);
	else
		convert(label, &bytes, out, findings);
	buf_free(&bytes);
	return true;
}

/* Pieces that say the same thing twice in one form. */
static bool
has_twice(const struct piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (pieces[i].form == pieces[k].form &&
			    pieces[i].index == pieces[k].index &&
			    !span_equal(pieces[i].raw, pieces[k].raw))
				return true;
	return false;
}

bool
param_text(
    struct span field, const char *key, struct buf *out, uint64_t *findings)
{
	struct piece pieces[PIECES];
	size_t count = find_pieces(field, key, pieces);
	struct buf other;
	bool found = false;

	buf_clear(out);
	if (count == 0)
		return false;
	buf_init(&other, out->max);
	for (int form = EXTENDED; form >= PLAIN; form--) {
		buf_clear(&other);
		if (!value_of(pieces, count, (enum form)form,
			found ? &other : out, findings))
			continue;
		if (found && !span_equal((struct span){out->data, out->len},
				 (struct span){other.data, other.len}))
			*findings |= FINDING_BIT(FINDING_CONFLICTING_PARAMETER);
		found = true;
	}
	if (has_twice(pieces, count))
		*findings |= FINDING_BIT(FINDING_CONFLICTING_PARAMETER);
	buf_free(&other);
	return found;
}
