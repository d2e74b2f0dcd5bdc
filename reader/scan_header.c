/*
 * Header sections of the first look: which lines are fields, what may be there
 * once, which boundary a Content-Type names, and how much of it all is kept.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "reader/field.h"
#include "reader/limits.h"
#include "reader/scan_impl.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

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
		if (at == text.n ||
		    (at > 0 && (text.p[at - 1] == ';' ||
				   field_is_blank(text.p[at - 1]))))
			return at;
	} while (++at < text.n);
	return text.n;
}

/* The value behind "boundary" as it is usually written; false if it is
 * written in a way that only a full parser gets right. */
static bool
read_boundary(struct span text, struct span *out)
{
	const char *end;

	field_skip_space(&text);
	if (text.n == 0 || text.p[0] != '=')
		return false;
	text = (struct span){text.p + 1, text.n - 1};
	field_skip_space(&text);
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
	while (out->n < text.n && !field_is_blank(text.p[out->n]) &&
	       text.p[out->n] != ';')
		out->n++;
	return memchr(out->p, '(', out->n) == NULL;
}

/* The multipart whose header section this is goes, with its boundary line and
 * what stands around its parts. */
static void
dissolve(struct scanner *s)
{
	if (s->stopped || s->skipping)
		return;
	scan_edit(s);
	s->out->own.len = s->part_start;
	s->dissolved++;
	s->skipping = true;
}

static void
push_boundary(struct scanner *s, struct span value, struct span line)
{
	if (s->depth >= MAIL_DEPTH) {
		if (!s->is_multipart) /* no other type has parts */
			return;
		if (!s->stopped)
			scan_find(s, FINDING_DEEP, line);
		if (s->depth >= MAIL_DISSOLVED_DEPTH) {
			s->stopped = s->any_boundary = true;
			return;
		}
		dissolve(s);
	}
	if (s->depth == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		s->levels = alloc_resize(s->levels, s->cap, sizeof *s->levels);
	}
	s->levels[s->depth++] = (struct level){value, s->is_digest};
}

/* Look for a boundary in a line of Content-Type. Where the word stands at
 * other places too, one in quotes or a comment may have been taken; then each
 * line that looks like a boundary counts as a part. It is worth a finding when
 * it may be another parameter, and not a piece of the boundary. */
static void
open_boundary(struct scanner *s, struct span line)
{
	struct span value = {0}, rest;
	size_t at = find_parameter(line);
	bool unsure = false;

	if (find_word(line, "message/") < line.n)
		s->is_message = true;
	if (find_word(line, "message/rfc822") < line.n ||
	    find_word(line, "message/global") < line.n)
		s->is_mail = true;
	if (find_word(line, "multipart") < line.n)
		s->is_multipart = true;
	if (find_word(line, "digest") < line.n)
		s->is_digest = true;
	if (find_word(line, "boundary") < at)
		s->any_boundary = true;
	if (at == line.n)
		return;
	at += strlen("boundary");
	rest = (struct span){line.p + at, line.n - at};
	if (find_word(rest, "boundary") < rest.n)
		s->any_boundary = true;
	if (read_boundary(rest, &value))
		push_boundary(s, scan_without_end(value), line);
	else
		s->any_boundary = unsure = true;
	if (s->is_multipart && (unsure || find_parameter(rest) < rest.n))
		scan_find(s, FINDING_UNSURE_BOUNDARY, line);
}

void
scan_header_begin(struct scanner *s, bool top)
{
	s->in_header = true;
	s->top = top;
	s->is_message = s->is_multipart = s->is_digest = s->is_mail = false;
	s->in_stray = false;
	s->stray_from = NULL;
	s->sure = true;
	s->in_digest = s->typed = s->in_type = s->field_cut = false;
	s->in_encoding = s->coded = false;
	s->encodings = 0;
	s->fields = s->section_bytes = s->field_bytes = 0;
	s->seen = 0;
}

/* Keep the text of a line that is no field. */
static void
take_stray(struct scanner *s, struct span line)
{
	if (!s->sure)
		return;
	if (s->stray_from == NULL) {
		s->stray_from = line.p;
		s->stray_before = s->out->stray.len;
	}
	(void)buf_add(&s->out->stray, line.p, line.n);
}

/* A section ends at `end` without a blank line: from its first line that is
 * no field on, it was text. */
void
scan_header_break(struct scanner *s, const char *end)
{
	if (!s->in_header || s->stray_from == NULL)
		return;
	s->out->stray.len = s->stray_before;
	(void)buf_add(
	    &s->out->stray, s->stray_from, (size_t)(end - s->stray_from));
}

