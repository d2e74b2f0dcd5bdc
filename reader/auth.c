/*
 * Authentication-Results from hostile headers. Pure but for the list of hosts,
 * which is set before the lock and only read then.
 */
#include "reader/auth.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "reader/field.h"
#include "reader/limits.h"

static const char *hosts[CLEAN_TRUSTED]; /* process-wide: of the command line */
static size_t host_count;

int
auth_trust(const char *host)
{
	char lower[CLEAN_DOMAIN_BYTES + 1];
	size_t n = strlen(host);

	if (n == 0 || n > CLEAN_DOMAIN_BYTES)
		return -ERR_RANGE;
	for (size_t i = 0; i < n; i++)
		lower[i] =
		    (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20
							    : host[i]);
	if (!clean_domain_valid((struct span){lower, n}))
		return -ERR_RANGE;
	if (host_count == CLEAN_TRUSTED)
		return -ERR_LIMIT;
	hosts[host_count++] = host;
	return 0;
}

void
auth_trust_nobody(void)
{
	host_count = 0;
}

static bool
is_trusted(struct span host)
{
	for (size_t i = 0; i < host_count; i++)
		if (strlen(hosts[i]) == host.n &&
		    strncasecmp(hosts[i], host.p, host.n) == 0)
			return true;
	return false;
}

/* A word up to a blank, a comment or one of `ends`, with its quotes: quoted
 * strings are part of the word they touch, whatever is in them. */
static struct span
take_word(struct span *text, const char *ends)
{
	struct span word, rest;

	field_skip_blanks(text);
	word = (struct span){text->p, 0};
	rest = *text;
	while (rest.n != 0 && !field_is_blank(rest.p[0]) && rest.p[0] != '(' &&
	       strchr(ends, rest.p[0]) == NULL)
		field_advance(
		    &rest, rest.p[0] == '"' ? field_quoted(rest, NULL) : 1);
	word.n = text->n - rest.n;
	*text = rest;
	return word;
}

/* Whether each quoted string has an end; the field can be read in one way
 * only then. */
static bool
is_closed(struct span field)
{
	bool whole = true;

	for (field_skip_blanks(&field); field.n != 0 && whole;
	     field_skip_blanks(&field))
		field_advance(&field,
		    field.p[0] == '"' ? field_quoted(field, &whole) : 1);
	return whole;
}

/* What is in the quotes of a word that is a quoted string. Pairs in it stay:
 * no name that is looked for has any. */
static struct span
unquoted(struct span word)
{
	bool whole;

	if (word.n == 0 || word.p[0] != '"' ||
	    field_quoted(word, &whole) != word.n || !whole)
		return word;
	return (struct span){word.p + 1, word.n - 2};
}

/* Whether the next sign is `sign`; then it is taken. */
static bool
take_sign(struct span *text, char sign)
{
	field_skip_blanks(text);
	if (text->n == 0 || text->p[0] != sign)
		return false;
	field_advance(text, 1);
	return true;
}

static bool
is_word(struct span word, const char *other)
{
	return word.n == strlen(other) &&
	       strncasecmp(word.p, other, word.n) == 0;
}

/* The properties that say which domain a result is about, of each method the
 * best first. A result of another method is about none. */
static const struct {
	const char *method, *properties[2];
} methods[] = {
    {"spf", {"smtp.mailfrom", "smtp.helo"}},
    {"dkim", {"header.d", "header.i"}},
    {"dmarc", {"header.from", NULL}},
};

/* How well the property says it: 2, 1, or 0 for not at all. */
static unsigned
rank(struct span method, struct span property)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		const char *const *names = methods[i].properties;

		if (!is_word(method, methods[i].method))
			continue;
		if (is_word(property, names[0]))
			return 2;
		return names[1] != NULL && is_word(property, names[1]);
	}
	return 0;
}

