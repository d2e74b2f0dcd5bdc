/*
 * Base64 from hostile bytes. Pure; a step writes at most what its header says.
 */
#include "reader/transfer.h"

/* Values of bytes that are no letters. */
enum { PAD = 64, BLANK, OTHER };

#define O8 66, 66, 66, 66, 66, 66, 66, 66
#define O16 O8, O8
#define O128 O16, O16, O16, O16, O16, O16, O16, O16

static const unsigned char values[256] = {O8, 66, 65, 65, 66, 66, 65, 66, 66,
    O16, 65, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 62, 66, 66, 66, 63, 52, 53,
    54, 55, 56, 57, 58, 59, 60, 61, 66, 66, 66, 64, 66, 66, 66, 0, 1, 2, 3, 4,
    5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 66, 66, 66, 66, 66, 66, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
    38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 66, 66, 66, 66, 66,
    O128};

static size_t
put_three(uint32_t bits, char *out)
{
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8);
	out[2] = (char)bits;
	return 3;
}

/* Four letters at once as long as there are only letters; the bytes read. */
static size_t
take_fours(const unsigned char *in, size_t count, char *out)
{
	size_t i = 0;

	while (i + 4 <= count) {
		uint32_t a = values[in[i]], b = values[in[i + 1]];
		uint32_t c = values[in[i + 2]], d = values[in[i + 3]];

		if ((a | b | c | d) >= PAD)
			break;
		(void)put_three(a << 18 | b << 12 | c << 6 | d, out);
		out += 3;
		i += 4;
	}
	return i;
}

/* What a group of less than four letters makes. */
static size_t
put_rest(struct base64_in *s, char *out)
{
	unsigned left = s->count;

	s->count = 0;
	if (left < 2) {
		s->odd = s->odd || left == 1;
		return 0;
	}
	out[0] = (char)(s->bits >> (left == 2 ? 4 : 10));
	if (left == 3)
		out[1] = (char)(s->bits >> 2);
	return left - 1;
}

/* One byte; what came out. */
static size_t
take_one(struct base64_in *s, unsigned char byte, char *out)
{
	uint32_t value = values[byte];

	if (value == BLANK)
		return 0;
	if (value == PAD) {
		s->padded = true;
		return put_rest(s, out);
	}
	if (value == OTHER) {
		s->odd = true;
		return 0;
	}
	if (s->padded) /* another text begins, or a program stops here */
		s->odd = true;
	s->bits = s->bits << 6 | value;
	if (++s->count < 4)
		return 0;
	s->count = 0;
	return put_three(s->bits & 0xffffff, out);
}

size_t
base64_step(struct base64_in *s, const char *in, size_t count, char *out)
{
	const unsigned char *from = (const unsigned char *)in;
	size_t i = 0, made = 0;

	while (i < count) {
		if (s->count == 0 && !s->padded) {
			size_t taken =
			    take_fours(from + i, count - i, out + made);

			made += taken / 4 * 3;
			i += taken;
		}
		if (i < count)
			made += take_one(s, from[i++], out + made);
	}
	return made;
}

size_t
base64_end(struct base64_in *s, char out[2])
{
	if (s->count != 0)
		s->odd = true;
	return put_rest(s, out);
}
