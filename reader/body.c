/*
 * What of a mail is its body. Runs in the worker; the tree, the types and the
 * contents are the sender's. Recursion follows the tree, whose depth mime.c
 * bounds.
 */
#include "reader/body.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/err.h"
#include "reader/charset.h"
#include "reader/compare.h"
#include "reader/flowed.h"
#include "reader/html.h"
#include "reader/limits.h"

#define SAME_PERCENT 40	     /* newsletters with terse text versions have 50 */
#define SAME_WORDS_BYTES 120 /* shorter texts are "use a better program" */

struct body {
	const struct mime *mime;
	struct visible *v;
	struct clean *c;
	struct record *notes;
};

static bool
is_type(const struct mime_part *part, const char *type)
{
	return strcmp(part->type, type) == 0;
}

static bool
is_html(const struct mime_part *part)
{
	return is_type(part, "text/html") ||
	       is_type(part, "application/xhtml+xml");
}

/* Whether a mail program would show the part where it stands. */
static bool
is_shown(const struct mime_part *part)
{
	if (part->kind != MIME_LEAF || part->attachment ||
	    (part->name[0] != '\0' && !part->inlined))
		return false;
	return is_type(part, "text/plain") || is_html(part);
}

/* Whether anything at or below the part would be shown. */
static bool
has_shown(const struct body *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	while (index < end)
		if (is_shown(mime_part(b->mime, index++)))
			return true;
	return false;
}

static void
find(struct body *b, enum finding finding, struct span detail)
{
	clean_find(b->c, finding);
	record_note(b->notes, finding, detail);
}

static int
take_text(void *with, const char *bytes, size_t count)
{
	return buf_add(with, bytes, count);
}

/* The part's text in UTF-8; false if not all of it had room. */
static bool
decode(struct body *b, const struct mime_part *part, struct buf *out)
{
	struct span charset = span_of(part->charset);
	uint64_t replaced = 0;
	struct buf raw;
	bool whole;

	buf_init(&raw, MAIL_TEXT_BYTES);
	whole = mime_content(part, take_text, &raw) == 0;
	if (!charset_known(charset))
		find(b, FINDING_UNKNOWN_CHARSET, charset);
	if (charset_decode(
		charset, (struct span){raw.data, raw.len}, out, &replaced) != 0)
		whole = false;
	if (replaced != 0)
		find(b, FINDING_UNDECODABLE_TEXT, charset);
	buf_free(&raw);
	return whole;
}

static bool
starts_url(struct span text)
{
	return span_starts(text, "http://") || span_starts(text, "https://") ||
	       span_starts(text, "mailto:");
}

/* Length of the URL at the start of plain text. */
static size_t
url_length(struct span text)
{
	size_t n = 0;

	while (n < text.n && (unsigned char)text.p[n] > ' ' &&
	       strchr("<>\"'`", text.p[n]) == NULL)
		n++;
	while (n > 0 && strchr(".,;:!?)]}*_", text.p[n - 1]) != NULL)
		n--;
	return n;
}

/* URLs written out in plain text are links: mail programs make them so. */
static void
find_links(struct visible *v, struct span text)
{
	bool word = false;

	while (text.n != 0) {
		size_t n = 1;

		if (!word && starts_url(text)) {
			n = url_length(text);
			visible_link(v, (struct span){text.p, n},
			    (struct span){text.p, n});
		}
		word = (text.p[n - 1] | 0x20) >= 'a' &&
		       (text.p[n - 1] | 0x20) <= 'z';
		text.p += n;
		text.n -= n;
	}
}

static void
render_plain(
    struct body *b, const struct mime_part *part, const struct buf *text)
{
	struct span plain = {text->data, text->len};
	struct buf flat;

	buf_init(&flat, MAIL_TEXT_BYTES * 2);
	if (part->flowed && flowed_add(&flat, plain, part->delsp) == 0)
		plain = (struct span){flat.data, flat.len};
	visible_add(b->v, plain.p, plain.n);
	find_links(b->v, plain);
	buf_free(&flat);
}

static void
render(struct body *b, const struct mime_part *part)
{
	struct buf text;
	bool whole;

	buf_init(&text, MAIL_TEXT_BYTES);
	whole = decode(b, part, &text);
	if (b->v->text.len != 0)
		visible_add(b->v, "\n\n", 2);
	if (text.len != 0 && is_html(part))
		html_render(text.data, text.len, b->v);
	else if (text.len != 0)
		render_plain(b, part, &text);
	visible_end(b->v);
	if (b->v->style_unsure)
		clean_find(b->c, FINDING_STYLE);
	if (!whole)
		b->v->text_dropped++; /* at least one; nobody counted them */
	buf_free(&text);
}

/* Hash and size of an attachment, as it is taken out of its encoding. */
struct digest {
	EVP_MD_CTX *md;
	uint64_t bytes;
};

static int
take_digest(void *with, const char *bytes, size_t count)
{
	struct digest *d = with;

	d->bytes += count;
	return EVP_DigestUpdate(d->md, bytes, count) == 1 ? 0 : -ERR_SYSTEM;
}

static void
hash_part(const struct mime_part *part, uint64_t *bytes_out, char hex[65])
{
	struct digest d = {EVP_MD_CTX_new(), 0};
	unsigned char hash[32];

	if (d.md == NULL || EVP_DigestInit_ex(d.md, EVP_sha256(), NULL) != 1 ||
	    mime_content(part, take_digest, &d) != 0 ||
	    EVP_DigestFinal_ex(d.md, hash, NULL) != 1)
		die(EXIT_SYSTEM, "SHA-256 does not work");
	EVP_MD_CTX_free(d.md);
	hex_encode(hash, sizeof hash, hex);
	*bytes_out = d.bytes;
}

