/*
 * What of a mail is its body. Runs in the worker; the tree, the types and the
 * contents are the sender's. Recursion follows the tree, whose depth mime.c
 * bounds.
 */
#include "reader/body.h"

#include <string.h>

#include "common/err.h"
#include "common/invisible.h"
#include "reader/charset.h"
#include "reader/compare.h"
#include "reader/field.h"
#include "reader/limits.h"
#include "reader/render.h"
#include "reader/words.h"

#define SAME_PERCENT 40	     /* newsletters with terse text versions have 50 */
#define SAME_WORDS_BYTES 120 /* shorter texts are "use a better program" */

static bool
is_type(const struct mime_part *part, const char *type)
{
	return strcmp(part->type, type) == 0;
}

/* Whether a mail program would show the part where it stands. */
static bool
is_shown(const struct mime_part *part)
{
	if (part->kind != MIME_LEAF || part->attachment ||
	    (part->name[0] != '\0' && !part->inlined))
		return false;
	return is_type(part, "text/plain") || render_is_html(part);
}

/* A text with a name that is not said to be an attachment: most programs show
 * it, some as a file only. */
static bool
is_named_text(const struct mime_part *part)
{
	return part->kind == MIME_LEAF && !part->attachment &&
	       !is_shown(part) && is_type(part, "text/plain");
}

/* Whether a mail inside is shown where it stands. */
static bool
is_open(const struct mime_part *part)
{
	return part->kind == MIME_MESSAGE && !part->attachment;
}

/* The same for one that has a transfer encoding. */
static bool
is_coded(const struct mime_part *part)
{
	static const char *const types[] = {"message/rfc822", "message/rfc2822",
	    "message/global", "message/news"};
	struct span plain;

	if (part->kind != MIME_LEAF || part->attachment)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (is_type(part, types[i]))
			return !mime_plain(part, &plain);
	return false;
}

/* Whether anything at or below the part would be shown. */
static bool
has_shown(const struct render *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	while (index < end) {
		const struct mime_part *part = mime_part(b->mime, index++);

		if (is_shown(part) || is_coded(part))
			return true;
		if (part->kind == MIME_MESSAGE && !is_open(part))
			index = part->end;
	}
	return false;
}

static void
attach(struct render *b, const struct mime_part *part)
{
	if (part->kind != MIME_MULTIPART)
		attach_part(b->attach, b->mime, part);
}

/* All leaves at or below a part are attachments. */
static void
attach_all(struct render *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	while (index < end)
		attach(b, mime_part(b->mime, index++));
}

/* The child of an alternative that is shown, or 0. */
static size_t
choose(const struct render *b, size_t index, size_t before)
{
	size_t end = mime_part(b->mime, index)->end, best = 0;

	for (size_t i = index + 1; i < end; i = mime_part(b->mime, i)->end)
		if (i < before && has_shown(b, i))
			best = i;
	return best;
}

static bool
is_blank(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && text.p[i] != '\n')
			return false;
	return true;
}

/* Text that only a version that is not shown has. */
static void
hide_unseen(void *with, struct span run)
{
	visible_hide(with, HIDDEN_ALTERNATIVE, run.p, run.n);
}

/* Whether two texts that are long enough to tell say different things. */
static bool
says_other(const struct compare *with, struct span text, struct span shown)
{
	unsigned of_text, of_shown;

	if (text.n < SAME_WORDS_BYTES)
		return false;
	compare_shares(with, text, &of_text, &of_shown);
	return of_text < SAME_PERCENT ||
	       (shown.n >= SAME_WORDS_BYTES && of_shown < SAME_PERCENT);
}

/* Compare a version that is not shown with the text that is: some program
 * shows it instead. */
