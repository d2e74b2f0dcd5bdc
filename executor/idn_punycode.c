/*
 * Punycode (RFC 3492), with the parameters of section 5.
 */
#include <string.h>

#include "executor/idn.h"

#define BASE 36
#define T_MIN 1
#define T_MAX 26
#define SKEW 38
#define DAMP 700
#define FIRST_BIAS 72
#define FIRST_CODE 0x80
#define LAST_CODE 0x10ffff
#define PREFIX "xn--"
#define PREFIX_BYTES (sizeof PREFIX - 1)

static uint32_t
adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t
threshold(uint32_t k, uint32_t bias)
{
	if (k <= bias + T_MIN)
		return T_MIN;
	return k >= bias + T_MAX ? T_MAX : k - bias;
}

/*
 * Encoding.
 */
struct encoder {
	char *out;
	size_t used; /* may pass the room: then it only counts */
};

static void
put(struct encoder *e, char c)
{
	if (e->used < IDN_LABEL_MAX)
		e->out[e->used] = c;
	e->used++;
}

static void
put_delta(struct encoder *e, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias), digit = delta;

		if (delta >= t)
			digit = t + (delta - t) % (BASE - t);
		put(e, (char)(digit < 26 ? 'a' + digit : '0' + digit - 26));
		if (delta < t)
			return;
		delta = (delta - t) / (BASE - t);
	}
}

/* The smallest character that is at least `least`. */
static uint32_t
next_code(const struct idn_label *label, uint32_t least)
{
	uint32_t found = UINT32_MAX;

	for (size_t i = 0; i < label->count; i++)
		if (label->code[i] >= least && label->code[i] < found)
			found = label->code[i];
	return found;
}

/* 64 characters of 21 bits keep delta below 32 bits. */
size_t
idn_encode(const struct idn_label *label, char *out)
{
	struct encoder e = {out, 0};
	uint32_t n = FIRST_CODE, delta = 0, bias = FIRST_BIAS, done = 0, basic;

	for (size_t i = 0; i < PREFIX_BYTES; i++)
		put(&e, PREFIX[i]);
	for (size_t i = 0; i < label->count; i++)
		if (label->code[i] < FIRST_CODE) {
			put(&e, (char)label->code[i]);
			done++;
		}
	basic = done;
	if (basic != 0)
		put(&e, '-');
	while (done < label->count) {
		uint32_t code = next_code(label, n);

		delta += (code - n) * (done + 1);
		n = code;
		for (size_t i = 0; i < label->count; i++) {
			delta += label->code[i] < n;
			if (label->code[i] != n)
				continue;
			put_delta(&e, delta, bias);
			done++;
			bias = adapt(delta, done, done == basic + 1);
			delta = 0;
		}
		delta++;
		n++;
	}
	return e.used;
}

/*
 * Decoding.
 */
struct decoder {
	const char *p, *end;
	struct idn_label *label;
	uint32_t n, i, bias;
};

static bool
take_digit(struct decoder *d, uint32_t *digit_out)
{
	char c = d->p < d->end ? *d->p++ : '\0';

	if (c >= 'a' && c <= 'z')
		*digit_out = (uint32_t)(c - 'a');
	else if (c >= '0' && c <= '9')
		*digit_out = (uint32_t)(c - '0') + 26;
	else
		return false;
	return true;
}

static bool
take_delta(struct decoder *d)
{
	uint64_t i = d->i, weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t digit, t = threshold(k, d->bias);

		if (!take_digit(d, &digit))
			return false;
		i += digit * weight;
		if (i > INT32_MAX)
			return false;
		if (digit < t)
			break;
		weight *= BASE - t;
		if (weight > INT32_MAX)
			return false;
	}
	d->i = (uint32_t)i;
	return true;
}

static bool
take_code(struct decoder *d)
{
	struct idn_label *label = d->label;
	uint32_t before = d->i, count = (uint32_t)label->count + 1;
	bool first = before == 0 && d->n == FIRST_CODE && d->bias == FIRST_BIAS;

	if (label->count == IDN_LABEL_MAX || !take_delta(d))
		return false;
	d->bias = adapt(d->i - before, count, first);
	d->n += d->i / count;
	d->i %= count;
	if (d->n > LAST_CODE || (d->n >= 0xd800 && d->n <= 0xdfff))
		return false;
	memmove(label->code + d->i + 1, label->code + d->i,
	    (label->count - d->i) * sizeof *label->code);
	label->code[d->i++] = d->n;
	label->count++;
	return true;
}

bool
idn_decode(const char *text, size_t bytes, struct idn_label *label)
{
	struct decoder d = {.end = text + bytes,
	    .label = label,
	    .n = FIRST_CODE,
	    .bias = FIRST_BIAS};
	char again[IDN_LABEL_MAX];
	size_t basic = bytes;

	label->count = 0;
	if (bytes <= PREFIX_BYTES || bytes > IDN_LABEL_MAX ||
	    memcmp(text, PREFIX, PREFIX_BYTES) != 0)
		return false;
	while (basic > PREFIX_BYTES && text[basic - 1] != '-')
		basic--;
	d.p = text + basic;
	for (size_t i = PREFIX_BYTES; i + 1 < basic; i++)
		label->code[label->count++] = (unsigned char)text[i];
	while (d.p < d.end)
		if (!take_code(&d))
			return false;
	return idn_encode(label, again) == bytes &&
	       memcmp(again, text, bytes) == 0;
}