/* The file name as a person would see it. */
static void
clean_name(struct body *b, const char *name, struct visible *out)
{
	visible_init(out, NULL);
	visible_add(out, name, strlen(name));
	visible_end(out);
	for (size_t i = 0; i < HIDDEN_COUNT; i++) {
		b->v->hidden_runs[i] += out->hidden_runs[i];
		b->v->hidden_chars[i] += out->hidden_chars[i];
	}
	for (size_t i = 0; i < out->text.len; i++)
		if (out->text.data[i] == '\n')
			out->text.data[i] = ' ';
	if (out->replaced != 0 || out->hidden_runs[HIDDEN_BIDI] != 0 ||
	    out->hidden_runs[HIDDEN_CONTROL] != 0)
		find(b, FINDING_BAD_ATTACHMENT_NAME, span_of(name));
}

static void
attach(struct body *b, const struct mime_part *part)
{
	struct visible name;
	uint64_t bytes;
	char hex[65];

	if (part->kind == MIME_MULTIPART)
		return;
	if (is_type(part, "message/partial"))
		clean_find(b->c, FINDING_PARTIAL);
	if (is_type(part, "message/external-body"))
		clean_find(b->c, FINDING_EXTERNAL_BODY);
	if (is_type(part, "application/pkcs7-mime") ||
	    is_type(part, "application/x-pkcs7-mime"))
		clean_find(b->c, FINDING_ENCRYPTED);
	hash_part(part, &bytes, hex);
	clean_name(b, part->name, &name);
	clean_add_attachment(b->c, (struct span){name.text.data, name.text.len},
	    span_of(part->type), bytes, hex);
	visible_done(&name);
}

/* All leaves at or below a part are attachments. */
static void
attach_all(struct body *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	while (index < end)
		attach(b, mime_part(b->mime, index++));
}

/* The child of an alternative that is shown, or 0. */
static size_t
choose(const struct body *b, size_t index, size_t before)
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

/* Compare a version that is not shown with the text that is. */
static void
compare(struct body *b, const struct mime_part *other, struct span shown)
{
	struct visible v;
	struct body quiet = {b->mime, &v, b->c, b->notes};

	if (b->v->text_dropped != 0)
		return;
	visible_init(&v, NULL);
	render(&quiet, other);
	if (v.text.len >= SAME_WORDS_BYTES &&
	    compare_words((struct span){v.text.data, v.text.len}, shown) <
		SAME_PERCENT)
		find(b, FINDING_ALTERNATIVES_DIFFER,
		    (struct span){v.text.data, v.text.len});
	visible_done(&v);
}

/* What becomes of the children that were not shown. Those at `tried` and
 * behind it that could be were, and were blank. */
static void
pass_over(struct body *b, size_t index, size_t chosen, size_t tried,
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

static void show(struct body *b, size_t index); /* follows the tree */

static void
show_alternative(struct body *b, size_t index)
{
	size_t start = b->v->text.len, tried = SIZE_MAX, chosen;
	struct span shown = SPAN("");

	while ((chosen = choose(b, index, tried)) != 0) {
		show(b, chosen);
		shown = shown_since(b->v, start);
		if (!is_blank(shown))
			break;
		tried = chosen;
	}
	if (tried != SIZE_MAX && chosen != 0)
		find(b, FINDING_ALTERNATIVES_DIFFER, shown);
	pass_over(b, index, chosen, tried, shown);
}

/* The root of multipart/related: the one that "start" names, else the first
 * child. */
static size_t
find_root(const struct body *b, size_t index)
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
show_one(struct body *b, size_t index, size_t shown)
{
	size_t end = mime_part(b->mime, index)->end;

	for (size_t i = index + 1; i < end; i = mime_part(b->mime, i)->end)
		if (i == shown)
			show(b, i);
		else
			attach_all(b, i);
}

static void
show_each(struct body *b, size_t index)
{
	size_t end = mime_part(b->mime, index)->end;

	for (size_t i = index + 1; i < end; i = mime_part(b->mime, i)->end)
		show(b, i);
}

static void
show_multipart(struct body *b, const struct mime_part *part, size_t index)
{
	if (is_type(part, "multipart/alternative")) {
		show_alternative(b, index);
	} else if (is_type(part, "multipart/related")) {
		show_one(b, index, find_root(b, index));
	} else if (is_type(part, "multipart/signed")) {
		show_one(b, index, index + 1);
	} else if (is_type(part, "multipart/encrypted")) {
		clean_find(b->c, FINDING_ENCRYPTED);
		attach_all(b, index);
	} else {
		show_each(b, index);
	}
}

static void
show(struct body *b, size_t index)
{
	const struct mime_part *part = mime_part(b->mime, index);

	if (part->kind == MIME_MULTIPART)
		show_multipart(b, part, index);
	else if (is_shown(part))
		render(b, part);
	else
		attach(b, part);
}

void
body_render(const struct mime *m, struct visible *v, struct clean *c,
    struct record *notes)
{
	struct body b = {m, v, c, notes};
	const struct mime_part *root;

	if (mime_count(m) == 0)
		return;
	root = mime_part(m, 0);
	/* RFC 2046, 4.1.4: a text of unknown kind is shown as plain text */
	if (root->kind == MIME_LEAF && !root->attachment &&
	    strncmp(root->type, "text/", 5) == 0)
		render(&b, root);
	else
		show(&b, 0);
}
