/*
 * The first look at a raw mail (RFC 5322 lines, RFC 2046 boundaries). Runs in
 * the worker on bytes nobody has looked at. It does not interpret more than
 * it must: where its idea of a header section differs from the MIME parser's,
 * only the bounds are placed differently.
 */
#include "reader/scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "reader/field.h"
#include "reader/limits.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* More than what was cut out: line ends behind cut header fields, and a long
 * boundary in the place of a short one. */
#define EDIT_BYTES (4u << 20)

/* An open multipart. */
struct level {
	struct span boundary;
	bool digest; /* its parts are mails if they do not say another type */
};

struct scanner {
	struct scan *out;
	struct record *notes;
	struct level *levels; /* open multiparts, innermost last */
	size_t depth, cap;
	uint64_t tries;	   /* comparisons with boundaries so far */
	bool any_boundary; /* one could not be read: every "--" line counts */
	bool stopped;	   /* the copy ends here */
	bool edited;	   /* out->own is in use */
	size_t raw_bytes;

	/* the part we are in */
	size_t part_start; /* where its boundary line is in the copy */
	size_t dissolved;  /* multiparts */
	bool skipping;	   /* around the parts of a dissolved multipart */
	bool blank_before; /* the line before was empty */
	bool crlf, lf;	   /* line ends seen */

	/* the header section we are in */
	bool in_header;
	bool top;	 /* it is the mail's own */
	bool is_message; /* its content is a message, with a header again */
	bool is_multipart, is_digest;
	bool in_digest, typed; /* a part of one; Content-Type was there */
	bool in_type;	       /* the field is Content-Type */
	bool field_cut;
	bool in_stray; /* the line is no field, or goes on such a one */
	const char *stray_from; /* the first such line; NULL: none yet */
	size_t stray_before;	/* bytes of other sections in out->stray */
	bool is_mail;		/* its content is a mail, not a report */
	bool sure;		/* the MIME parser sees a section here too */
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

/* From now on the kept mail is not the raw one. */
static void
begin_edit(struct scanner *s)
{
	struct buf *own = &s->out->own;

	if (s->edited)
		return;
	s->edited = true;
	buf_init(own, s->raw_bytes + EDIT_BYTES);
	(void)buf_reserve(own, s->raw_bytes);
	(void)buf_add(own, s->out->mail.p, s->out->mail.n);
}

static size_t
kept_bytes(const struct scanner *s)
{
	return s->edited ? s->out->own.len : s->out->mail.n;
}

static void
copy(struct scanner *s, struct span text)
{
	struct span *mail = &s->out->mail;

	if (s->stopped || s->skipping)
		return;
	if (!s->edited && text.p == mail->p + mail->n) {
		mail->n += text.n;
		return;
	}
	begin_edit(s);
	if (buf_add(&s->out->own, text.p, text.n) != 0)
		s->stopped = true;
}

static struct span
without_end(struct span line)
{
	while (line.n != 0 && field_is_blank(line.p[line.n - 1]))
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
		if (at == text.n ||
		    (at > 0 && (text.p[at - 1] == ';' ||
				   field_is_blank(text.p[at - 1]))))
			return at;
	} while (++at < text.n);
	return text.n;
}

