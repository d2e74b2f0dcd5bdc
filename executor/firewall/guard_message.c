/*
 * DNS messages of the guard. Pure; runs in the resolver and reads what the
 * confined account sends. It believes nothing: each length is checked, and
 * what is not expected makes the whole message bad.
 */
#include "executor/firewall/guard_message.h"

#include <string.h>

#include "common/ascii.h"
#include "common/err.h"
#include "executor/firewall/link.h"

#define HEADER_BYTES 12u
#define NAME_BYTES 255u /* on the wire, with the root's label */
#define LABEL_BYTES 63u
#define PLAIN_BYTES 512u /* an answer by UDP to who does not say more */
#define OPT_BYTES 11u

#define FLAG_ANSWER 0x8000u
#define FLAG_CUT 0x0200u
#define FLAG_RECURSION 0x0100u
#define FLAG_RECURSES 0x0080u
#define FLAG_UNCHECKED 0x0010u

#define CLASS_IN 1
#define TYPE_OPT 41
#define TYPE_META_FIRST 249 /* TKEY, TSIG, IXFR, AXFR, MAILB, MAILA */
#define TYPE_META_LAST 254

_Static_assert(HEADER_BYTES + GUARD_QUESTION_BYTES +
		       LINK_ADDRESSES_MAX * (12 + 16) + OPT_BYTES <=
		   GUARD_UDP_BYTES,
    "the largest answer fits");

/* What is left of a message. */
struct reader {
	const unsigned char *at;
	size_t left;
};

static bool
take(struct reader *r, size_t count, const unsigned char **out)
{
	if (r->left < count)
		return false;
	*out = r->at;
	r->at += count;
	r->left -= count;
	return true;
}

static bool
take_u8(struct reader *r, unsigned *out)
{
	const unsigned char *p;

	if (!take(r, 1, &p))
		return false;
	*out = p[0];
	return true;
}

static bool
take_u16(struct reader *r, unsigned *out)
{
	const unsigned char *p;

	if (!take(r, 2, &p))
		return false;
	*out = (unsigned)p[0] << 8 | p[1];
	return true;
}

/* A byte of a label as it stands in a name. */
static char
label_byte(unsigned char byte, bool *odd)
{
	if (byte > 0x20 && byte < 0x7f && byte != '.' && byte != '?')
		return ascii_lower((char)byte);
	*odd = true;
	return '?';
}

/* A name without compression: there is nothing before it to point to. */
static bool
take_name(struct reader *r, struct guard_query *out)
{
	size_t wire = 1, length = 0;
	unsigned count;

	for (;;) {
		const unsigned char *label;

		if (!take_u8(r, &count) || count > LABEL_BYTES)
			return false;
		if (count == 0)
			break;
		wire += count + 1;
		if (wire > NAME_BYTES || !take(r, count, &label))
			return false;
		if (length != 0)
			out->name[length++] = '.';
		for (unsigned i = 0; i < count; i++)
			out->name[length++] = label_byte(label[i], &out->odd);
	}
	out->name[length] = '\0';
	return true;
}

/* The question; its class is left to the caller. */
static bool
take_question(struct reader *r, struct guard_query *out, unsigned *class)
{
	const unsigned char *begin = r->at;
	unsigned type;

	if (!take_name(r, out) || !take_u16(r, &type) || !take_u16(r, class))
		return false;
	out->type = (uint16_t)type;
	out->question_bytes = (size_t)(r->at - begin);
	memcpy(out->question, begin, out->question_bytes);
	return true;
}

/* Options are walked through and not used. */
static bool
options_end(struct reader r)
{
	while (r.left != 0) {
		const unsigned char *data;
		unsigned code, bytes;

		if (!take_u16(&r, &code) || !take_u16(&r, &bytes) ||
		    !take(&r, bytes, &data))
			return false;
	}
	return true;
}

/* The only record that a question may have behind it (RFC 6891, 6.1.2). */
static int
take_opt(struct reader *r, struct guard_query *out)
{
	unsigned root, type, room, high, version, flags, bytes;

	if (!take_u8(r, &root) || root != 0 || !take_u16(r, &type) ||
	    type != TYPE_OPT || !take_u16(r, &room) || !take_u8(r, &high) ||
	    !take_u8(r, &version) || !take_u16(r, &flags) ||
	    !take_u16(r, &bytes) || bytes != r->left || !options_end(*r))
		return GUARD_FORMERR;
	r->left = 0;
	out->edns = true;
	out->room = (uint16_t)room;
	return version == 0 ? GUARD_NOERROR : GUARD_BADVERS;
}

/* What kind of question it is. */
static int
judge(const struct guard_query *query, unsigned class)
{
	if (query->type == 0 || query->type == TYPE_OPT)
		return GUARD_FORMERR;
	if (query->type >= TYPE_META_FIRST && query->type <= TYPE_META_LAST)
		return GUARD_NOTIMP;
	return class == CLASS_IN ? GUARD_NOERROR : GUARD_REFUSED;
}

