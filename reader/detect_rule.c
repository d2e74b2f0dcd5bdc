/*
 * The rules of the detector. One walk over the words that were found; for
 * each, the rules with its class look for the latest words of their other
 * classes.
 */
#include <string.h>

#include "common/err.h"
#include "reader/detect_impl.h"

#define CLASSES_MOST 4

struct rule {
	const char *text;
	double weight;
	uint32_t gap;
	uint8_t classes[CLASSES_MOST]; /* plus one; 0: no more */
};

_Static_assert(RULE_COUNT <= 64, "rules are bits of 64");

#define C(class) WORD_##class + 1
static const struct rule rules[RULE_COUNT] = {
#define RULE(name, text, weight, gap, ...)                                     \
	[RULE_##name] = {text, weight, gap, {__VA_ARGS__}},
#include "reader/detect_rule.def"
#undef RULE
};
#undef C

static uint64_t by_class[WORD_CLASS_COUNT]; /* rules that name it */

void
rules_warm(void)
{
	for (unsigned i = 0; i < RULE_COUNT; i++)
		for (size_t k = 0; k < CLASSES_MOST; k++)
			if (rules[i].classes[k] != 0)
				by_class[rules[i].classes[k] - 1] |= UINT64_C(1)
								     << i;
}

/* The two words found last, of each class. */
struct latest {
	struct hit at[2];
	unsigned count;
};

const char *
detect_rule_name(enum detect_rule rule)
{
	if ((unsigned)rule >= RULE_COUNT)
		bug("detector rule %d", (int)rule);
	return rules[rule].text;
}

double
rule_weight(enum detect_rule rule)
{
	return rules[rule].weight;
}

static bool
overlap(const struct hit *a, const struct hit *b)
{
	return a->start < b->end && b->start < a->end;
}

/* The latest word of a class that is none of the `count` chosen ones. */
static const struct hit *
choose(
    const struct latest *latest, const struct hit *const *chosen, size_t count)
{
	for (unsigned i = 0; i < latest->count; i++) {
		bool taken = false;

		for (size_t k = 0; k < count; k++)
			taken = taken || overlap(&latest->at[i], chosen[k]);
		if (!taken)
			return &latest->at[i];
	}
	return NULL;
}

/* Whether a rule fires with this word as the last one; *start_out is then
 * where its first one begins. */
static bool
fires(const struct rule *rule, const struct latest *latest,
    const struct hit *hit, uint32_t *start_out)
{
	const struct hit *chosen[CLASSES_MOST] = {hit};
	uint32_t start = hit->start;
	size_t count = 1;

	for (size_t i = 0; i < CLASSES_MOST && rule->classes[i] != 0; i++) {
		unsigned class = rule->classes[i] - 1u;
		const struct hit *other;

		if (class == hit->class)
			continue;
		other = choose(&latest[class], chosen, count);
		if (other == NULL || hit->start - other->start > rule->gap)
			return false;
		if (other->start < start)
			start = other->start;
		chosen[count++] = other;
	}
	*start_out = start;
	return true;
}

/* Note a firing from `start` to the segment `last`. */
static void
note(struct segments *segments, size_t last, uint32_t start, unsigned rule)
{
	size_t first = last;

	while (first > 0 && segments->at[first].start > start)
		first--;
	if (last - first < WINDOW_MOST)
		segments->at[last].rules[last - first] |= UINT64_C(1) << rule;
}

void
rules_fire(const struct hits *hits, struct segments *segments)
{
	struct latest latest[WORD_CLASS_COUNT];
	size_t segment = 0;

	memset(latest, 0, sizeof latest);
	for (size_t i = 0; i < hits->count; i++) {
		const struct hit *hit = &hits->at[i];
		uint64_t set = by_class[hit->class];
		uint32_t start;

		while (segment + 1 < segments->count &&
		       segments->at[segment].end <= hit->start)
			segment++;
		for (unsigned rule = 0; set != 0; rule++, set >>= 1)
			if ((set & 1) != 0 &&
			    fires(&rules[rule], latest, hit, &start))
				note(segments, segment, start, rule);
		latest[hit->class].at[1] = latest[hit->class].at[0];
		latest[hit->class].at[0] = *hit;
		if (latest[hit->class].count < 2)
			latest[hit->class].count++;
	}
}

uint64_t
rules_within(const struct segments *segments, size_t last, size_t most)
{
	uint64_t set = 0;

	for (size_t back = 0; back < most && back <= last; back++)
		for (size_t k = 0; k + back < most; k++)
			set |= segments->at[last - back].rules[k];
	return set;
}