/* The blank line behind a section. */
static void
end_section(struct scanner *s)
{
	bool sure = s->sure && (s->is_mail || s->in_digest);

	if (s->top && s->fields == 0)
		scan_find(s, FINDING_NO_HEADER, SPAN(""));
	if (!s->coded && (s->is_message || (s->in_digest && !s->typed))) {
		scan_header_begin(s, false);
		s->sure = sure;
	} else {
		s->in_header = false;
	}
}

/* A line of Content-Transfer-Encoding. What is in base64 and the like is no
 * header section, whatever its type; to be taken for that it has to be said
 * once and without more, as the MIME parser wants it. */
static void
take_encoding(struct scanner *s, struct span line)
{
	static const char *const names[] = {
	    "base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue"};
	const char *colon = memchr(line.p, ':', line.n);
	bool known = false;

	if (!field_is_blank(line.p[0]) && colon != NULL)
		line = (struct span){
		    colon + 1, line.n - (size_t)(colon + 1 - line.p)};
	field_skip_space(&line);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		known = known || same_name(line, names[i]);
	if (line.n != 0)
		s->coded = ++s->encodings == 1 && known;
}

static void
note_unique(struct scanner *s, struct span name, struct span line)
{
	for (size_t i = 0; i < COUNT_OF(unique_fields); i++) {
		if (!same_name(name, unique_fields[i].name) ||
		    (!s->top && !unique_fields[i].everywhere))
			continue;
		if ((s->seen >> i & 1) != 0)
			scan_find(s, unique_fields[i].finding, line);
		s->seen |= 1u << i;
	}
}

/* A line that begins a field, or is none. */
static void
begin_field(struct scanner *s, struct span line)
{
	struct span name = field_name(line);

	s->in_type = s->in_encoding = false;
	s->in_stray = name.n == 0;
	if (s->in_stray) {
		scan_find(s, FINDING_BAD_HEADER_LINE, line);
		return;
	}
	s->fields++;
	s->field_bytes = 0;
	s->field_cut = false;
	if (s->fields > MAIL_HEADER_FIELDS)
		return;
	if (field_is_blank(name.p[name.n]))
		scan_find(s, FINDING_BLANK_BEFORE_COLON, line);
	s->in_type = same_name(name, "Content-Type");
	s->in_encoding = same_name(name, "Content-Transfer-Encoding");
	s->typed = s->typed || s->in_type;
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
	scan_copy(s, line);
	if (s->field_cut && line.n != 0 && line.p[line.n - 1] != '\n')
		scan_copy(s, SPAN("\r\n"));
}

/* A field, or a line that is none, with a CR amid it: for some programs a line
 * or the text begins there. What is in a stray line is kept anyway. */
static void
take_cr(struct scanner *s, struct span text, const char *cr)
{
	struct buf *stray = &s->out->stray;

	scan_find(s, FINDING_BARE_CR, text);
	if (s->in_stray || !s->sure)
		return;
	(void)buf_add(stray, cr + 1, (size_t)(text.p + text.n - cr - 1));
	(void)buf_add_byte(stray, '\n');
}

void
scan_header_line(struct scanner *s, struct span line)
{
	struct span text = scan_without_end(line);
	const char *cr = memchr(line.p, '\r', line.n);

	if (text.n == 0 && (line.p[0] == '\n' || line.p[0] == '\r')) {
		scan_copy(s, s->sure && line.n > 2 ? SPAN("\r\n") : line);
		end_section(s);
		return;
	}
	if (line.p[0] != ' ' && line.p[0] != '\t')
		begin_field(s, text);
	else if (s->fields == 0)
		s->in_stray = true;
	if (text.n == 0 || (s->in_stray && field_is_blank(line.p[0])))
		scan_find(
		    s, FINDING_BAD_HEADER_LINE, line); /* or an end for some */
	if (cr != NULL && cr < text.p + text.n)
		take_cr(s, text, cr);
	if (memchr(text.p, '\0', text.n) != NULL)
		scan_find(s, FINDING_NUL_IN_HEADER, text);
	if (!utf8_check(text.p, text.n))
		scan_find(s, FINDING_RAW_8BIT_HEADER, text);
	if (s->in_type)
		open_boundary(s, text);
	if (s->in_encoding && text.n != 0)
		take_encoding(s, text);
	if (s->in_stray)
		take_stray(s, line);
	/* the parser refuses such a mail, or loses such a part */
	if (!s->in_stray ||
	    (!s->top && (text.n <= MAIL_LINE_BYTES || !s->sure)))
		copy_header(s, line);
}