int
guard_parse(const unsigned char *bytes, size_t count, struct guard_query *out)
{
	struct reader r = {bytes, count};
	unsigned id, flags, counts[4], class = 0;
	int code = GUARD_NOERROR;

	*out = (struct guard_query){.room = PLAIN_BYTES};
	if (!take_u16(&r, &id) || !take_u16(&r, &flags))
		return -1;
	for (size_t i = 0; i < 4; i++)
		if (!take_u16(&r, &counts[i]))
			return -1;
	if ((flags & FLAG_ANSWER) != 0)
		return -1;
	out->id = (uint16_t)id;
	out->opcode = (unsigned char)(flags >> 11 & 15);
	out->recursion = (flags & FLAG_RECURSION) != 0;
	out->unchecked = (flags & FLAG_UNCHECKED) != 0;
	if (out->opcode != 0)
		return GUARD_NOTIMP;
	if ((flags & FLAG_CUT) != 0 || counts[0] != 1 || counts[1] != 0 ||
	    counts[2] != 0 || counts[3] > 1 || !take_question(&r, out, &class))
		return GUARD_FORMERR;
	if (counts[3] == 1)
		code = take_opt(&r, out);
	if (r.left != 0)
		return GUARD_FORMERR;
	return code != GUARD_NOERROR ? code : judge(out, class);
}

/* An answer that is being written; what is added fits. */
struct writer {
	unsigned char *at;
	size_t count;
};

static void
add(struct writer *w, const void *bytes, size_t count)
{
	memcpy(w->at + w->count, bytes, count);
	w->count += count;
}

static void
add_u16(struct writer *w, unsigned number)
{
	unsigned char big[] = {
	    (unsigned char)(number >> 8), (unsigned char)number};

	add(w, big, sizeof big);
}

static void
add_u32(struct writer *w, uint32_t number)
{
	add_u16(w, number >> 16);
	add_u16(w, number & 0xffff);
}

static void
add_address(struct writer *w, const struct address *a, uint32_t ttl_s)
{
	unsigned bytes = a->family == ADDRESS_4 ? 4 : 16;

	add_u16(w, 0xc000u | HEADER_BYTES); /* the question's name */
	add_u16(w, a->family == ADDRESS_4 ? GUARD_A : GUARD_AAAA);
	add_u16(w, CLASS_IN);
	add_u32(w, ttl_s);
	add_u16(w, bytes);
	add(w, a->bytes, bytes);
}

static void
add_opt(struct writer *w, enum guard_code code)
{
	unsigned char root = 0;

	add(w, &root, 1);
	add_u16(w, TYPE_OPT);
	add_u16(w, GUARD_UDP_BYTES);
	add_u32(w, (uint32_t)code >> 4 << 24);
	add_u16(w, 0);
}

static unsigned
flags_of(const struct guard_query *query, enum guard_code code, bool cut)
{
	return FLAG_ANSWER | (unsigned)query->opcode << 11 |
	       (cut ? FLAG_CUT : 0) | (query->recursion ? FLAG_RECURSION : 0) |
	       FLAG_RECURSES | (query->unchecked ? FLAG_UNCHECKED : 0) |
	       ((unsigned)code & 15);
}

static size_t
room_of(const struct guard_query *query, bool tcp)
{
	if (tcp || query->room > GUARD_UDP_BYTES)
		return GUARD_UDP_BYTES;
	return query->room < PLAIN_BYTES ? PLAIN_BYTES : query->room;
}

static size_t
bytes_of(const struct guard_query *query, const struct guard_answer *answer)
{
	size_t each = 12 + (query->type == GUARD_A ? 4 : 16);

	return HEADER_BYTES + query->question_bytes +
	       (query->edns ? OPT_BYTES : 0) + answer->count * each;
}

size_t
guard_write(const struct guard_query *query, const struct guard_answer *answer,
    bool tcp, unsigned char *out)
{
	bool cut = bytes_of(query, answer) > room_of(query, tcp);
	size_t count = cut ? 0 : answer->count;
	struct writer w = {.at = out};

	if (count > LINK_ADDRESSES_MAX)
		bug("an answer of %zu addresses", count);
	add_u16(&w, query->id);
	add_u16(&w, flags_of(query, answer->code, cut));
	add_u16(&w, query->question_bytes != 0);
	add_u16(&w, (unsigned)count);
	add_u16(&w, 0);
	add_u16(&w, query->edns);
	add(&w, query->question, query->question_bytes);
	for (size_t i = 0; i < count; i++)
		add_address(&w, &answer->addresses[i], answer->ttl_s);
	if (query->edns)
		add_opt(&w, answer->code);
	return w.count;
}
