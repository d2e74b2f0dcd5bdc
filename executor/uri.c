/*
 * URIs of RFC 3986. The parts are those of appendix B, the characters those of
 * appendix A. Used on the operator's schemas and on hostile values; pure.
 */
#include "executor/uri.h"

#include <string.h>

#include "common/ascii.h"
#include "common/err.h"
#include "executor/format.h"

#define SUB_DELIMITERS "!$&'()*+,;="
#define UNRESERVED_MARKS "-._~"

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Cut what stands before the first of `ends` off the front of `rest`. */
static struct span
take_until(struct span *rest, const char *ends)
{
	struct span taken = *rest;
	size_t n = 0;

	while (n < rest->n && !is_one_of(rest->p[n], ends))
		n++;
	taken.n = n;
	*rest = (struct span){rest->p + n, rest->n - n};
	return taken;
}

static bool
scheme_check(struct span scheme)
{
	if (scheme.n == 0 || !is_alpha(scheme.p[0]))
		return false;
	for (size_t i = 1; i < scheme.n; i++)
		if (!is_alpha(scheme.p[i]) && !is_digit(scheme.p[i]) &&
		    !is_one_of(scheme.p[i], "+-."))
			return false;
	return true;
}

struct uri
uri_split(struct span text)
{
	struct uri uri = {.path = {"", 0}};
	struct span rest = text.n == 0 ? SPAN("") : text, head = rest;
	struct span first = take_until(&head, ":/?#");

	if (head.n != 0 && head.p[0] == ':' && first.n != 0) {
		uri.scheme = first;
		rest = (struct span){head.p + 1, head.n - 1};
	}
	if (span_starts(rest, "//")) {
		rest = (struct span){rest.p + 2, rest.n - 2};
		uri.authority = take_until(&rest, "/?#");
	}
	uri.path = take_until(&rest, "?#");
	if (rest.n != 0 && rest.p[0] == '?') {
		rest = (struct span){rest.p + 1, rest.n - 1};
		uri.query = take_until(&rest, "#");
	}
	if (rest.n != 0)
		uri.fragment = (struct span){rest.p + 1, rest.n - 1};
	return uri;
}

/* Letters, digits, the marks, %XX, and what `more` lists. */
static bool
characters_check(struct span part, const char *more)
{
	for (size_t i = 0; i < part.n; i++) {
		char c = part.p[i];

		if (c == '%') {
			if (part.n - i < 3 || !is_hex(part.p[i + 1]) ||
			    !is_hex(part.p[i + 2]))
				return false;
			i += 2;
		} else if (!is_alpha(c) && !is_digit(c) &&
			   !is_one_of(c, UNRESERVED_MARKS SUB_DELIMITERS) &&
			   !is_one_of(c, more)) {
			return false;
		}
	}
	return true;
}

/* "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool
future_address_check(struct span text)
{
	size_t i = 1;

	if (text.n == 0 || (text.p[0] != 'v' && text.p[0] != 'V'))
		return false;
	while (i < text.n && is_hex(text.p[i]))
		i++;
	if (i == 1 || i + 1 >= text.n || text.p[i] != '.')
		return false;
	text = (struct span){text.p + i + 1, text.n - i - 1};
	return memchr(text.p, '%', text.n) == NULL &&
	       characters_check(text, ":");
}

/* An address in brackets, with the port behind it. */
static bool
literal_check(struct span host, struct span *port_out)
{
	const char *end = memchr(host.p, ']', host.n);
	struct span address;

	if (end == NULL)
		return false;
	address = (struct span){host.p + 1, (size_t)(end - host.p) - 1};
	*port_out = (struct span){end + 1, host.n - address.n - 2};
	return format_ipv6(address) || future_address_check(address);
}

static bool
authority_check(struct span authority)
{
	struct span host = authority, port = {NULL, 0}, user;

	user = take_until(&host, "@");
	if (host.n != 0) {
		host = (struct span){host.p + 1, host.n - 1};
		if (!characters_check(user, ":"))
			return false;
	} else {
		host = authority;
	}
	if (host.n != 0 && host.p[0] == '[') {
		if (!literal_check(host, &port))
			return false;
	} else {
		port = host;
		if (!characters_check(take_until(&port, ":"), ""))
			return false;
	}
	if (port.n != 0 && port.p[0] != ':')
		return false;
	for (size_t i = 1; i < port.n; i++)
		if (!is_digit(port.p[i]))
			return false;
	return true;
}

