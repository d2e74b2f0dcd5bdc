/*
 * The first look at a raw mail (RFC 5322 lines, RFC 2046 boundaries). Runs in
 * the worker on bytes nobody has looked at. It does not interpret more than
 * it must: where its idea of a header section differs from the MIME parser's,
 * only the bounds are placed differently.
 */
#include "reader/scan.h"

#include <stdlib.h>
#include <string.h>

#include "reader/field.h"
#include "reader/limits.h"
#include "reader/scan_impl.h"

/* More than what was cut out: line ends behind cut header fields, and a long
 * boundary in the place of a short one. */
#define EDIT_BYTES (4u << 20)

void
scan_find(struct scanner *s, enum finding finding, struct span detail)
{
	s->out->findings |= FINDING_BIT(finding);
	record_note(s->notes, finding, detail);
}

/* From now on the kept mail is not the raw one. */
void
scan_edit(struct scanner *s)
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

void
scan_copy(struct scanner *s, struct span text)
{
	struct span *mail = &s->out->mail;

	if (s->stopped || s->skipping)
		return;
	if (!s->edited && text.p == mail->p + mail->n) {
		mail->n += text.n;
		return;
	}
	scan_edit(s);
	if (buf_add(&s->out->own, text.p, text.n) != 0)
		s->stopped = true;
}

struct span
scan_without_end(struct span line)
{
	while (line.n != 0 && field_is_blank(line.p[line.n - 1]))
		line.n--;
	return line;
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
	scan_header_break(s, line.p);
	if (s->in_header && s->top)
		scan_copy(s, SPAN("\r\n"));
	s->depth = at + 1;
	s->skipping = false;
	count_part(s);
	s->part_start = kept_bytes(s);
	if (at < MAIL_DEPTH) {
		scan_copy(s, line);
	} else {
		scan_copy(s, SPAN("--"));
		scan_copy(s, s->levels[MAIL_DEPTH - 1].boundary);
		scan_copy(s, SPAN("\r\n"));
	}
	scan_header_begin(s, false);
	s->in_digest = s->levels[at].digest;
}

/* Behind the boundary that ends a multipart. */
static void
close_multipart(struct scanner *s, struct span line, size_t at)
{
	scan_header_break(s, line.p);
	s->depth = at;
	s->in_header = false;
	s->skipping = at >= MAIL_DEPTH;
	scan_copy(s, line);
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
	struct span token = scan_without_end(line);
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
			scan_find(s, FINDING_UNSURE_BOUNDARY, line);
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
		scan_find(s, FINDING_MBOX_INSIDE, scan_without_end(line));
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
		scan_header_line(s, line);
		return;
	}
	note_mbox(s, line);
	scan_copy(s, line);
}

/* Behind the line that mailbox files have before each mail. */
static void
skip_mbox_line(struct scanner *s, struct span *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end == NULL ? rest->n : (size_t)(end + 1 - rest->p);

	if (!field_is_mbox((struct span){rest->p, n}))
		return;
	s->out->findings |= FINDING_BIT(FINDING_MBOX_FROM);
	field_advance(rest, n);
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
	scan_header_break(s, raw.p);
}

/* Behind a byte order mark, which is no part of the first field's name. */
static void
skip_mark(struct scanner *s, struct span *rest)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (!span_starts(*rest, mark))
		return;
	scan_find(s, FINDING_BAD_HEADER_LINE, SPAN(mark));
	field_advance(rest, sizeof mark - 1);
}

/* Whether the first line ends in a CR that no LF follows, or several. */
static bool
ends_in_cr(struct span raw)
{
	const char *end = raw.p + raw.n, *lf = memchr(raw.p, '\n', raw.n);
	const char *at =
	    memchr(raw.p, '\r', lf != NULL ? (size_t)(lf - raw.p) : raw.n);

	while (at != NULL && at < end && *at == '\r')
		at++;
	return at != NULL && at != lf;
}

/* Give all lines an end that the MIME parser knows. */
static struct span
end_lines(struct scanner *s, struct span raw)
{
	struct buf *out = &s->out->ends;

	scan_find(s, FINDING_BARE_CR, SPAN(""));
	buf_init(out, raw.n);
	(void)buf_add(out, raw.p, raw.n);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\r' &&
		    (i + 1 == out->len || out->data[i + 1] != '\n'))
			out->data[i] = '\n';
	return (struct span){out->data, out->len};
}

void
scan_mail(struct span raw, struct record *notes, struct scan *out)
{
	struct scanner s = {.out = out, .notes = notes, .raw_bytes = raw.n};

	*out = (struct scan){.mail = SPAN("")};
	buf_init(&out->stray, MAIL_TEXT_BYTES);
	if (raw.n == 0) {
		scan_find(&s, FINDING_EMPTY, SPAN(""));
		return;
	}
	if (memchr(raw.p, '\0', raw.n) != NULL)
		scan_find(&s, FINDING_NUL_BYTE, SPAN(""));
	scan_header_begin(&s, true);
	if (ends_in_cr(raw))
		raw = end_lines(&s, raw);
	skip_mark(&s, &raw);
	skip_mbox_line(&s, &raw);
	out->mail = (struct span){raw.p, 0};
	scan_lines(&s, raw);
	if (s.crlf && s.lf)
		scan_find(&s, FINDING_MIXED_LINE_ENDS, SPAN(""));
	if (s.edited)
		out->mail = (struct span){out->own.data, out->own.len};
	out->cut = s.stopped;
	free(s.levels);
}

void
scan_done(struct scan *s)
{
	buf_free(&s->own);
	buf_free(&s->ends);
	buf_free(&s->stray);
}