static void
skip_blanks(struct span *text)
{
	while (text->n != 0 && field_is_blank(text->p[0])) {
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
	begin_edit(s);
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
			find(s, FINDING_DEEP, line);
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
		push_boundary(s, without_end(value), line);
	else
		s->any_boundary = unsure = true;
	if (s->is_multipart && (unsure || find_parameter(rest) < rest.n))
		find(s, FINDING_UNSURE_BOUNDARY, line);
}

static void
begin_section(struct scanner *s, bool top)
{
	s->in_header = true;
	s->top = top;
	s->is_message = s->is_multipart = s->is_digest = s->is_mail = false;
	s->in_stray = false;
	s->stray_from = NULL;
	s->sure = true;
	s->in_digest = s->typed = s->in_type = s->field_cut = false;
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
static void
break_section(struct scanner *s, const char *end)
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
		find(s, FINDING_NO_HEADER, SPAN(""));
	if (s->is_message || (s->in_digest && !s->typed)) {
		begin_section(s, false);
		s->sure = sure;
	} else {
		s->in_header = false;
	}
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

/* The name that the line begins with; empty if it is no field. A name has no
 * blank and no control in it, but there may be blanks behind it. */
static struct span
field_name(struct span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct span name = {line.p, 0};

	if (colon == NULL)
		return name;
	while (name.p + name.n < colon && (unsigned char)name.p[name.n] > ' ' &&
	       name.p[name.n] != 0x7f)
		name.n++;
	for (const char *p = name.p + name.n; p < colon; p++)
		if (*p != ' ' && *p != '\t')
			return (struct span){line.p, 0};
	return name;
}

/* A line that begins a field, or is none. */
static void
begin_field(struct scanner *s, struct span line)
{
	struct span name = field_name(line);

	s->in_type = false;
	s->in_stray = name.n == 0;
	if (s->in_stray) {
		find(s, FINDING_BAD_HEADER_LINE, line);
		return;
	}
	s->fields++;
	s->field_bytes = 0;
	s->field_cut = false;
	if (s->fields > MAIL_HEADER_FIELDS)
		return;
	if (field_is_blank(name.p[name.n]))
		find(s, FINDING_BLANK_BEFORE_COLON, line);
	s->in_type = same_name(name, "Content-Type");
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
		copy(s, s->sure && line.n > 2 ? SPAN("\r\n") : line);
		end_section(s);
		return;
	}
	if (line.p[0] != ' ' && line.p[0] != '\t')
		begin_field(s, text);
	else if (s->fields == 0)
		s->in_stray = true;
	if (text.n == 0 || (s->in_stray && field_is_blank(line.p[0])))
		find(s, FINDING_BAD_HEADER_LINE, line); /* or an end for some */
	if (cr != NULL && cr < text.p + text.n)
		find(s, FINDING_BARE_CR, text);
	if (memchr(text.p, '\0', text.n) != NULL)
		find(s, FINDING_NUL_IN_HEADER, text);
	if (!utf8_check(text.p, text.n))
		find(s, FINDING_RAW_8BIT_HEADER, text);
	if (s->in_type)
		open_boundary(s, text);
	if (s->in_stray)
		take_stray(s, line);
	if (!s->in_stray || !s->top) /* the parser refuses such a mail */
		copy_header(s, line);
}

/* A line "--x": whether it is a boundary of an open multipart, and which.
 * *prefix_out: x begins with one, which is a boundary for some programs. */
static bool
find_boundary(
    struct scanner *s, struct span token, size_t *index_out, bool *prefix_out)
{
	for (size_t i = s->depth; i-- > 0;) {
		struct span b = s->levels[i].boundary;

		if (s->tries++ > MAIL_BOUNDARY_TRIES) {
			s->stopped = true;
			return false;
		}
		if (token.n < b.n || b.n == 0 || memcmp(token.p, b.p, b.n) != 0)
			continue;
		if (token.n == b.n) {
			*index_out = i;
			return true;
		}
		if (b.n != 0)
			*prefix_out = true;
	}
	return false;
}

static void
count_part(struct scanner *s)
{
	s->out->parts++;
	if (s->out->parts_kept - s->dissolved >= MAIL_PARTS)
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

/* Behind a boundary that opens a part. */
static void
open_part(struct scanner *s, struct span line, size_t at)
{
	break_section(s, line.p);
	if (s->in_header && s->top)
		copy(s, SPAN("\r\n"));
	s->depth = at + 1;
	s->skipping = false;
	count_part(s);
	s->part_start = kept_bytes(s);
	if (at < MAIL_DEPTH) {
		copy(s, line);
	} else {
		copy(s, SPAN("--"));
		copy(s, s->levels[MAIL_DEPTH - 1].boundary);
		copy(s, SPAN("\r\n"));
	}
	begin_section(s, false);
	s->in_digest = s->levels[at].digest;
}

/* Behind the boundary that ends a multipart. */
static void
close_multipart(struct scanner *s, struct span line, size_t at)
{
	break_section(s, line.p);
	s->depth = at;
	s->in_header = false;
	s->skipping = at >= MAIL_DEPTH;
	copy(s, line);
}

/* The usual end, without a look at all levels. */
static bool
ends_innermost(const struct scanner *s, struct span token)
{
	struct span b;

	if (s->depth == 0)
		return false;
	b = s->levels[s->depth - 1].boundary;
	return token.n == b.n + 2 && memcmp(token.p, b.p, b.n) == 0 &&
	       ends_in_dashes(token);
}

/* Whether the line, which begins with "--", is a boundary; then the state is
 * behind it. */
static bool
boundary_line(struct scanner *s, struct span line)
{
	struct span token = without_end(line);
	bool prefix = false;
	size_t at;

	if (token.n < 2)
		return false;
	token = (struct span){token.p + 2, token.n - 2};
	if (ends_innermost(s, token)) {
		close_multipart(s, line, s->depth - 1);
		return true;
	}
	if (find_boundary(s, token, &at, &prefix)) {
		open_part(s, line, at);
		return true;
	}
	if (!ends_in_dashes(token)) {
		if (s->any_boundary)
			count_part(s);
		if (prefix)
			find(s, FINDING_UNSURE_BOUNDARY, line);
		return false;
	}
	token.n -= 2;
	if (!find_boundary(s, token, &at, &prefix))
		return false;
	close_multipart(s, line, at);
	return true;
}

/* Line ends that some programs take for others; overlong lines. */
static void
note_line(struct scanner *s, struct span line)
{
	const char *cr = memchr(line.p, '\r', line.n);
	size_t end = line.n;

	if (line.p[end - 1] == '\n') {
		end--;
		if (end > 0 && line.p[end - 1] == '\r') {
			end--;
			s->crlf = true;
		} else {
			s->lf = true;
		}
	}
	if (cr != NULL && cr < line.p + end && !s->in_header)
		s->out->findings |= FINDING_BIT(FINDING_BARE_CR);
	if (end > MAIL_LINE_BYTES)
		s->out->findings |= FINDING_BIT(FINDING_LONG_LINE);
}

/* A mailbox file would have a second mail begin here, or had this line quoted
 * when it was one. */
static void
note_mbox(struct scanner *s, struct span line)
{
	if ((s->blank_before && span_starts(line, "From ")) ||
	    span_starts(line, ">From "))
		find(s, FINDING_MBOX_INSIDE, without_end(line));
	s->blank_before = line.p[0] == '\n' || line.p[0] == '\r';
}

static void
scan_line(struct scanner *s, struct span line)
{
	note_line(s, line);
	if (line.n > 1 && line.p[0] == '-' && line.p[1] == '-' &&
	    boundary_line(s, line))
		return;
	if (s->in_header) {
		header_line(s, line);
		return;
	}
	note_mbox(s, line);
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

static void
scan_lines(struct scanner *s, struct span raw)
{
	while (raw.n != 0) {
		const char *end = memchr(raw.p, '\n', raw.n);
		struct span line = raw;

		if (end != NULL)
			line.n = (size_t)(end + 1 - raw.p);
		scan_line(s, line);
		raw.p += line.n;
		raw.n -= line.n;
	}
	break_section(s, raw.p);
}

void
scan_mail(struct span raw, struct record *notes, struct scan *out)
{
	struct scanner s = {.out = out, .notes = notes, .raw_bytes = raw.n};

	*out = (struct scan){.mail = SPAN("")};
	buf_init(&out->stray, MAIL_TEXT_BYTES);
	if (raw.n == 0) {
		find(&s, FINDING_EMPTY, SPAN(""));
		return;
	}
	if (memchr(raw.p, '\0', raw.n) != NULL)
		find(&s, FINDING_NUL_BYTE, SPAN(""));
	begin_section(&s, true);
	skip_mbox_line(&s, &raw);
	out->mail = (struct span){raw.p, 0};
	scan_lines(&s, raw);
	if (s.crlf && s.lf)
		find(&s, FINDING_MIXED_LINE_ENDS, SPAN(""));
	if (s.edited)
		out->mail = (struct span){out->own.data, out->own.len};
	out->cut = s.stopped;
	free(s.levels);
}

void
scan_done(struct scan *s)
{
	buf_free(&s->own);
	buf_free(&s->stray);
}
