/*
 * A text part to what is seen of it. Runs in the worker; content and labels
 * are the sender's. Content in UTF-8 that needs no decoding is not copied.
 */
#include "reader/render.h"

#include <string.h>
#include <strings.h>

#include "common/invisible.h"
#include "reader/charset.h"
#include "reader/field.h"
#include "reader/flowed.h"
#include "reader/html.h"
#include "reader/html_url.h"
#include "reader/limits.h"
#include "reader/sniff.h"

#define LABEL_WITHIN 1024 /* where a page has to name its character set */
#define LABEL_BYTES 40

bool
render_is_html(const struct mime_part *part)
{
	return strcmp(part->type, "text/html") == 0 ||
	       strcmp(part->type, "application/xhtml+xml") == 0;
}

void
render_find(struct render *r, enum finding finding, struct span detail)
{
	clean_find(r->clean, finding);
	record_note(r->notes, finding, detail);
}

int
render_take(void *with, const char *bytes, size_t count)
{
	return buf_add(with, bytes, count);
}

/* The content without its transfer encoding, a view into the mail or into
 * `store`; false if not all of it had room. */
static bool
load(struct render *r, const struct mime_part *part, struct buf *store,
    struct span *out)
{
	bool whole = true;

	if (!mime_plain(part, out)) {
		whole = mime_content(r->mime, part, render_take, store) == 0;
		*out = (struct span){store->data, store->len};
	} else if (out->n > MAIL_TEXT_BYTES) {
		out->n = MAIL_TEXT_BYTES;
		whole = false;
	}
	return whole;
}

/* The tag, declaration or comment at the front of `page`, where a '<' is,
 * without its end; *page is behind it. As the prescan of HTML does (WHATWG,
 * 13.2.3.2), a '>' in a quoted value does not end a tag. */
static struct span
next_tag(struct span *page)
{
	bool comment = span_starts(*page, "<!--");
	struct span tag = {page->p, 1};
	char quote = '\0';

	if (comment) {
		const char *end = memmem(page->p + 2, page->n - 2, "-->", 3);

		tag.n = end != NULL ? (size_t)(end - page->p) : page->n;
	} else {
		while (tag.n < page->n &&
		       (quote != '\0' || page->p[tag.n] != '>')) {
			char c = page->p[tag.n++];

			if (c == quote)
				quote = '\0';
			else if (quote == '\0' && (c == '"' || c == '\''))
				quote = c;
		}
	}
	field_advance(page, tag.n);
	return comment ? SPAN("") : tag;
}

/* Where `word` stands in the text in any case; NULL: nowhere. */
static const char *
find_word(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (; text.n >= n; field_advance(&text, 1))
		if (strncasecmp(text.p, word, n) == 0)
			return text.p;
	return NULL;
}

/* The value behind "charset" in a tag <meta>; empty if there is none. In the
 * value of another attribute it counts with http-equiv only. */
static struct span
label_of_meta(struct span tag)
{
	bool equiv = find_word(tag, "http-equiv") != NULL;
	struct span label = SPAN("");
	const char *at;

	while (label.n == 0 && (at = find_word(tag, "charset")) != NULL) {
		bool own = at[-1] == '/' || field_is_blank(at[-1]);

		field_advance(&tag, (size_t)(at - tag.p) + strlen("charset"));
		while (tag.n != 0 && field_is_blank(tag.p[0]))
			field_advance(&tag, 1);
		if (tag.n == 0 || tag.p[0] != '=' || (!own && !equiv))
			continue;
		field_advance(&tag, 1);
		while (tag.n != 0 && strchr("\"' \t\r\n", tag.p[0]) != NULL)
			field_advance(&tag, 1);
		label = (struct span){tag.p, 0};
		while (label.n < tag.n && label.n < LABEL_BYTES &&
		       strchr("\"' ;/>\t\r\n", label.p[label.n]) == NULL)
			label.n++;
	}
	return label;
}

/* The character set that a page names itself, for a part without a label.
 * Where ASCII could be read it is not UTF-16, whatever it says. */
static struct span
label_of_page(struct span page)
{
	struct span label = SPAN("");
	const char *at;

	if (page.n > LABEL_WITHIN)
		page.n = LABEL_WITHIN;
	while (label.n == 0 && page.n != 0 &&
	       (at = memchr(page.p, '<', page.n)) != NULL) {
		struct span tag;

		field_advance(&page, (size_t)(at - page.p));
		tag = next_tag(&page);
		if (tag.n > 5 && strncasecmp(tag.p, "<meta", 5) == 0 &&
		    (tag.p[5] == '/' || field_is_blank(tag.p[5])))
			label = label_of_meta(tag);
		if (!charset_known(label))
			label = SPAN("");
	}
	return find_word(label, "utf-16") == NULL ? label : SPAN("utf-8");
}

/* The set that the content is read in; what is odd about it is noted. */
static struct span
choose_charset(
    struct render *r, const struct mime_part *part, struct span content)
{
	struct span label = span_of(part->charset);
	bool differs;

	if (!charset_known(label))
		render_find(r, FINDING_UNKNOWN_CHARSET, label);
	if (label.n == 0 && render_is_html(part))
		label = label_of_page(content);
	label = charset_choose(label, content, &differs);
	if (differs)
		render_find(r, FINDING_CHARSET_DIFFERS, label);
	return label;
}

/* The part's text in UTF-8, a view into the mail or into `store`; false if
 * not all of it had room. */
static bool
decode(struct render *r, const struct mime_part *part, struct buf *store,
    struct span *out)
{
	uint64_t replaced = 0;
	struct span label;
	struct buf text;
	bool whole = load(r, part, store, out);

