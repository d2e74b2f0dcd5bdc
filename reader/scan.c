/*
 * The first look at a raw mail (RFC 5322 lines, RFC 2046 boundaries). Runs in
 * the worker on bytes nobody has looked at. It does not interpret more than
 * it must: where its idea of a header section differs from the MIME parser's,
 * only the bounds are placed differently.
 */
#include "reader/scan.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "reader/limits.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct scanner {
	struct scan *out;
	struct record *notes;
	struct span
	    boundaries[MAIL_DEPTH]; /* open multiparts, innermost last */
	size_t depth;
	bool any_boundary; /* one could not be read: every "--" line counts */
	bool stopped;	   /* the copy ends here */

	/* the header section we are in */
	bool in_header;
	bool top;	 /* it is the mail's own */
	bool is_message; /* its content is a message, with a header again */
	bool in_type;	 /* the field is Content-Type */
	bool field_cut;
	size_t fields, section_bytes, field_bytes;
	unsigned seen; /* bits of unique_fields */
};

/* Fields of which there may be one, RFC 5322 section 3.6 and RFC 2045. */
static const struct {
	const char *name;
	enum finding finding;
	bool everywhere; /* also in the header sections of parts */
} unique_fields[] = {
    {"From", FINDING_DUPLICATE_FROM, false},
    {"Sender", FINDING_DUPLICATE_SENDER, false},
    {"Reply-To", FINDING_DUPLICATE_REPLY_TO, false},
    {"To", FINDING_DUPLICATE_RECIPIENTS, false},
    {"Cc", FINDING_DUPLICATE_RECIPIENTS, false},
    {"Subject", FINDING_DUPLICATE_SUBJECT, false},
    {"Date", FINDING_DUPLICATE_DATE, false},
    {"Message-ID", FINDING_DUPLICATE_MESSAGE_ID, false},
    {"Content-Type", FINDING_DUPLICATE_CONTENT_TYPE, true},
    {"Content-Transfer-Encoding", FINDING_DUPLICATE_ENCODING, true},
    {"Content-Disposition", FINDING_DUPLICATE_DISPOSITION, true},
};

static void
find(struct scanner *s, enum finding finding, struct span detail)
{
	s->out->findings |= FINDING_BIT(finding);
	record_note(s->notes, finding, detail);
}

static void
copy(struct scanner *s, struct span text)
{
	if (!s->stopped)
		(void)buf_add(&s->out->mail, text.p, text.n);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span
without_end(struct span line)
{
	while (line.n != 0 && is_blank(line.p[line.n - 1]))
		line.n--;
	return line;
}

static bool
same_name(struct span name, const char *other)
{
	return name.n == strlen(other) &&
	       strncasecmp(name.p, other, name.n) == 0;
}

/* Where `word` stands in the text in any case, or text.n. */
static size_t
find_word(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++)
		if (strncasecmp(text.p + i, word, n) == 0)
			return i;
	return text.n;
}

/* Where the parameter "boundary" stands: behind ';' or a blank; or text.n. */
static size_t
find_parameter(struct span text)
{
	size_t at = 0;

	do {
		at += find_word(
		    (struct span){text.p + at, text.n - at}, "boundary");
		if (at == text.n || (at > 0 && (text.p[at - 1] == ';' ||
						   is_blank(text.p[at - 1]))))
			return at;
	} while (++at < text.n);
	return text.n;
}

static void
skip_blanks(struct span *text)
{
	while (text->n != 0 && is_blank(text->p[0])) {
		text->p++;
		text->n--;
	}
}

/* The value behind "boundary" as it is usually written; false if it is
 * written in a way that only a full parser gets right. */