/* Lower-case ASCII letters of `word` into `out`, or an empty text. */
static struct span
lower(struct span word, char *out, size_t room)
{
	if (word.n > room)
		return SPAN("");
	for (size_t i = 0; i < word.n; i++)
		out[i] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z'
				    ? word.p[i] | 0x20
				    : word.p[i]);
	return (struct span){out, word.n};
}

/* What is behind the last "@" that is not in quotes; there may be none. */
static struct span
domain_of(struct span value)
{
	struct span rest = unquoted(value), domain = rest;

	if (rest.n != value.n)
		return domain;
	while (rest.n != 0) {
		bool at = rest.p[0] == '@';

		field_advance(
		    &rest, rest.p[0] == '"' ? field_quoted(rest, NULL) : 1);
		if (at)
			domain = rest;
	}
	return domain;
}

/* The properties of a result, up to ';'; the domain that they name. None if
 * something is there that is no property: a value may go on behind a blank or
 * a comment, `a.example (x) @b.example`. */
static struct span
take_properties(struct span method, struct span *text)
{
	struct span domain = SPAN("");
	unsigned best = 0;
	bool odd = false;

	for (field_skip_blanks(text); text->n != 0 && text->p[0] != ';';
	     field_skip_blanks(text)) {
		struct span name = take_word(text, "=;"), value;
		unsigned rank_here = rank(method, name);

		if (!take_sign(text, '=')) {
			odd = true;
			continue;
		}
		value = take_word(text, ";");
		if (rank_here > best) {
			best = rank_here;
			domain = domain_of(value);
		}
	}
	return odd ? SPAN("") : domain;
}

/* One "method=result ..." up to ';'. */
static void
take_result(struct span *text, struct clean *c)
{
	char method_text[CLEAN_AUTH_BYTES], result_text[CLEAN_AUTH_BYTES];
	char domain_text[CLEAN_DOMAIN_BYTES];
	struct span method = take_word(text, "=;/"), result = SPAN("");
	struct span domain;

	if (take_sign(text, '/')) /* a version */
		(void)take_word(text, "=;");
	if (take_sign(text, '='))
		result = take_word(text, ";");
	domain = take_properties(method, text);
	clean_add_auth(c, lower(method, method_text, sizeof method_text),
	    lower(result, result_text, sizeof result_text),
	    lower(domain, domain_text, sizeof domain_text));
}

/* Whether the field is of a trusted host; then its results are taken, if they
 * can be read. A server that removes fields with its name may compare bytes, so
 * the name has to stand as servers write it: first, without quotes, and with
 * no comment at it. */
static bool
take_field(struct span field, struct clean *c)
{
	while (field.n != 0 && field_is_blank(field.p[0]))
		field_advance(&field, 1);
	if (field.n == 0 || field.p[0] == '(' ||
	    !is_trusted(take_word(&field, ";")) ||
	    (field.n != 0 && field.p[0] == '('))
		return false;
	if (!is_closed(field))
		return true;
	(void)take_word(&field, ";"); /* a version */
	while (take_sign(&field, ';'))
		take_result(&field, c);
	return true;
}

/* The host that a Received field says it is by. */
static struct span
receiver(struct span field)
{
	while (field.n != 0) {
		struct span word = take_word(&field, ";");

		if (is_word(word, "by"))
			return take_word(&field, ";");
		if (word.n == 0 && field.n != 0)
			field_advance(&field, 1);
	}
	return SPAN("");
}

void
auth_read(const struct mime *m, struct clean *c)
{
	const char *raw, *name;
	bool taken = false;

	if (host_count == 0)
		return;
	for (size_t i = 0; (raw = mime_field(m, i, &name)) != NULL; i++) {
		struct span field = {raw, strnlen(raw, MAIL_FIELD_BYTES)};
		bool strict = mime_field_strict(m, i);

		if (strict &&
		    is_word(span_of(name), "Authentication-Results") &&
		    take_field(field, c))
			taken = true;
		else if (taken)
			return;
		else if (is_word(span_of(name), "Received") &&
			 (!strict || !is_trusted(receiver(field))))
			return;
	}
}
