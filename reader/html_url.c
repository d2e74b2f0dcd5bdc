/*
 * Addresses of links. Pure functions over hostile text.
 */
#include "reader/html_url.h"

#include <string.h>

#include "reader/html_ascii.h"
#include "reader/visible.h"

static const char *const dangerous[] = {"javascript", "data", "vbscript",
    "livescript", "mocha", "file", "blob", "filesystem", "about", "view-source",
    "jar", "mhtml", "ms-its", "x-javascript"};

#define SCHEME_BYTES 16 /* longer than each of them */

static bool
is_edge(char c)
{
	return (unsigned char)c <= ' ';
}

/* The character at raw.p[i]: its length, and whether it may stand in a text
 * as it is. */
static size_t
character(struct span raw, size_t i, bool *plain_out)
{
	uint32_t code;
	size_t length = utf8_decode(raw.p + i, raw.n - i, &code);

	*plain_out = length != 0 && visible_has_ink(code) &&
		     (code >= 0x80 || strchr("<>\"`|", (int)code) == NULL);
	return length == 0 ? 1 : length;
}

static bool
is_dropped(char c)
{
	return c == '\t' || c == '\n' || c == '\r';
}

/* Whether the text starts with one of the schemes that are not listed. What
 * leaves no ink does not count: a browser may see no scheme then, but a person
 * or a model would. */
static bool
is_dangerous(struct span raw)
{
	char scheme[SCHEME_BYTES];
	size_t n = 0, i = 0, length;
	bool plain;

	for (; i < raw.n && raw.p[i] != ':'; i += length) {
		length = character(raw, i, &plain);
		if (!plain)
			continue;
		if (length > 1 || n == sizeof scheme)
			return false;
		scheme[n++] = raw.p[i];
	}
	for (size_t k = 0; k < sizeof dangerous / sizeof dangerous[0]; k++)
		if (i < raw.n &&
		    ascii_is((struct span){scheme, n}, dangerous[k]))
			return true;
	return false;
}

static void
add_character(struct buf *out, struct span bytes, bool plain)
{
	if (plain) {
		(void)buf_add(out, bytes.p, bytes.n);
		return;
	}
	for (size_t i = 0; i < bytes.n; i++)
		(void)buf_add_format(out, "%%%02X", (unsigned char)bytes.p[i]);
}

enum url_kind
url_plain(struct span raw, struct buf *out)
{
	size_t length;
	bool plain;

	while (raw.n > 0 && is_edge(raw.p[0])) {
		raw.p++;
		raw.n--;
	}
	while (raw.n > 0 && is_edge(raw.p[raw.n - 1]))
		raw.n--;
	if (raw.n == 0 || raw.p[0] == '#')
		return URL_NONE;
	if (is_dangerous(raw))
		return URL_DANGEROUS;
	for (size_t i = 0; i < raw.n && !out->overflow; i += length) {
		length = character(raw, i, &plain);
		if (!is_dropped(raw.p[i]))
			add_character(
			    out, (struct span){raw.p + i, length}, plain);
	}
	return URL_PLAIN;
}

bool
url_shown(struct span url, struct span *shown_out)
{
	const char *query;

	*shown_out = url;
	if (ascii_starts(url, "http:") || ascii_starts(url, "https:"))
		return true;
	if (!ascii_starts(url, "mailto:"))
		return false;
	url.p += 7;
	url.n -= 7;
	query = memchr(url.p, '?', url.n);
	if (query != NULL)
		url.n = (size_t)(query - url.p);
	*shown_out = url;
	return url.n > 0 && memchr(url.p, '@', url.n) != NULL;
}

bool
url_is_inside(struct span url)
{
	return url.n > 0 && !ascii_starts(url, "http:") &&
	       !ascii_starts(url, "https:") && !ascii_starts(url, "//") &&
	       memchr(url.p, ':', url.n) != NULL;
}