	label = choose_charset(r, part, *out);
	if (charset_is_utf8(label, *out))
		return whole;
	buf_init(&text, MAIL_TEXT_BYTES);
	if (charset_decode(label, *out, &text, &replaced) != 0)
		whole = false;
	if (replaced != 0)
		render_find(r, FINDING_UNDECODABLE_TEXT, label);
	buf_free(store);
	*store = text;
	*out = (struct span){store->data, store->len};
	return whole;
}

/* Whether the text begins so, with letters of any case. */
static bool
starts(struct span text, const char *prefix, size_t n)
{
	return text.n >= n && strncasecmp(text.p, prefix, n) == 0;
}

static bool
starts_url(struct span text)
{
	char c = (char)(text.p[0] | 0x20);

	if (c == 'h')
		return starts(text, "http://", 7) ||
		       starts(text, "https://", 8);
	return c == 'm' && starts(text, "mailto:", 7);
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

/* Letters that stand before `at`, not before `from`. */
static size_t
letters_before(struct span text, size_t from, size_t at)
{
	size_t n = 0;

	while (at - n > from && (text.p[at - n - 1] | 0x20) >= 'a' &&
	       (text.p[at - n - 1] | 0x20) <= 'z')
		n++;
	return n;
}

/* Whether a text has a control that changes the order of letters. */
static bool
has_bidi(struct span text)
{
	uint32_t code;

	for (size_t i = 0, n; i < text.n; i += n) {
		n = utf8_decode(text.p + i, text.n - i, &code);
		if (n != 0 && invisible_class(code) == INVISIBLE_BIDI)
			return true;
		n = n == 0 ? 1 : n;
	}
	return false;
}

/* A URL with such a control, as it would be asked for: the same in the text
 * and in the list of links. False: it has none, or is too long. */
static bool
show_escaped(struct visible *v, struct span before, struct span url)
{
	bool done = false;
	struct buf plain;

	if (!has_bidi(url))
		return false;
	buf_init(&plain, v->limits.link_bytes);
	if (url_plain(url, &plain) == URL_PLAIN && !plain.overflow) {
		url = (struct span){plain.data, plain.len};
		visible_add(v, before.p, before.n);
		visible_isolate(v, true);
		visible_add(v, url.p, url.n);
		visible_isolate(v, false);
		visible_link(v, url, url);
		done = true;
	}
	buf_free(&plain);
	return done;
}

/* URLs written out in plain text are links: mail programs make them so. */
void
render_text(struct visible *v, struct span text)
{
	size_t from = 0, shown = 0, end;
	const char *colon;

	while (from < text.n &&
	       (colon = memchr(text.p + from, ':', text.n - from)) != NULL) {
		size_t at = (size_t)(colon - text.p);
		size_t start = at - letters_before(text, from, at);
		struct span url = {text.p + start, text.n - start};

		end = at + 1;
		if (start < at && starts_url(url)) {
			url.n = url_length(url);
			if (start + url.n > end)
				end = start + url.n;
			if (show_escaped(v,
				(struct span){text.p + shown, start - shown},
				url))
				shown = end;
			else
				visible_link(v, url, url);
		}
		from = end;
	}
	if (shown < text.n)
		visible_add(v, text.p + shown, text.n - shown);
}

/* Whether there may be a uuencoded file. */
static bool
has_begin(struct span text)
{
	static const char word[] = "\nbegin ";

	return span_starts(text, word + 1) ||
	       memmem(text.p, text.n, word, sizeof word - 1) != NULL;
}

static void
render_plain(struct render *r, const struct mime_part *part, struct span text)
{
	struct buf rest, flat;

	buf_init(&rest, MAIL_TEXT_BYTES);
	buf_init(&flat, MAIL_TEXT_BYTES * 2);
	if (has_begin(text) && attach_uuencoded(r->attach, text, &rest))
		text = (struct span){rest.data, rest.len};
	if (part->flowed && flowed_add(&flat, text, part->delsp) == 0)
		text = (struct span){flat.data, flat.len};
	render_text(r->visible, text);
	buf_free(&flat);
	buf_free(&rest);
}

/* Whether there is anything that a browser takes for a tag. */
static bool
has_tag(struct span text)
{
	const char *at = text.p, *end = text.p + text.n;

	while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
		if (++at == end)
			break;
		if ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')
			return true;
		if (*at == '/' || *at == '!')
			return true;
	}
	return false;
}

/* Content that is the other kind of text than it says. */
static void
find_kind(struct render *r, bool html, struct span text)
{
	bool blank = true;

	for (size_t i = 0; i < text.n && blank; i++)
		blank = strchr(" \t\r\n", text.p[i]) != NULL;
	if (blank)
		return;
	if (html && !has_tag(text))
		render_find(r, FINDING_TEXT_IN_HTML, text);
	if (!html && strcmp(sniff_type(text), "text/html") == 0)
		render_find(r, FINDING_HTML_IN_TEXT, text);
}

void
render_part(struct render *r, const struct mime_part *part)
{
	struct span text;
	struct buf store;
	bool whole, html = render_is_html(part);

	buf_init(&store, MAIL_TEXT_BYTES);
	whole = decode(r, part, &store, &text);
	if (r->visible->text.len != 0)
		visible_add(r->visible, "\n\n", 2);
	find_kind(r, html, text);
	if (html && text.n != 0)
		html_render(text.p, text.n, r->visible);
	else if (text.n != 0)
		render_plain(r, part, text);
	visible_end(r->visible);
	if (r->visible->style_unsure)
		clean_find(r->clean, FINDING_STYLE);
	if (!whole) /* at least one; nobody counted them */
		r->visible->text_dropped++;
	buf_free(&store);
}
