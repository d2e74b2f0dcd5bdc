/*
 * What single values of the clean object may be. The reader builds by these
 * rules and the executor checks by them, so that the two cannot drift. Pure.
 */
#include <string.h>

#include "common/invisible.h"
#include "proto/clean.h"

bool
clean_char(uint32_t code, bool lines)
{
	if (code == '\n')
		return lines;
	return invisible_class(code) == INVISIBLE_NOT;
}

bool
clean_text_valid(struct span text, bool lines, size_t *chars_out)
{
	size_t i = 0, chars = 0;

	while (i < text.n) {
		uint32_t code = 0;
		size_t n = ascii_printable(text.p + i, text.n - i);

		i += n; /* these are always allowed */
		chars += n;
		if (i == text.n)
			break;
		n = utf8_decode(text.p + i, text.n - i, &code);
		if (n == 0 || !clean_char(code, lines))
			return false;
		i += n;
		chars++;
	}
	*chars_out = chars;
	return true;
}

/* Text without any blank or a byte of `refused`. */
static bool
word_valid(struct span text, const char *refused)
{
	size_t chars, i = 0;

	if (!clean_text_valid(text, false, &chars))
		return false;
	if (text.n != 0 && memchr(text.p, ' ', text.n) != NULL)
		return false;
	for (; text.n != 0 && *refused != '\0'; refused++)
		if (memchr(text.p, *refused, text.n) != NULL)
			return false;
	while (i < text.n) {
		uint32_t code = 0;

		i += ascii_printable(text.p + i, text.n - i);
		if (i == text.n)
			break;
		i += utf8_decode(text.p + i, text.n - i, &code);
		if (code == 0xa0 || code == 0x1680 || code == 0x202f ||
		    code == 0x205f || code == 0x3000 ||
		    (code >= 0x2000 && code <= 0x200a))
			return false;
	}
	return true;
}

bool
clean_address_valid(struct span address)
{
	const char *at;

	if (address.n == 0 || address.n > CLEAN_ADDRESS_BYTES ||
	    !word_valid(address, "<>(),;:\"\\"))
		return false;
	at = memchr(address.p, '@', address.n);
	return at == NULL ||
	       (at != address.p && at != address.p + address.n - 1 &&
		   memchr(at + 1, '@',
		       (size_t)(address.p + address.n - at - 1)) == NULL);
}

bool
clean_url_valid(struct span url)
{
	size_t i = 0;

	if (url.n > CLEAN_URL_BYTES || !word_valid(url, "<>\""))
		return false;
	while (
	    i < url.n && ((url.p[i] | 0x20) >= 'a') && (url.p[i] | 0x20) <= 'z')
		i++;
	return i >= 2 && i + 1 < url.n && url.p[i] == ':';
}

bool
clean_file_valid(struct span name)
{
	size_t chars;

	return clean_text_valid(name, false, &chars) &&
	       chars <= CLEAN_FILE_CHARS && !span_is(name, ".") &&
	       !span_is(name, "..") &&
	       (name.n == 0 || (memchr(name.p, '/', name.n) == NULL &&
				   memchr(name.p, '\\', name.n) == NULL));
}

bool
clean_type_valid(struct span type)
{
	size_t slashes = 0;

	if (type.n < 3 || type.n > CLEAN_TYPE_BYTES || type.p[0] == '/' ||
	    type.p[type.n - 1] == '/')
		return false;
	for (size_t i = 0; i < type.n; i++) {
		char c = type.p[i];

		if (c == '/')
			slashes++;
		else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
			 (c == '\0' || strchr("!#$&-^_.+", c) == NULL))
			return false;
	}
	return slashes == 1;
}

bool
clean_auth_valid(struct span word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] != '-' &&
		    !(word.p[i] >= 'a' && word.p[i] <= 'z') &&
		    !(word.p[i] >= '0' && word.p[i] <= '9'))
			return false;
	return word.n != 0 && word.n <= CLEAN_AUTH_BYTES;
}

bool
clean_domain_valid(struct span domain)
{
	size_t chars;

	if (domain.n == 0 || domain.n > CLEAN_DOMAIN_BYTES ||
	    !clean_text_valid(domain, false, &chars))
		return false;
	for (size_t i = 0; i < domain.n; i++) {
		unsigned char c = (unsigned char)domain.p[i];

		if (c < 0x80 && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && strchr("-._", c) == NULL)
			return false;
	}
	return true;
}