static void
compare(struct render *b, const struct mime_part *other,
    const struct compare *with, struct span shown)
{
	struct visible v;
	struct render quiet = *b;
	struct span text;

	visible_init(&v, NULL);
	quiet.visible = &v;
	render_part(&quiet, other);
	text = (struct span){v.text.data, v.text.len};
	compare_unseen(with, text, hide_unseen, b->visible);
	if (b->visible->text_dropped == 0 && says_other(with, text, shown))
		render_find(b, FINDING_ALTERNATIVES_DIFFER, text);
	visible_done(&v);
}

/* What becomes of the children that were not shown. Those at `tried` and
 * behind it that could be were, and were blank. */
static void
pass_over(struct render *b, size_t index, size_t chosen, size_t tried,
    struct span shown)
{
	size_t end = mime_part(b->mime, index)->end, next;
	struct compare with;

	compare_begin(&with, shown);
	for (size_t i = index + 1; i < end; i = next) {
		next = mime_part(b->mime, i)->end;
		if (i == chosen || (i >= tried && has_shown(b, i)))
			continue;
		for (size_t k = i; k < next; k++) {
			const struct mime_part *part = mime_part(b->mime, k);

			if (is_shown(part))
				compare(b, part, &with, shown);
			else
				attach(b, part);
		}
	}
	compare_end(&with);
}

/* The visible text from `start` on. */
static struct span
shown_since(const struct visible *v, size_t start)
{
	if (v->text.len == start)
		return SPAN("");
	return (struct span){v->text.data + start, v->text.len - start};
}

static void show(struct render *b, size_t index); /* follows the tree */

static void
show_each(struct render *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	for (size_t i = index + 1; i < end; i = mime_part(b->mime, i)->end)
		show(b, i);
}

static void
show_alternative(struct render *b, size_t index)
{
	size_t start = b->visible->text.len, tried = SIZE_MAX, chosen;
	struct span shown = SPAN("");

	if (!has_shown(b, index)) {
		show_each(b, index);
		return;
	}
	while ((chosen = choose(b, index, tried)) != 0) {
		show(b, chosen);
		shown = shown_since(b->visible, start);
		if (!is_blank(shown))
			break;
		tried = chosen;
	}
	if (tried != SIZE_MAX && chosen != 0)
		render_find(b, FINDING_ALTERNATIVES_DIFFER, shown);
	pass_over(b, index, chosen, tried, shown);
}

/* The root of multipart/related: the one that "start" names, else the first
 * child. */
static size_t
find_root(const struct render *b, size_t index)
{
	const struct mime_part *part = mime_part(b->mime, index);
	struct span id = span_of(part->start);

	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct span){id.p + 1, id.n - 2};
	for (size_t i = index + 1; id.n != 0 && i < part->end;
	     i = mime_part(b->mime, i)->end)
		if (span_is(id, mime_part(b->mime, i)->id))
			return i;
	return index + 1;
}

/* One child is shown, the others are attachments. */
static void
show_one(struct render *b, size_t index, size_t shown)
{
	size_t end = mime_part(b->mime, index)->end;

	for (size_t i = index + 1; i < end; i = mime_part(b->mime, i)->end)
		if (i == shown)
			show(b, i);
		else
			attach_all(b, i);
}

static void
show_multipart(struct render *b, const struct mime_part *part, size_t index)
{
	if (is_type(part, "multipart/alternative")) {
		show_alternative(b, index);
	} else if (is_type(part, "multipart/related")) {
		show_one(b, index, find_root(b, index));
	} else if (is_type(part, "multipart/signed")) {
		show_one(b, index, index + 1);
	} else if (is_type(part, "multipart/encrypted")) {
		clean_find(b->clean, FINDING_ENCRYPTED);
		attach_all(b, index);
	} else {
		show_each(b, index);
	}
}

/* Decoded text as one line: what ends one for any program becomes blanks, as
 * long as it was. */
static struct span
flat_line(struct buf *line)
{
	for (size_t i = 0; i < line->len;) {
		uint32_t code;
		size_t n = utf8_decode(line->data + i, line->len - i, &code);

		if (n != 0 && invisible_class(code) == INVISIBLE_BREAK)
			memset(line->data + i, ' ', n);
		i += n != 0 ? n : 1;
	}
	return (struct span){line->data, line->len};
}

