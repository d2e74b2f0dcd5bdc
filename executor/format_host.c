/*
 * Formats of names and addresses on the network: hostname, idn-hostname,
 * email. Names are hostile; a label is looked at only if it is short enough.
 */
#include <string.h>

#include "common/ascii.h"
#include "executor/format_impl.h"
#include "executor/idn.h"

#define NAME_MAX 253	/* bytes of a name, without a dot at its end */
#define LOCAL_MAX 64	/* bytes before the @, RFC 5321 section 4.5.3.1 */
#define ADDRESS_MAX 254 /* bytes of all of it: a path without its brackets */

/* A name under way. */
struct name {
	bool international; /* U-labels may stand in it, and their dots */
	size_t bytes;	    /* as the DNS has it, dots included */
	bool right_to_left; /* of any label */
	bool bidi_fits;	    /* of all labels */
};

static bool
is_let_dig(char c)
{
	return is_alpha(c) || is_digit(c);
}

/* An A-label of lower-case ASCII. */
static bool
a_label_check(struct name *name, const char *text, size_t bytes)
{
	struct idn_label label;

	if (!idn_decode(text, bytes, &label) || !idn_check(&label))
		return false;
	name->right_to_left |= label.right_to_left;
	name->bidi_fits &= label.bidi_fits;
	return true;
}

/* A label without characters beyond ASCII. */
static bool
plain_check(struct name *name, const char *text, size_t bytes)
{
	char lower[IDN_LABEL_MAX];
	bool reserved;

	if (bytes == 0 || bytes > IDN_LABEL_MAX || text[0] == '-' ||
	    text[bytes - 1] == '-')
		return false;
	for (size_t i = 0; i < bytes; i++) {
		if (!is_let_dig(text[i]) && text[i] != '-')
			return false;
		lower[i] = ascii_lower(text[i]);
	}
	name->bytes += bytes;
	reserved = bytes >= 4 && lower[2] == '-' && lower[3] == '-';
	if (reserved && lower[0] == 'x' && lower[1] == 'n')
		return a_label_check(name, lower, bytes);
	/* RFC 5893: beside other directions no label begins with a digit */
	name->bidi_fits &= lower[0] >= 'a';
	return !reserved || !name->international; /* RFC 5890 2.3.1 */
}

/* A label with characters beyond ASCII. */
static bool
foreign_check(struct name *name, const char *text, size_t bytes)
{
	struct idn_label label = {.count = 0};
	char encoded[IDN_LABEL_MAX];
	size_t length;

	for (size_t i = 0; i < bytes;) {
		if (label.count == IDN_LABEL_MAX)
			return false;
		length = utf8_decode(
		    text + i, bytes - i, &label.code[label.count++]);
		if (length == 0)
			return false;
		i += length;
	}
	length = idn_encode(&label, encoded);
	if (length > IDN_LABEL_MAX || !idn_check(&label))
		return false;
	name->bytes += length;
	name->right_to_left |= label.right_to_left;
	name->bidi_fits &= label.bidi_fits;
	return true;
}

/* Bytes of the dot at p, or 0. Others than the full stop: RFC 3490 3.1. */
static size_t
dot_length(const struct name *name, const char *p, size_t bytes)
{
	static const char *const others[] = {
	    "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"};

	if (p[0] == '.')
		return 1;
	for (size_t i = 0; name->international && bytes >= 3 && i < 3; i++)
		if (memcmp(p, others[i], 3) == 0)
			return 3;
	return 0;
}

static bool
name_check(struct span text, bool international)
{
	struct name name = {.international = international, .bidi_fits = true};
	size_t begin = 0, dot = 0, end;

	do {
		bool foreign = false;

		for (end = begin, dot = 0; end < text.n; end++) {
			dot = dot_length(&name, text.p + end, text.n - end);
			if (dot != 0)
				break;
			foreign |= ((unsigned char)text.p[end] & 0x80) != 0;
		}
		if (foreign && !international)
			return false;
		if (!(foreign ? foreign_check : plain_check)(
			&name, text.p + begin, end - begin))
			return false;
		name.bytes += dot != 0;
		if (name.bytes > NAME_MAX)
			return false;
		begin = end + dot;
	} while (dot != 0);
	return name.bidi_fits || !name.right_to_left;
}

bool
format_hostname(struct span text)
{
	return text.n <= NAME_MAX && name_check(text, false);
}

bool
format_idn_hostname(struct span text)
{
	return name_check(text, true);
}

/*
 * email
 */
static bool
is_atext(char c)
{
	return is_let_dig(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Dot-string of RFC 5321. */
static bool
atoms_check(struct span local)
{
	for (size_t i = 0; i < local.n; i++)
		if (!is_atext(local.p[i]) &&
		    (local.p[i] != '.' || i == 0 || i + 1 == local.n ||
			local.p[i - 1] == '.'))
			return false;
	return local.n != 0;
}

/* Bytes of the Quoted-string at the front, or 0. */
static size_t
quoted_length(struct span text)
{
	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] == '"')
			return i + 1;
		if (text.p[i] == '\\')
			i++;
		if (i == text.n || text.p[i] < ' ' || text.p[i] > '~')
			return 0;
	}
	return 0;
}

static bool
mail_domain_check(struct span domain)
{
	struct span inside;

	if (domain.n < 2 || domain.p[0] != '[')
		return format_hostname(domain);
	if (domain.p[domain.n - 1] != ']')
		return false;
	inside = (struct span){domain.p + 1, domain.n - 2};
	if (inside.n > 5 && memcmp(inside.p, "IPv6:", 5) == 0)
		return format_ipv6((struct span){inside.p + 5, inside.n - 5});
	return format_ipv4(inside);
}

bool
format_email(struct span text)
{
	bool quoted = text.n != 0 && text.p[0] == '"';
	size_t at = quoted ? quoted_length(text) : 0;

	while (!quoted && at < text.n && text.p[at] != '@')
		at++;
	if (at == 0 || at > LOCAL_MAX || at >= text.n || text.p[at] != '@' ||
	    text.n > ADDRESS_MAX)
		return false;
	if (!quoted && !atoms_check((struct span){text.p, at}))
		return false;
	return mail_domain_check(
	    (struct span){text.p + at + 1, text.n - at - 1});
}