bool
uri_check(struct span text)
{
	struct uri uri = uri_split(text);

	if (!scheme_check(uri.scheme) || !authority_check(uri.authority))
		return false;
	if (uri.authority.p == NULL && span_starts(uri.path, "//"))
		return false;
	return characters_check(uri.path, "/:@") &&
	       characters_check(uri.query, "/?:@") &&
	       characters_check(uri.fragment, "/?:@");
}

/*
 * Resolving.
 */

/* Take the last segment off what stands in `out` behind `begin`. */
static void
drop_segment(struct buf *out, size_t begin)
{
	while (out->len > begin && out->data[--out->len] != '/')
		;
}

/* Section 5.2.4, of `path` appended to `out`. */
static int
add_without_dots(struct buf *out, struct span path)
{
	size_t begin = out->len, next;
	int rc = 0;

	for (size_t i = 0; i < path.n && rc == 0; i = next) {
		struct span part = {path.p + i, path.n - i};

		next = i + 1;
		while (next < path.n && path.p[next] != '/')
			next++;
		part.n = next - i;
		if (span_is(part, "/..") || span_is(part, "/.")) {
			if (part.n == 3)
				drop_segment(out, begin);
			if (next == path.n)
				rc = buf_add_byte(out, '/');
		} else if (span_is(part, "..") || span_is(part, ".")) {
			next += next < path.n; /* with its slash */
		} else {
			rc = buf_add(out, part.p, part.n);
		}
	}
	return rc;
}

/* The reference's path in the place of the base's last segment, in `out`. */
static int
add_merged(struct buf *out, const struct uri *base, struct span path)
{
	struct span folder = base->path;
	int rc = 0;

	while (folder.n != 0 && folder.p[folder.n - 1] != '/')
		folder.n--;
	if (folder.n == 0 && base->authority.p != NULL)
		folder = SPAN("/");
	if (folder.n != 0)
		rc = buf_add(out, folder.p, folder.n);
	return rc != 0 ? rc : buf_add(out, path.p, path.n);
}

static int
add_path(struct buf *out, const struct uri *base, const struct uri *reference)
{
	struct buf merged;
	int rc;

	if (reference->scheme.p != NULL || reference->authority.p != NULL ||
	    span_starts(reference->path, "/"))
		return add_without_dots(out, reference->path);
	if (reference->path.n == 0)
		return buf_add(out, base->path.p, base->path.n);
	buf_init(&merged, out->max);
	rc = add_merged(&merged, base, reference->path);
	if (rc == 0)
		rc = add_without_dots(
		    out, (struct span){merged.data, merged.len});
	buf_free(&merged);
	return rc;
}

/* `part` with its delimiters, if it is there. */
static int
add_part(
    struct buf *out, const char *before, struct span part, const char *behind)
{
	int rc;

	if (part.p == NULL)
		return 0;
	rc = buf_add_text(out, before);
	if (rc == 0)
		rc = buf_add(out, part.p, part.n);
	return rc != 0 ? rc : buf_add_text(out, behind);
}

int
uri_resolve(struct buf *out, struct span base_text, struct span text)
{
	struct uri base = uri_split(base_text), reference = uri_split(text);
	bool whole = reference.scheme.p != NULL;
	bool host = whole || reference.authority.p != NULL;
	bool query = host || reference.path.n != 0 || reference.query.p != NULL;
	int rc = add_part(out, "", (whole ? reference : base).scheme, ":");

	if (rc == 0)
		rc = add_part(
		    out, "//", (host ? reference : base).authority, "");
	if (rc == 0)
		rc = add_path(out, &base, &reference);
	if (rc == 0)
		rc = add_part(out, "?", (query ? reference : base).query, "");
	return rc != 0 ? rc : add_part(out, "#", reference.fragment, "");
}

static int
hex_value(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

int
uri_decode(struct buf *out, struct span text)
{
	int rc = 0;

	for (size_t i = 0; i < text.n && rc == 0; i++) {
		char c = text.p[i];

		if (c == '%') {
			if (text.n - i < 3 || !is_hex(text.p[i + 1]) ||
			    !is_hex(text.p[i + 2]))
				return -ERR_SYNTAX;
			c = (char)(hex_value(text.p[i + 1]) * 16 +
				   hex_value(text.p[i + 2]));
			i += 2;
		}
		rc = buf_add_byte(out, c);
	}
	return rc;
}
