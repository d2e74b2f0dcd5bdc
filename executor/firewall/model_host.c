/*
 * One host of a list: "api.example.com:443", "[2001:db8::7]:8443",
 * "stun.example.com:3478/udp". Pure; the operator's text.
 */
#include <stdio.h>
#include <string.h>

#include "common/ascii.h"
#include "common/err.h"
#include "executor/firewall/model_impl.h"

#define LABEL_MAX 63 /* RFC 1035 */
#define PORT_DIGITS 5
#define PORT_MAX 65535
#define DNS_PORT 53

struct reading {
	char *reason;
	size_t room;
};

static int
refuse(const struct reading *r, const char *why)
{
	(void)snprintf(r->reason, r->room, "%s", why);
	return -ERR_RANGE;
}

/* What stands behind the last `mark`, which with it is cut off. */
static bool
cut_behind(struct span *text, char mark, struct span *behind)
{
	size_t n = text->n;

	while (n != 0 && text->p[n - 1] != mark)
		n--;
	if (n == 0)
		return false;
	*behind = (struct span){text->p + n, text->n - n};
	text->n = n - 1;
	return true;
}

static int
read_protocol(
    const struct reading *r, struct span *text, struct model_host *out)
{
	struct span name;

	out->protocol = MODEL_TCP;
	if (memchr(text->p, '/', text->n) == NULL)
		return 0;
	(void)cut_behind(text, '/', &name);
	if (memchr(text->p, '/', text->n) != NULL)
		return refuse(r,
		    "is no host: write its name and port only, as in "
		    "api.example.com:443");
	if (span_is(name, "udp"))
		out->protocol = MODEL_UDP;
	else if (!span_is(name, "tcp"))
		return refuse(r, "may end in /tcp or /udp, and nothing else");
	return 0;
}

static int
read_port(const struct reading *r, struct span *text, struct model_host *out)
{
	struct span digits;
	unsigned port = 0;

	if (!cut_behind(text, ':', &digits))
		return refuse(
		    r, "has no port: write it as api.example.com:443");
	if (digits.n == 0 || digits.n > PORT_DIGITS || digits.p[0] == '0')
		return refuse(r, "has no port of 1 to 65535");
	for (size_t i = 0; i < digits.n; i++) {
		if (!is_digit(digits.p[i]))
			return refuse(r, "has no port of 1 to 65535");
		port = port * 10 + (unsigned)(digits.p[i] - '0');
	}
	if (port > PORT_MAX)
		return refuse(r, "has no port of 1 to 65535");
	if (port == DNS_PORT)
		return refuse(r,
		    "has port 53, which always leads to the account's DNS "
		    "guard");
	out->port = (uint16_t)port;
	return 0;
}

static bool
is_name_char(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '_';
}

/* One label and no dot; -1 if it is none. */
static int
label_length(struct span text)
{
	size_t n = 0;

	while (n < text.n && is_name_char(text.p[n]))
		n++;
	if (n == 0 || n > LABEL_MAX || text.p[0] == '-' || text.p[n - 1] == '-')
		return -1;
	return (int)n;
}

/* Two labels or more, of which the last begins with a letter: what begins with
 * a digit, some read as an address. */
static bool
is_name(struct span text)
{
	unsigned labels = 0;

	for (;;) {
		int n = label_length(text);

		if (n < 0)
			return false;
		labels++;
		if ((size_t)n == text.n)
			return labels > 1 && is_alpha(text.p[0]);
		if (text.p[n] != '.')
			return false;
		text = (struct span){text.p + n + 1, text.n - (size_t)n - 1};
	}
}

static int
read_name(const struct reading *r, struct span text, struct model_host *out)
{
	if (text.n != 0 && text.p[text.n - 1] == '.')
		text.n--; /* of the root */
	if (memchr(text.p, '*', text.n) != NULL)
		return refuse(r, "has a `*`: only exact names are allowed");
	if (text.n >= sizeof out->name || !is_name(text))
		return refuse(r,
		    "is neither an address nor a full name of letters, "
		    "digits, and hyphens (others: in their xn-- form)");
	for (size_t i = 0; i < text.n; i++)
		out->name[i] = ascii_lower(text.p[i]);
	out->name[text.n] = '\0';
	return 0;
}

/* A literal address may be private or loopback, as the operator named it; not
 * what is no host at all. A guard is its own account's, by port 53. */
static int
check_address(const struct reading *r, const struct model_host *host)
{
	static const char *const never[] = {"unspecified", "broadcast",
	    "multicast", "IPv4-mapped", "IPv4-translated", "IPv4-compatible",
	    "this network", "reserved", "discard"};
	const char *what = address_special(&host->address);

	if (what == NULL)
		return 0;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strcmp(what, never[i]) == 0)
			return refuse(r,
			    "is an address that no host has (unspecified, "
			    "multicast, mapped, or reserved)");
	if (strcmp(what, "loopback") == 0 && host->port >= MODEL_GUARD_PORT &&
	    host->port <= MODEL_GUARD_LAST && host->port != MODEL_MAIL_PORT)
		return refuse(r, "has a port that is a DNS guard's");
	return 0;
}

static int
read_address(const struct reading *r, struct span text, struct model_host *out)
{
	bool brackets =
	    text.n > 1 && text.p[0] == '[' && text.p[text.n - 1] == ']';

	if (brackets)
		text = (struct span){text.p + 1, text.n - 2};
	if (!address_parse(text, &out->address)) {
		out->address.family = ADDRESS_NONE;
		return brackets ? refuse(r, "is no IPv6 address") : 0;
	}
	if (brackets != (out->address.family == ADDRESS_6))
		return refuse(r,
		    "has to have brackets if it is an IPv6 address, and only "
		    "then: [2001:db8::7]:8443");
	address_format(&out->address, out->name);
	return check_address(r, out);
}

int
model_host_read(
    struct span text, struct model_host *out, char *reason, size_t room)
{
	const struct reading r = {reason, room};
	struct model_host host = {.port = 0};
	int rc;

	if (text.n == 0)
		return refuse(&r, "is empty");
	rc = read_protocol(&r, &text, &host);
	if (rc == 0)
		rc = read_port(&r, &text, &host);
	if (rc == 0)
		rc = read_address(&r, text, &host);
	if (rc == 0 && host.address.family == ADDRESS_NONE)
		rc = read_name(&r, text, &host);
	if (rc == 0)
		*out = host;
	return rc;
}

void
model_host_format(const struct model_host *host, char out[MODEL_HOST_TEXT])
{
	bool brackets = host->address.family == ADDRESS_6;

	(void)snprintf(out, MODEL_HOST_TEXT, "%s%s%s:%u%s", brackets ? "[" : "",
	    host->name, brackets ? "]" : "", (unsigned)host->port,
	    host->protocol == MODEL_UDP ? "/udp" : "");
}
