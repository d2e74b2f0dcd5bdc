/*
 * Addresses, and which of them are special. Pure; reads what strangers
 * answered.
 */
#include "executor/firewall/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/ascii.h"

/* In the order of the registries; the first that fits is named. */
static const struct {
	unsigned char family, bits;
	unsigned char bytes[16];
	const char *what;
} special[] = {
    {ADDRESS_4, 32, {255, 255, 255, 255}, "broadcast"},
    {ADDRESS_4, 32, {0, 0, 0, 0}, "unspecified"},
    {ADDRESS_4, 8, {0}, "this network"},
    {ADDRESS_4, 8, {10}, "private"},
    {ADDRESS_4, 10, {100, 64}, "shared"},
    {ADDRESS_4, 8, {127}, "loopback"},
    {ADDRESS_4, 16, {169, 254}, "link-local"},
    {ADDRESS_4, 12, {172, 16}, "private"},
    {ADDRESS_4, 24, {192, 0, 0}, "protocol assignment"},
    {ADDRESS_4, 24, {192, 0, 2}, "documentation"},
    {ADDRESS_4, 24, {192, 88, 99}, "6to4 relay"},
    {ADDRESS_4, 16, {192, 168}, "private"},
    {ADDRESS_4, 15, {198, 18}, "benchmarking"},
    {ADDRESS_4, 24, {198, 51, 100}, "documentation"},
    {ADDRESS_4, 24, {203, 0, 113}, "documentation"},
    {ADDRESS_4, 4, {224}, "multicast"},
    {ADDRESS_4, 4, {240}, "reserved"},
    {ADDRESS_6, 128, {0}, "unspecified"},
    {ADDRESS_6, 128, {[15] = 1}, "loopback"},
    {ADDRESS_6, 96, {[10] = 0xff, [11] = 0xff}, "IPv4-mapped"},
    {ADDRESS_6, 96, {[8] = 0xff, [9] = 0xff}, "IPv4-translated"},
    {ADDRESS_6, 96, {0}, "IPv4-compatible"},
    {ADDRESS_6, 96, {0x00, 0x64, 0xff, 0x9b}, "NAT64"},
    {ADDRESS_6, 48, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, "NAT64"},
    {ADDRESS_6, 64, {0x01, 0x00}, "discard"},
    {ADDRESS_6, 32, {0x20, 0x01, 0x00, 0x00}, "Teredo"},
    {ADDRESS_6, 32, {0x20, 0x01, 0x0d, 0xb8}, "documentation"},
    {ADDRESS_6, 23, {0x20, 0x01}, "protocol assignment"},
    {ADDRESS_6, 16, {0x20, 0x02}, "6to4"},
    {ADDRESS_6, 20, {0x3f, 0xff}, "documentation"},
    {ADDRESS_6, 16, {0x5f, 0x00}, "segment routing"},
    {ADDRESS_6, 7, {0xfc}, "private"},
    {ADDRESS_6, 10, {0xfe, 0x80}, "link-local"},
    {ADDRESS_6, 10, {0xfe, 0xc0}, "site-local"},
    {ADDRESS_6, 8, {0xff}, "multicast"},
};

static bool
begins(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool
address_parse(struct span text, struct address *out)
{
	char copy[ADDRESS_TEXT_BYTES];

	*out = (struct address){.family = ADDRESS_NONE};
	if (text.n == 0 || text.n >= sizeof copy ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, out->bytes) == 1)
		out->family = ADDRESS_4;
	else if (inet_pton(AF_INET6, copy, out->bytes) == 1)
		out->family = ADDRESS_6;
	return out->family != ADDRESS_NONE;
}

void
address_format(const struct address *a, char out[ADDRESS_TEXT_BYTES])
{
	int family = a->family == ADDRESS_4 ? AF_INET : AF_INET6;

	if (inet_ntop(family, a->bytes, out, ADDRESS_TEXT_BYTES) == NULL)
		out[0] = '\0';
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool
address_in_range(const struct address *a, const struct address_range *range)
{
	return a->family == range->address.family &&
	       begins(a->bytes, range->address.bytes, range->bits);
}

static bool
has_bits_behind(const struct address *a, unsigned bits)
{
	for (unsigned i = bits; i < 8 * sizeof a->bytes; i++)
		if ((a->bytes[i / 8] & (0x80u >> (i % 8))) != 0)
			return true;
	return false;
}

/* One to three digits, no zero before others. */
static bool
read_bits(struct span text, unsigned most, unsigned *out)
{
	*out = 0;
	if (text.n == 0 || text.n > 3 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!is_digit(text.p[i]))
			return false;
		*out = *out * 10 + (unsigned)(text.p[i] - '0');
	}
	return *out <= most;
}

bool
address_range_parse(struct span text, struct address_range *out)
{
	const char *slash = memchr(text.p, '/', text.n);
	size_t before = slash == NULL ? text.n : (size_t)(slash - text.p);

	if (slash == NULL ||
	    !address_parse((struct span){text.p, before}, &out->address))
		return false;
	if (!read_bits((struct span){slash + 1, text.n - before - 1},
		out->address.family == ADDRESS_4 ? 32 : 128, &out->bits))
		return false;
	return !has_bits_behind(&out->address, out->bits);
}

void
address_range_format(
    const struct address_range *range, char out[ADDRESS_RANGE_BYTES])
{
	char text[ADDRESS_TEXT_BYTES];

	address_format(&range->address, text);
	(void)snprintf(out, ADDRESS_RANGE_BYTES, "%s/%u", text, range->bits);
}

const char *
address_special(const struct address *a)
{
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
		if (special[i].family == a->family &&
		    begins(a->bytes, special[i].bytes, special[i].bits))
			return special[i].what;
	return a->family == ADDRESS_NONE ? "no address" : NULL;
}
