/*
 * Links: their text, and their address behind it. Runs in the reader's worker
 * over hostile bytes.
 */
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_entity.h"
#include "reader/html_render.h"
#include "reader/html_url.h"

/* Whether a text has a character that leaves ink. */
static bool
has_ink(struct span text)
{
	while (text.n > 0) {
		uint32_t code;
		size_t length = utf8_decode(text.p, text.n, &code);

		if (length != 0 && visible_has_ink(code))
			return true;
		length = length == 0 ? 1 : length;
		text.p += length;
		text.n -= length;
	}
	return false;
}

/* Whether the text is the address, perhaps without its scheme or its last
 * slash. */
static bool
tells_address(struct span text, struct span url, struct span shown)
{
	if (span_equal(text, url) || span_equal(text, shown))
		return true;
	if (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	if (span_equal(text, url))
		return true;
	for (size_t i = 0; i + 3 < url.n; i++)
		if (memcmp(url.p + i, "://", 3) == 0)
			return span_equal(
			    text, (struct span){url.p + i + 3, url.n - i - 3});
	return false;
}

/* The address of a link that ends. */
static void
link_address(struct render *r, struct span url)
{
	struct span text = {r->link.text.data, r->link.text.len}, shown;

	text = ascii_trim(text);
	if (r->link.reason != HIDDEN_COUNT || !r->link.seen) {
		render_hide(r,
		    r->link.reason != HIDDEN_COUNT ? r->link.reason
						   : HIDDEN_ATTRIBUTE,
		    url);
		return;
	}
	visible_link(r->out, text, url);
	if (url.n > r->out->limits.link_bytes || !has_ink(text) ||
	    !url_shown(url, &shown) || tells_address(text, url, shown))
		return;
	html_flow_address(&r->flow, shown.p, shown.n);
}

void
render_action(struct render *r, struct span raw, enum hidden reason)
{
	struct buf url;
	enum url_kind kind;

	buf_init(&url, r->out->limits.link_bytes * 3 + 4);
	kind = url_plain(raw, &url);
	if (kind == URL_DANGEROUS)
		render_hide(r, HIDDEN_URL_SCHEME, raw);
	else if (kind == URL_PLAIN && url.overflow)
		r->out->links_dropped++;
	else if (kind == URL_PLAIN && reason != HIDDEN_COUNT)
		render_hide(r, reason, (struct span){url.data, url.len});
	else if (kind == URL_PLAIN)
		visible_link(
		    r->out, SPAN(""), (struct span){url.data, url.len});
	buf_free(&url);
}

void
render_link_end(struct render *r)
{
	struct span href = entity_decode(r->link.href, &r->scratch);
	size_t room = r->out->limits.link_bytes * 3;
	struct buf url;
	enum url_kind kind;

	r->link.element = NULL;
	buf_init(&url, room + 4);
	kind = url_plain(href, &url);
	r->link.seen |= r->link.text.len != 0;
	if (kind == URL_DANGEROUS)
		render_hide(r, HIDDEN_URL_SCHEME, href);
	else if (kind == URL_PLAIN && url.overflow)
		r->out->links_dropped++;
	else if (kind == URL_PLAIN)
		link_address(r, (struct span){url.data, url.len});
	buf_free(&url);
}

void
render_link_start(struct render *r, const struct html_element *element)
{
	const struct span *href = html_token_attr(&r->token, ATTR_HREF);

	if (href == NULL)
		return;
	if (r->link.element != NULL)
		render_link_end(r);
	r->link.element = element;
	r->link.href = *href;
	r->link.reason = render_reason(r);
	r->link.seen = false;
	buf_clear(&r->link.text);
}

void
render_link_text(struct render *r, struct span text)
{
	size_t room = r->link.text.max - r->link.text.len;

	if (r->link.element != NULL)
		(void)buf_add(
		    &r->link.text, text.p, text.n < room ? text.n : room);
}
