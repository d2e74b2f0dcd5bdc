/*
 * Typed values. Runs in the broker and in the operator's commands on what a
 * planner sends and on words of an operator; believes nothing in them. Pure.
 */
#include "executor/value.h"

#include <string.h>

static const char *const type_names[VALUE_TYPE_COUNT] = {
    [VALUE_TEXT] = "text",
    [VALUE_NAME] = "name",
    [VALUE_ID] = "id",
    [VALUE_ADDRESS] = "address",
    [VALUE_URL] = "url",
    [VALUE_NUMBER] = "number",
};

const char *
value_type_name(enum value_type type)
{
	return type_names[type];
}

enum value_type
value_type_find(struct span name)
{
	int i = 0;

	while (i < VALUE_TYPE_COUNT && !span_is(name, type_names[i]))
		i++;
	return (enum value_type)i;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Part of a word in any script: every byte beyond ASCII is. */
static bool
is_word(char c)
{
	return is_digit(c) || is_alpha(c) || c == '_' || (c & 0x80) != 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static struct span
trimmed(struct span text)
{
	while (text.n > 0 && is_blank(text.p[0]))
		text = (struct span){text.p + 1, text.n - 1};
	while (text.n > 0 && is_blank(text.p[text.n - 1]))
		text.n--;
	return text;
}

static bool
starts_with(struct span text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (text.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(text.p[i]) != prefix[i])
			return false;
	return true;
}

/*
 * Host names: labels of letters, digits and hyphens with dots between them,
 * the last one of letters. Characters beyond ASCII are taken for letters.
 */
static bool
is_host_byte(char c)
{
	return is_digit(c) || is_alpha(c) || c == '-' || (c & 0x80) != 0;
}

/* The bytes of a host name at the beginning of `text`, 0 if there is none. */
static size_t
host_length(struct span text)
{
	size_t at = 0, last = 0, dots = 0;

	while (at < text.n && is_host_byte(text.p[at])) {
		size_t label = at;

		while (at < text.n && is_host_byte(text.p[at]))
			at++;
		last = label;
		if (at + 1 >= text.n || text.p[at] != '.' ||
		    !is_host_byte(text.p[at + 1]))
			break;
		dots++;
		at++;
	}
	if (dots == 0 || at - last < 2)
		return 0;
	for (size_t i = last; i < at; i++)
		if (is_digit(text.p[i]))
			return 0;
	return at;
}

bool
value_is_file_name(struct span host)
{
	static const char *const endings[] = {"bmp", "conf", "csv", "doc",
	    "docx", "eml", "exe", "gif", "gz", "htm", "html", "ini", "jpeg",
	    "jpg", "js", "json", "log", "mp3", "odt", "pdf", "png", "ppt",
	    "pptx", "rtf", "svg", "tar", "tsv", "txt", "wav", "xls", "xlsx",
	    "xml", "yaml", "yml"};
	size_t dot = host.n;
	struct span ending;

	while (dot > 0 && host.p[dot - 1] != '.')
		dot--;
	ending = (struct span){host.p + dot, host.n - dot};
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (ending.n == strlen(endings[i]) &&
		    starts_with(ending, endings[i]))
			return true;
	return false;
}

/* "https://", "mailto:" and the like: length with the colon, 0 if none. */
static size_t
scheme_length(struct span text)
{
	size_t at = 0;

	if (text.n == 0 || !is_alpha(text.p[0]))
		return 0;
	while (at < text.n && at < 32 &&
	       (is_alpha(text.p[at]) || is_digit(text.p[at]) ||
		   text.p[at] == '+' || text.p[at] == '-' || text.p[at] == '.'))
		at++;
	return at + 2 < text.n && text.p[at] == ':' && text.p[at + 1] == '/' &&
		       text.p[at + 2] == '/'
		   ? at + 3
		   : 0;
}

static bool
ends_url(char c)
{
	return is_blank(c) || (unsigned char)c < 0x20 || c == '<' || c == '>' ||
	       c == '"' || c == '\'' || c == '`' || c == '|' || c == '\\' ||
	       c == '^' || c == '{' || c == '}';
}

/* What people put behind a URL and do not mean as a part of it. */
static size_t
without_punctuation(const char *p, size_t n)
{
	while (n > 0 && memchr(".,;:!?)]*_~", p[n - 1], 11) != NULL)
		n--;
	return n;
}

/* Bytes of the URL that begins at the start of `text`, 0 if none does. */
static size_t
url_length(struct span text)
{
	size_t scheme = scheme_length(text);
	struct span rest = {text.p + scheme, text.n - scheme};
	size_t host, end;

	if (scheme == 0) {
		host = host_length(rest);
		if (host == 0 ||
		    (!starts_with(rest, "www.") &&
			value_is_file_name((struct span){rest.p, host})))
			return 0;
		end = host;
		if (end < rest.n && rest.p[end] == ':' && end + 1 < rest.n &&
		    is_digit(rest.p[end + 1]))
			for (end++; end < rest.n && is_digit(rest.p[end]);)
				end++;
		if (end >= rest.n || memchr("/?#", rest.p[end], 3) == NULL)
			return end;
	} else {
		end = 0;
	}
	while (end < rest.n && !ends_url(rest.p[end]))
		end++;
	end = without_punctuation(rest.p, end);
	return end == 0 ? 0 : scheme + end;
}

static bool
is_local_byte(char c)
{
	return is_word(c) || memchr(".!#$%&'*+-/=?^`{|}~", c, 19) != NULL;
}

/* The address around the at sign at `at`, if there is one. */
static bool
address_around(struct span text, size_t sign, struct span *found_out)
{
	struct span rest = {text.p + sign + 1, text.n - sign - 1};
	size_t host = host_length(rest), start = sign;

	while (
	    start > 0 && sign - start < 64 && is_local_byte(text.p[start - 1]))
		start--;
	while (start < sign && memchr("'.*/`", text.p[start], 5) != NULL)
		start++;
	if (host == 0 || start == sign)
		return false;
	*found_out = (struct span){text.p + start, sign - start + 1 + host};
	return true;
}

static bool
next_address(struct span text, size_t *at, struct span *found_out)
{
	const char *sign;

	while (*at < text.n) {
		sign = memchr(text.p + *at, '@', text.n - *at);
		if (sign == NULL)
			break;
		*at = (size_t)(sign - text.p) + 1;
		if (address_around(text, *at - 1, found_out)) {
			*at = (size_t)(found_out->p - text.p) + found_out->n;
			return true;
		}
	}
	*at = text.n;
	return false;
}

/* Only at the start of a word: a URL in a URL is a part of that. */
static bool
next_url(struct span text, size_t *at, struct span *found_out)
{
	while (*at < text.n) {
		struct span rest = {text.p + *at, text.n - *at};
		size_t length = 0;

		if (*at == 0 || (!is_word(rest.p[-1]) && rest.p[-1] != '@' &&
				    rest.p[-1] != '.' && rest.p[-1] != '-'))
			length = url_length(rest);
		if (length > 0) {
			*at += length;
			if (*at < text.n && text.p[*at] == '@')
				continue; /* the left half of an address */
			*found_out = (struct span){rest.p, length};
			return true;
		}
		/* to the end of the word, which begins no other */
		do
			(*at)++;
		while (*at < text.n && is_word(text.p[*at]) &&
		       is_word(text.p[*at - 1]));
	}
	return false;
}

/* Beside a number, these make it a date, a time, a version or a name. */
static bool
joins_number(char c)
{
	return is_word(c) || c == '-' || c == '/' || c == ':' || c == '.' ||
	       c == '@';
}

static bool
next_number(struct span text, size_t *at, struct span *found_out)
{
	while (*at < text.n) {
		size_t start = *at, end;

		if (!is_digit(text.p[start])) {
			(*at)++;
			continue;
		}
		end = start;
		while (end < text.n &&
		       (is_digit(text.p[end]) ||
			   (text.p[end] == '.' && end + 1 < text.n &&
			       is_digit(text.p[end + 1]))))
			end++;
		*at = end;
		if ((start > 0 && joins_number(text.p[start - 1])) ||
		    (end < text.n && joins_number(text.p[end]) &&
			!(text.p[end] == '.' || text.p[end] == ':')))
			continue;
		if (end + 1 < text.n && text.p[end] == ':' &&
		    is_digit(text.p[end + 1]))
			continue;
		*found_out = (struct span){text.p + start, end - start};
		return true;
	}
	return false;
}

bool
value_next(
    enum value_type type, struct span text, size_t *at, struct span *found_out)
{
	switch (type) {
	case VALUE_ADDRESS:
		return next_address(text, at, found_out);
	case VALUE_URL:
		return next_url(text, at, found_out);
	case VALUE_NUMBER:
		return next_number(text, at, found_out);
	default:
		return false;
	}
}

size_t
value_fold(struct span raw, char *out)
{
	size_t n = 0;

	raw = trimmed(raw);
	for (size_t i = 0; i < raw.n; i++) {
		char c = is_blank(raw.p[i]) ? ' ' : lower(raw.p[i]);

		if (c != ' ' || out[n - 1] != ' ')
			out[n++] = c;
	}
	return n;
}

static size_t
canonical_url(struct span raw, char *out)
{
	size_t scheme, host, n = 0;
	struct span bare;

	if (url_length(raw) != raw.n)
		return 0;
	scheme = scheme_length(raw);
	host = scheme;
	while (host < raw.n && memchr("/?#", raw.p[host], 3) == NULL)
		host++;
	bare = (struct span){raw.p + scheme, raw.n - scheme};
	if (scheme != 0 && starts_with(raw, "https://") &&
	    scheme_length(bare) == 0) {
		raw = bare;
		host -= scheme;
	}
	for (; n < raw.n; n++)
		out[n] = n < host ? lower(raw.p[n]) : raw.p[n];
	if (n == host + 1 && out[host] == '/')
		n--;
	return n;
}

static size_t
canonical_number(struct span raw, char *out)
{
	size_t at = 0, point, n;
	struct span found;

	if (!next_number(raw, &at, &found) || found.n != raw.n)
		return 0;
	while (raw.n > 1 && raw.p[0] == '0' && is_digit(raw.p[1]))
		raw = (struct span){raw.p + 1, raw.n - 1};
	for (point = 0; point < raw.n && raw.p[point] != '.';)
		point++;
	n = raw.n;
	if (point < n) {
		if (memchr(raw.p + point + 1, '.', n - point - 1) != NULL)
			return 0; /* 1.2.3 */
		while (raw.p[n - 1] == '0')
			n--;
		if (raw.p[n - 1] == '.')
			n--;
	}
	memcpy(out, raw.p, n);
	return n;
}

static size_t
canonical_address(struct span raw, char *out)
{
	struct span found;
	size_t at = 0;

	if (!next_address(raw, &at, &found) || found.n != raw.n)
		return 0;
	for (size_t i = 0; i < raw.n; i++)
		out[i] = lower(raw.p[i]);
	return raw.n;
}

size_t
value_canonical(enum value_type type, struct span raw, char out[VALUE_BYTES])
{
	raw = trimmed(raw);
	if (raw.n == 0 || raw.n > VALUE_BYTES)
		return 0;
	switch (type) {
	case VALUE_ADDRESS:
		return canonical_address(raw, out);
	case VALUE_URL:
		return canonical_url(raw, out);
	case VALUE_NUMBER:
		return canonical_number(raw, out);
	case VALUE_ID:
		memcpy(out, raw.p, raw.n);
		return raw.n;
	default:
		return value_fold(raw, out);
	}
}

enum value_type
value_shape(struct span text)
{
	char form[VALUE_BYTES];

	if (value_canonical(VALUE_ADDRESS, text, form) != 0)
		return VALUE_ADDRESS;
	if (value_canonical(VALUE_URL, text, form) != 0)
		return VALUE_URL;
	return VALUE_NAME;
}

bool
value_stands_in(struct span phrase, struct span text)
{
	size_t at = 0;

	if (phrase.n == 0)
		return false;
	while (at + phrase.n <= text.n) {
		const char *p = memchr(
		    text.p + at, phrase.p[0], text.n - phrase.n - at + 1);
		size_t start;

		if (p == NULL)
			return false;
		start = (size_t)(p - text.p);
		at = start + 1;
		if (memcmp(p, phrase.p, phrase.n) == 0 &&
		    (start == 0 || !is_word(p[-1]) || !is_word(p[0])) &&
		    (start + phrase.n == text.n || !is_word(p[phrase.n]) ||
			!is_word(p[phrase.n - 1])))
			return true;
	}
	return false;
}