static bool
read_boundary(struct span text, struct span *out)
{
	const char *end;

	skip_blanks(&text);
	if (text.n == 0 || text.p[0] != '=')
		return false;
	text = (struct span){text.p + 1, text.n - 1};
	skip_blanks(&text);
	if (text.n == 0 || text.p[0] == '(')
		return false;
	if (text.p[0] == '"') {
		end = memchr(text.p + 1, '"', text.n - 1);
		*out = (struct span){
		    text.p + 1, end == NULL ? 0 : (size_t)(end - text.p - 1)};
		return end != NULL && memchr(out->p, '\\', out->n) == NULL;
	}
	out->p = text.p;
	out->n = 0;
	while (out->n < text.n && !is_blank(text.p[out->n]) &&
	       text.p[out->n] != ';')
		out->n++;
	return memchr(out->p, '(', out->n) == NULL;
}

/* Look for a boundary in a line of Content-Type. Where the word stands at
 * other places too, one in quotes or a comment may have been taken. */
static void
open_boundary(struct scanner *s, struct span line)
{
	struct span value = {0}, rest;
	size_t at = find_parameter(line);

	if (find_word(line, "message/") < line.n)
		s->is_message = true;
	if (find_word(line, "boundary") < at)
		s->any_boundary = true;
	if (at == line.n)
		return;
	at += strlen("boundary");
	rest = (struct span){line.p + at, line.n - at};
	if (find_word(rest, "boundary") < rest.n)
		s->any_boundary = true;
	if (!read_boundary(rest, &value)) {
		s->any_boundary = true;
		return;
	}
	value = without_end(value);
	if (s->depth < MAIL_DEPTH) {
		s->boundaries[s->depth++] = value;
		return;
	}
	if (!s->stopped)
		find(s, FINDING_DEEP, line);
	s->stopped = true;
	s->any_boundary = true;
}

static void
begin_section(struct scanner *s, bool top)
{
	s->in_header = true;
	s->top = top;
	s->is_message = s->in_type = s->field_cut = false;
	s->fields = s->section_bytes = s->field_bytes = 0;
	s->seen = 0;
}

/* The blank line behind a section. */
static void
end_section(struct scanner *s)
{
	if (s->top && s->fields == 0)
		find(s, FINDING_NO_HEADER, SPAN(""));
	if (s->is_message)
		begin_section(s, false);
	else
		s->in_header = false;
}

static void
note_unique(struct scanner *s, struct span name, struct span line)
{
	for (size_t i = 0; i < COUNT_OF(unique_fields); i++) {
		if (!same_name(name, unique_fields[i].name) ||
		    (!s->top && !unique_fields[i].everywhere))
			continue;
		if ((s->seen >> i & 1) != 0)
			find(s, unique_fields[i].finding, line);
		s->seen |= 1u << i;
	}
}

/* A line that begins a field, or is none. */
static void
begin_field(struct scanner *s, struct span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct span name;

	s->fields++;
	s->field_bytes = 0;
	s->field_cut = false;
	s->in_type = false;
	if (s->fields > MAIL_HEADER_FIELDS)
		return;
	if (colon == NULL || colon == line.p) {
		find(s, FINDING_BAD_HEADER_LINE, line);
		return;
	}
	name = (struct span){line.p, (size_t)(colon - line.p)};
	if (is_blank(name.p[name.n - 1])) {
		find(s, FINDING_BLANK_BEFORE_COLON, line);
		name = without_end(name);
	}
	s->in_type = same_name(name, "Content-Type");
	note_unique(s, name, line);
}

/* Copy a header line as far as the bounds allow. */
static void
copy_header(struct scanner *s, struct span line)
{
	size_t room = MAIL_FIELD_BYTES - s->field_bytes;

	if (room > MAIL_HEADER_BYTES - s->section_bytes)
		room = MAIL_HEADER_BYTES - s->section_bytes;
	if (s->fields > MAIL_HEADER_FIELDS || s->field_cut)
		room = 0;
	s->out->headers += line.n;
	if (line.n > room) {
		s->field_cut = true;
		line.n = room;
	}
	s->out->headers_kept += line.n;
	s->field_bytes += line.n;
	s->section_bytes += line.n;
	copy(s, line);
	if (s->field_cut && line.n != 0 && line.p[line.n - 1] != '\n')
		copy(s, SPAN("\r\n"));
}

