/*
 * Words for the sets of a policy. Pure.
 */
#include "executor/policy_words.h"

#include "executor/facts.h"

#define LEG_COUNT 3

static const char *
effect_word(unsigned bit)
{
	return effect_name((enum effect)bit);
}

static const char *
origin_word(unsigned bit)
{
	return origin_name((enum origin)bit);
}

static const char *
leg_word(unsigned bit)
{
	return bit == LEG_A ? "A" : bit == LEG_B ? "B" : "C";
}

static void
add_bits(struct buf *out, unsigned bits, unsigned count,
    const char *(*word)(unsigned bit), const char *between)
{
	const char *lead = "";

	for (unsigned i = 0; i < count; i++) {
		if ((bits & 1u << i) == 0)
			continue;
		buf_add_format(out, "%s%s", lead, word(1u << i));
		lead = between;
	}
}

void
words_add_effects(struct buf *out, unsigned effects, const char *between)
{
	add_bits(out, effects, EFFECT_COUNT, effect_word, between);
}

void
words_add_origins(struct buf *out, unsigned origins, const char *between)
{
	add_bits(out, origins, ORIGIN_COUNT, origin_word, between);
}

void
words_add_legs(struct buf *out, unsigned legs, const char *between)
{
	add_bits(out, legs, LEG_COUNT, leg_word, between);
}

void
words_add_hours(struct buf *out, const struct rule *rule)
{
	buf_add_format(out, "%02u:%02u to %02u:%02u",
	    (unsigned)rule->hours_from / 60, (unsigned)rule->hours_from % 60,
	    (unsigned)rule->hours_to / 60, (unsigned)rule->hours_to % 60);
	for (unsigned i = 0; i < 7 && rule->days != 0x7f; i++)
		if ((rule->days >> i & 1) != 0)
			buf_add_format(out, " %s", day_name(i));
}

static void
put_bits(struct json_writer *w, const char *key, unsigned bits, unsigned count,
    const char *(*word)(unsigned bit))
{
	json_key(w, key);
	json_open(w, '[');
	for (unsigned i = 0; i < count; i++)
		if ((bits & 1u << i) != 0)
			json_text(w, word(1u << i));
	json_close(w, ']');
}

void
words_put_effects(struct json_writer *w, const char *key, unsigned effects)
{
	put_bits(w, key, effects, EFFECT_COUNT, effect_word);
}

void
words_put_origins(struct json_writer *w, const char *key, unsigned origins)
{
	put_bits(w, key, origins, ORIGIN_COUNT, origin_word);
}

void
words_put_legs(struct json_writer *w, const char *key, unsigned legs)
{
	put_bits(w, key, legs, LEG_COUNT, leg_word);
}
