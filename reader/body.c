/*
 * What of a mail is its body. Runs in the worker; the tree, the types and the
 * contents are the sender's. Recursion follows the tree, whose depth mime.c
 * bounds.
 */
#include "reader/body.h"

#include <string.h>

#include "common/err.h"
#include "common/invisible.h"
#include "reader/compare.h"
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

/* Whether anything at or below the part would be shown. */
static bool
has_shown(const struct render *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	while (index < end) {
		const struct mime_part *part = mime_part(b->mime, index++);

		if (is_shown(part))
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

static bool
says_other(struct span a, struct span b)
{
	return a.n >= SAME_WORDS_BYTES && compare_words(a, b) < SAME_PERCENT;
}

/* Compare a version that is not shown with the text that is: some program
 * shows it instead. */
static void
compare(struct render *b, const struct mime_part *other, struct span shown)
{
	struct visible v;
	struct render quiet = *b;
	struct span text;

	visible_init(&v, NULL);
	quiet.visible = &v;
	render_part(&quiet, other);
	text = (struct span){v.text.data, v.text.len};
	compare_unseen(text, shown, hide_unseen, b->visible);
	if (b->visible->text_dropped == 0 &&
	    (says_other(text, shown) ||
		(text.n >= SAME_WORDS_BYTES && says_other(shown, text))))
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

	for (size_t i = index + 1; i < end; i = next) {
		next = mime_part(b->mime, i)->end;
		if (i == chosen || (i >= tried && has_shown(b, i)))
			continue;
		for (size_t k = i; k < next; k++) {
			const struct mime_part *part = mime_part(b->mime, k);

			if (is_shown(part))
				compare(b, part, shown);
			else
				attach(b, part);
		}
	}
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
quote_field(struct render *b, const struct mime_part *part, const char *name,
    size_t start)
{
	struct span raw = mime_inner_header(part, name), text;
	uint64_t findings = 0;
	struct buf line;

	if (raw.n == 0)
		return;
	buf_init(&line, MAIL_HEADER_TEXT);
	words_decode(raw, &line, &findings);
	b->clean->findings |= findings;
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

/* A mail inside: an attachment, and its text where it stands. */
static void
show_message(struct render *b, const struct mime_part *part, size_t index)
{
	static const char *const fields[] = {"From", "To", "Subject", "Date"};
	size_t start;

	attach(b, part);
	if (!is_open(part) || part->end == index + 1)
		return;
	if (b->visible->text.len != 0)
		visible_add(b->visible, "\n\n", 2);
	start = b->visible->text.len;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		quote_field(b, part, fields[i], start);
	show(b, index + 1);
}

static void
show(struct render *b, size_t index)
{
	const struct mime_part *part = mime_part(b->mime, index);

	if (part->kind == MIME_MULTIPART)
		show_multipart(b, part, index);
	else if (part->kind == MIME_MESSAGE)
		show_message(b, part, index);
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

void
body_render(
    struct mime *m, struct visible *v, struct clean *c, struct record *notes)
{
	struct attach attachments;
	struct render b = {m, v, c, notes, &attachments};
	size_t start = v->text.len;

	if (mime_count(m) == 0)
		return;
	attach_init(&attachments, c, notes, v);
	show_root(&b);
	if (is_blank(
		shown_since(v, start))) { /* Outlook alone shows this text */
		render_text(v,
		    (struct span){attachments.text.data, attachments.text.len});
		if (attachments.text_cut) /* at least one */
			v->text_dropped++;
	}
	attach_done(&attachments);
}