static void
header_line(struct scanner *s, struct span line)
{
	struct span text = without_end(line);
	const char *cr = memchr(line.p, '\r', line.n);

	if (text.n == 0 && (line.p[0] == '\n' || line.p[0] == '\r')) {
		copy(s, line);
		end_section(s);
		return;
	}
	if (text.n == 0) /* blanks only: an end for some, not for others */
		find(s, FINDING_BAD_HEADER_LINE, line);
	if (line.p[0] != ' ' && line.p[0] != '\t')
		begin_field(s, text);
	if (cr != NULL && cr < text.p + text.n)
		find(s, FINDING_BARE_CR, text);
	if (!utf8_check(text.p, text.n))
		find(s, FINDING_RAW_8BIT_HEADER, text);
	if (s->in_type)
		open_boundary(s, text);
	copy_header(s, line);
}

/* A line "--x": whether it is a boundary of an open multipart, and which. */
static bool
find_boundary(const struct scanner *s, struct span token, size_t *index_out)
{
	for (size_t i = s->depth; i-- > 0;)
		if (span_equal(s->boundaries[i], token)) {
			*index_out = i;
			return true;
		}
	return false;
}

static void
count_part(struct scanner *s)
{
	s->out->parts++;
	if (s->out->parts > MAIL_PARTS)
		s->stopped = true;
	if (!s->stopped)
		s->out->parts_kept++;
}

static bool
ends_in_dashes(struct span token)
{
	return token.n >= 2 && token.p[token.n - 1] == '-' &&
	       token.p[token.n - 2] == '-';
}

/* Whether the line is a boundary; then the state is behind it. */
static bool
boundary_line(struct scanner *s, struct span line)
{
	struct span token = without_end(line);
	size_t at;

	if (token.n < 2 || token.p[0] != '-' || token.p[1] != '-')
		return false;
	token = (struct span){token.p + 2, token.n - 2};
	if (find_boundary(s, token, &at)) {
		s->depth = at + 1;
		count_part(s);
		copy(s, line);
		begin_section(s, false);
		return true;
	}
	if (!ends_in_dashes(token)) {
		if (s->any_boundary)
			count_part(s);
		return false;
	}
	token.n -= 2;
	if (!find_boundary(s, token, &at))
		return false;
	s->depth = at;
	copy(s, line);
	s->in_header = false;
	return true;
}

static void
scan_line(struct scanner *s, struct span line)
{
	if (boundary_line(s, line))
		return;
	if (s->in_header)
		header_line(s, line);
	else
		copy(s, line);
}

/* The line that mailbox files have before each mail. */
static void
skip_mbox_line(struct scanner *s, struct span *rest)
{
	const char *end;

	if (!span_starts(*rest, "From "))
		return;
	end = memchr(rest->p, '\n', rest->n);
	s->out->findings |= FINDING_BIT(FINDING_MBOX_FROM);
	if (end == NULL)
		end = rest->p + rest->n - 1;
	rest->n -= (size_t)(end + 1 - rest->p);
	rest->p = end + 1;
}

void
scan_mail(struct span raw, struct record *notes, struct scan *out)
{
	struct scanner s = {.out = out, .notes = notes};

	*out = (struct scan){0};
	buf_init(&out->mail, raw.n + 2 * MAIL_HEADER_FIELDS * MAIL_PARTS);
	(void)buf_reserve(&out->mail, raw.n);
	if (raw.n == 0) {
		find(&s, FINDING_EMPTY, SPAN(""));
		return;
	}
	if (memchr(raw.p, '\0', raw.n) != NULL)
		find(&s, FINDING_NUL_BYTE, SPAN(""));
	begin_section(&s, true);
	skip_mbox_line(&s, &raw);
	while (raw.n != 0) {
		const char *end = memchr(raw.p, '\n', raw.n);
		struct span line = raw;

		if (end != NULL)
			line.n = (size_t)(end + 1 - raw.p);
		scan_line(&s, line);
		raw.p += line.n;
		raw.n -= line.n;
	}
	out->cut = s.stopped;
}

void
scan_done(struct scan *s)
{
	buf_free(&s->mail);
}
