/*
 * TNEF: a signature, then attributes with length and checksum, in little
 * endian order; some attributes are lists of MAPI properties. Pure; the bytes
 * are hostile, and every length is checked against what is left.
 */
#include "reader/tnef.h"

#include <stdint.h>
#include <string.h>

#define SIGNATURE 0x223e9f78u
#define ATTRIBUTE_FRAME 11 /* level, id, length, checksum */
#define LEVEL_MESSAGE 1

/* Attributes: type and number in one. */
#define ATT_BODY 0x0002800cu
#define ATT_MSG_PROPS 0x00069003u
#define ATT_OEM_CODEPAGE 0x00069007u
#define ATT_RENDDATA 0x00069002u
#define ATT_TITLE 0x00018010u
#define ATT_DATA 0x0006800fu
#define ATT_ATTACHMENT 0x00069005u

/* Properties. */
#define PR_BODY 0x1000u
#define PR_RTF_COMPRESSED 0x1009u
#define PR_ATTACH_DATA 0x3701u
#define PR_ATTACH_LONG_FILENAME 0x3707u
#define NAMED 0x8000u

/* Types of properties. */
#define PT_MULTI 0x1000u
#define PT_STRING8 0x001eu
#define PT_UNICODE 0x001fu

struct reader {
	const struct tnef_taker *taker;
	char label[24]; /* of 8-bit texts */

	/* the file being put together */
	bool open;
	struct span name, bytes;
	bool wide; /* the name is UTF-16 */
	size_t files;
};

static uint32_t
number(const char *p, size_t bytes)
{
	uint32_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | (unsigned char)p[bytes];
	return n;
}

/* A number from the front; false if there is none. */
static bool
take_number(struct span *from, size_t bytes, uint32_t *out)
{
	if (from->n < bytes)
		return false;
	*out = number(from->p, bytes);
	from->p += bytes;
	from->n -= bytes;
	return true;
}

/* `bytes` from the front, and what fills them up to a multiple of `unit`. */
static bool
take_bytes(struct span *from, size_t bytes, size_t unit, struct span *out)
{
	size_t all = bytes + (unit - bytes % unit) % unit;

	if (bytes > from->n)
		return false;
	if (all > from->n)
		all = from->n;
	*out = (struct span){from->p, bytes};
	from->p += all;
	from->n -= all;
	return true;
}

/* A text up to its NUL. */
static struct span
text_of(struct span raw, bool wide)
{
	size_t unit = wide ? 2 : 1, i = 0;

	while (i + unit <= raw.n &&
	       (raw.p[i] != '\0' || raw.p[i + unit - 1] != '\0'))
		i += unit;
	return (struct span){raw.p, i};
}

static struct span
label_of(const struct reader *r, bool wide)
{
	return wide ? SPAN("utf-16le") : span_of(r->label);
}

static void
end_file(struct reader *r)
{
	if (r->open && r->files++ < TNEF_FILES)
		r->taker->file(
		    r->taker->with, r->name, label_of(r, r->wide), r->bytes);
	r->open = r->wide = false;
	r->name = r->bytes = SPAN("");
}

/* One property's first value. */
static void
take_property(
    struct reader *r, uint32_t id, uint32_t type, struct span value, bool file)
{
	bool wide = type == PT_UNICODE;

	if (file && id == PR_ATTACH_LONG_FILENAME) {
		r->name = text_of(value, wide);
		r->wide = wide;
	} else if (file && id == PR_ATTACH_DATA && r->bytes.n == 0) {
		r->bytes = value;
	} else if (!file && id == PR_BODY) {
		r->taker->text(
		    r->taker->with, text_of(value, wide), label_of(r, wide));
	} else if (!file && id == PR_RTF_COMPRESSED &&
		   r->files++ < TNEF_FILES) {
		r->taker->rtf(r->taker->with, value);
	}
}

/* Bytes of a value whose type says so; 0: it says its length itself. */
static size_t
fixed_size(uint32_t type)
{
	switch (type & ~PT_MULTI) {
	case 0x0002: /* short; filled up to four, like the next */
	case 0x000b: /* boolean */
	case 0x0003: /* long */
	case 0x0004: /* float */
	case 0x000a: /* error */
		return 4;
	case 0x0005: /* double */
	case 0x0006: /* currency */
	case 0x0007: /* time */
	case 0x0014: /* long long */
	case 0x0040: /* time */
		return 8;
	case 0x0048: /* GUID */
		return 16;
	default:
		return 0;
	}
}