/* A line of the header of a mail inside, as a quotation; the first one is at
 * `start` of the text. */
static void
quote_field(struct render *b, const char *name, struct span raw, size_t start)
{
	struct span text;
	struct buf line;

	if (raw.n == 0)
		return;
	buf_init(&line, MAIL_HEADER_TEXT);
	words_decode(raw, &line, &b->clean->findings);
	text = flat_line(&line);
	while (text.n != 0 && text.p[0] == ' ')
		text = (struct span){text.p + 1, text.n - 1};
	if (shown_since(b->visible, 0).n != start)
		visible_add(b->visible, "\n", 1);
	visible_add(b->visible, "> ", 2);
	visible_add(b->visible, name, strlen(name));
	visible_add(b->visible, ": ", 2);
	if (text.n != 0)
		visible_add(b->visible, text.p, text.n);
	visible_end(b->visible);
	buf_free(&line);
}

/* A field of a mail that was decoded, as mime_inner_header gives it. */
static struct span
header_of(const struct mime *m, const char *name)
{
	const char *raw = mime_header(m, name, 0);

	if (raw == NULL)
		return SPAN("");
	return (struct span){raw, strnlen(raw, MAIL_FIELD_BYTES)};
}

/* Who wrote a mail inside, and what about: `part`, or the whole of `inner`. */
static void
quote_header(
    struct render *b, const struct mime_part *part, const struct mime *inner)
{
	static const char *const fields[] = {"From", "To", "Subject", "Date"};
	size_t start;

	if (b->visible->text.len != 0)
		visible_add(b->visible, "\n\n", 2);
	start = b->visible->text.len;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		quote_field(b, fields[i],
		    inner == NULL ? mime_inner_header(part, fields[i])
				  : header_of(inner, fields[i]),
		    start);
}

/* A mail inside: an attachment, and its text where it stands. */
static void
show_message(struct render *b, const struct mime_part *part, size_t index)
{
	attach(b, part);
	if (!is_open(part) || part->end == index + 1)
		return;
	quote_header(b, part, NULL);
	show(b, index + 1);
}

/* Whether one more mail may be decoded. */
static bool
may_decode(struct render *b)
{
	if (b->messages >= MAIL_MESSAGES) {
		clean_find(b->clean, FINDING_DEEP);
		return false;
	}
	if (*b->decoded >= MAIL_DECODED) {
		clean_note_cut(b->clean, CLEAN_CUT_PARTS, 0, 1);
		return false;
	}
	++*b->decoded;
	return true;
}

static bool show_tree(
    struct render *b, const struct scan *scan); /* within may_decode */

/* A mail inside that has a transfer encoding is read as one of its own. */
static void
show_coded(struct render *b, const struct mime_part *part)
{
	struct render inner = *b;
	struct scan scan;
	struct buf raw;

	attach(b, part);
	if (!may_decode(b))
		return;
	clean_find(b->clean, FINDING_BAD_ENCODING);
	/* those around it are in memory too */
	buf_init(&raw, MAIL_DECODED_BYTES - *b->held);
	if (mime_content(b->mime, part, render_take, &raw) != 0) {
		clean_note_cut(b->clean, CLEAN_CUT_PARTS, 0, 1);
		buf_free(&raw);
		return;
	}
	*b->held += raw.len;
	if (raw.len != 0) {
		scan_mail((struct span){raw.data, raw.len}, b->notes, &scan);
		inner.mime = mime_new(scan.mail);
		inner.messages++;
		quote_header(&inner, part, inner.mime);
		(void)show_tree(&inner, &scan);
		mime_free(inner.mime);
		scan_done(&scan);
	}
	*b->held -= raw.len;
	buf_free(&raw);
}

