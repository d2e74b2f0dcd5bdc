/*
 * Concepts: what a window speaks of, whatever the language. Each is there or
 * not, so that saying a thing often makes it no truer.
 */
#include "reader/detect_impl.h"

#define PAIR_GAP 60  /* bytes between the starts of two words */
#define PAIRS_MOST 6 /* words that one looks back at */

#define MODEL(...)
#define THRESHOLD(...)
#define WEIGHT(...)
#define CONCEPTS(...) __VA_ARGS__
static const double weights[] = {
#include "reader/detect_weight.def"
};
#undef MODEL
#undef THRESHOLD
#undef WEIGHT
#undef CONCEPTS

_Static_assert(sizeof weights / sizeof weights[0] == CONCEPT_COUNT + 1,
    "a weight for each concept, and the bias: run detect_train");

static void
set_bit(uint64_t *bits, unsigned at)
{
	bits[at / 64] |= UINT64_C(1) << at % 64;
}

static unsigned
pair_of(unsigned a, unsigned b)
{
	unsigned low = a < b ? a : b, high = a < b ? b : a;

	return WORD_CLASS_COUNT + high * (high + 1) / 2 + low;
}

void
concepts_find(const struct hits *hits, struct segments *segments)
{
	size_t segment = 0;

	for (size_t i = 0; i < hits->count; i++) {
		const struct hit *hit = &hits->at[i];
		uint64_t *bits;

		while (segment + 1 < segments->count &&
		       segments->at[segment].end <= hit->start)
			segment++;
		bits = segments->at[segment].words;
		set_bit(bits, hit->class);
		for (size_t k = 1; k <= PAIRS_MOST && k <= i; k++) {
			const struct hit *other = &hits->at[i - k];

			if (hit->start - other->start > PAIR_GAP)
				break;
			if (other->end <= hit->start)
				set_bit(
				    bits, pair_of(other->class, hit->class));
		}
	}
}

void
concepts_within(const struct segments *segments, size_t last, size_t size,
    struct concepts *out)
{
	uint64_t rules = rules_within(segments, last, size);

	*out = (struct concepts){{0}};
	for (size_t back = 0; back < size && back <= last; back++)
		for (size_t k = 0; k < CONCEPT_WORDS; k++)
			out->bits[k] |= segments->at[last - back].words[k];
	for (unsigned i = 0; rules != 0; i++, rules >>= 1)
		if ((rules & 1) != 0)
			set_bit(out->bits, CONCEPT_RULES + i);
}

double
concepts_logit(const struct concepts *c)
{
	double sum = weights[CONCEPT_COUNT];

	for (unsigned k = 0; k < CONCEPT_WORDS; k++)
		for (uint64_t rest = c->bits[k]; rest != 0; rest &= rest - 1)
			sum +=
			    weights[k * 64 + (unsigned)__builtin_ctzll(rest)];
	return sum;
}