/* The name of a named property. */
static bool
skip_name(struct span *in)
{
	struct span skipped;
	uint32_t kind = 0, n = 0;

	return take_bytes(in, 16, 1, &skipped) && take_number(in, 4, &kind) &&
	       take_number(in, 4, &n) &&
	       (kind == 0 || take_bytes(in, n, 4, &skipped));
}

static bool
take_values(
    struct reader *r, struct span *in, uint32_t id, uint32_t type, bool file)
{
	size_t size = fixed_size(type);
	struct span value = SPAN("");
	uint32_t count = 1, n = (uint32_t)size;

	if ((size == 0 || (type & PT_MULTI) != 0) &&
	    !take_number(in, 4, &count))
		return false;
	if (count > TNEF_PROPERTIES)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (size == 0 && !take_number(in, 4, &n))
			return false;
		if (!take_bytes(in, n, 4, &value))
			return false;
		if (i == 0)
			take_property(r, id, type, value, file);
	}
	return true;
}

static bool
take_properties(struct reader *r, struct span in, bool file)
{
	uint32_t count = 0, type = 0, id = 0;

	if (!take_number(&in, 4, &count) || count > TNEF_PROPERTIES)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!take_number(&in, 2, &type) || !take_number(&in, 2, &id))
			return false;
		if (id >= NAMED && !skip_name(&in))
			return false;
		if (!take_values(r, &in, id, type, file))
			return false;
	}
	return true;
}

/* "windows-1252" for 1252: the label of a code page. */
static void
take_codepage(struct reader *r, struct span data)
{
	static const char prefix[] = "windows-";
	uint32_t page = 0;
	size_t n = 0;
	char digits[8];

	if (!take_number(&data, 4, &page) || page > 99999)
		return;
	if (page == 65001) {
		memcpy(r->label, "utf-8", 6);
		return;
	}
	do
		digits[n++] = (char)('0' + page % 10);
	while ((page /= 10) != 0);
	memcpy(r->label, prefix, sizeof prefix);
	for (size_t i = 0; i < n; i++)
		r->label[sizeof prefix - 1 + i] = digits[n - 1 - i];
	r->label[sizeof prefix - 1 + n] = '\0';
}

static bool
take_message(struct reader *r, uint32_t id, struct span data)
{
	if (id == ATT_OEM_CODEPAGE)
		take_codepage(r, data);
	else if (id == ATT_BODY)
		r->taker->text(
		    r->taker->with, text_of(data, false), label_of(r, false));
	else if (id == ATT_MSG_PROPS)
		return take_properties(r, data, false);
	return true;
}

static bool
take_file(struct reader *r, uint32_t id, struct span data)
{
	if (id == ATT_RENDDATA)
		end_file(r);
	r->open = true;
	if (id == ATT_TITLE && r->name.n == 0)
		r->name = text_of(data, false);
	else if (id == ATT_DATA)
		r->bytes = data;
	else if (id == ATT_ATTACHMENT)
		return take_properties(r, data, true);
	return true;
}

/* One attribute; false if there is none. What is wrong with what is in it is
 * noted in *valid: some programs give a file to a person all the same, so it is
 * looked at too. */
static bool
take_attribute(struct reader *r, struct span *in, bool *valid)
{
	uint32_t level = 0, id = 0, length = 0, sum = 0, want = 0;
	struct span data;
	bool good;

	if (!take_number(in, 1, &level) || !take_number(in, 4, &id) ||
	    !take_number(in, 4, &length) || !take_bytes(in, length, 1, &data) ||
	    !take_number(in, 2, &want))
		return false;
	for (size_t i = 0; i < data.n; i++)
		sum += (unsigned char)data.p[i];
	good = level == LEVEL_MESSAGE ? take_message(r, id, data)
				      : take_file(r, id, data);
	if (!good || (sum & 0xffff) != want)
		*valid = false;
	return true;
}

bool
tnef_read(struct span in, const struct tnef_taker *taker)
{
	struct reader r = {.taker = taker,
	    .label = "windows-1252",
	    .name = SPAN(""),
	    .bytes = SPAN("")};
	uint32_t signature = 0, key = 0;
	bool valid = true;

	if (!take_number(&in, 4, &signature) || signature != SIGNATURE ||
	    !take_number(&in, 2, &key))
		return false;
	while (in.n >= ATTRIBUTE_FRAME && take_attribute(&r, &in, &valid))
		;
	end_file(&r);
	return valid && in.n == 0;
}