static void
show(struct render *b, size_t index)
{
	const struct mime_part *part = mime_part(b->mime, index);

	if (part->kind == MIME_MULTIPART)
		show_multipart(b, part, index);
	else if (part->kind == MIME_MESSAGE)
		show_message(b, part, index);
	else if (is_coded(part))
		show_coded(b, part);
	else if (!is_shown(part))
		attach(b, part);
	if (is_shown(part) || is_named_text(part))
		render_part(b, part);
}

static void
show_root(struct render *b)
{
	const struct mime_part *root = mime_part(b->mime, 0);

	/* RFC 2046, 4.1.4: a text of unknown kind is shown as plain text */
	if (root->kind == MIME_LEAF && !root->attachment &&
	    strncmp(root->type, "text/", 5) == 0)
		render_part(b, root);
	else
		show(b, 0);
}

/* Text that the MIME parser does not give, in front of what it does. Without a
 * label it is UTF-8 or what mail programs fall back to. */
static void
show_raw(struct render *b, struct span raw, bool whole)
{
	struct buf text;

	while (raw.n != 0 && field_is_blank(raw.p[raw.n - 1]))
		raw.n--;
	buf_init(&text, MAIL_TEXT_BYTES);
	if (charset_decode(SPAN(""), raw, &text, &(uint64_t){0}) != 0)
		whole = false;
	render_text(b->visible, (struct span){text.data, text.len});
	visible_end(b->visible);
	if (!whole) /* at least one */
		b->visible->text_dropped++;
	buf_free(&text);
}

static bool
has_ink(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!field_is_blank(text.p[i]))
			return true;
	return false;
}

/* Lines of headers that are no fields, and a mail that the parser refuses as
 * a whole: a person sees them in some mail program. */
static void
show_lost(struct render *b, const struct scan *scan)
{
	struct span lines = {scan->stray.data, scan->stray.len};
	const char *name;

	if (has_ink(lines))
		show_raw(b, lines, !scan->stray.overflow);
	if (mime_count(b->mime) != 0 || mime_field(b->mime, 0, &name) != NULL ||
	    !has_ink(scan->mail))
		return;
	render_find(b, FINDING_NOT_READ_AS_MAIL, SPAN(""));
	show_raw(b, scan->mail, true);
}

/* What was found and cut on the way here. */
static void
note_bounds(struct render *b, const struct scan *s)
{
	uint64_t out = mime_left_out(b->mime), total = s->parts;
	uint64_t kept = s->parts_kept > out ? s->parts_kept - out : 0;
	uint64_t findings = mime_findings(b->mime);

	if (s->cut) /* then the missing end is our doing */
		findings &= ~(FINDING_BIT(FINDING_NO_END) |
			      FINDING_BIT(FINDING_NO_PARTS));
	b->clean->findings |= findings | s->findings;
	if (total < kept + out) /* the scan has seen fewer boundaries */
		total = kept + out;
	clean_note_cut(b->clean, CLEAN_CUT_PARTS, kept, total);
	clean_note_cut(
	    b->clean, CLEAN_CUT_HEADERS, s->headers_kept, s->headers);
}

/* All of a mail; whether there was text in its parts. */
static bool
show_tree(struct render *b, const struct scan *scan)
{
	size_t start;

	show_lost(b, scan);
	start = b->visible->text.len;
	if (mime_count(b->mime) != 0)
		show_root(b);
	note_bounds(b, scan);
	return !is_blank(shown_since(b->visible, start));
}

void
body_render(const struct scan *scan, struct mime *m, struct visible *v,
    struct clean *c, struct record *notes)
{
	struct attach attachments;
	unsigned decoded = 0;
	size_t held = 0;
	struct render b = {m, v, c, notes, &attachments, 0, &decoded, &held};

	attach_init(&attachments, c, notes, v);
	if (!show_tree(&b, scan)) { /* Outlook alone shows this text */
		render_text(v,
		    (struct span){attachments.text.data, attachments.text.len});
		if (attachments.text_cut) /* at least one */
			v->text_dropped++;
	}
	attach_done(&attachments);
}
