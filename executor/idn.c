/*
 * What RFC 5891 to 5893 ask of a label: its characters, their neighbours,
 * their direction, and that it is in its normal form (NFC).
 */
#include "executor/idn.h"

#include <string.h>

#define SPLIT_MAX 4 /* characters that one of idn.def is made of, at most */

#define ZERO_WIDTH_NON_JOINER 0x200c
#define ZERO_WIDTH_JOINER 0x200d
#define VIRAMA 9 /* combining class */

#define IDN_CONTEXT 1 /* only beside certain characters */
#define IDN_MARK 2    /* not at the beginning */
#define IDN_MAYBE 4   /* may be one character with those before it, in NFC */
#define IDN_SPLITS 8  /* is made of two others */

enum bidi { L, R, AL, AN, EN, ES, CS, ET, ON, BN, NSM };
enum joining {
	JOINING_U,
	JOINING_C,
	JOINING_D,
	JOINING_L,
	JOINING_R,
	JOINING_T
};
enum script { OTHER, GREEK, HEBREW, HIRAGANA, KATAKANA, HAN };

struct range {
	uint32_t first, last;
	uint8_t bidi, joining, script, combining, flags;
};

#define RANGE(first, last, bidi, joining, script, combining, flags)            \
	{first, last, bidi, JOINING_##joining, script, combining, flags},
static const struct range ranges[] = {
#include "executor/idn.def"
};
#undef RANGE

static const struct {
	uint32_t first, second, one;
} pairs[] = {
#define PAIR(first, second, one) {first, second, one},
#include "executor/idn.def"
#undef PAIR
};

#define RANGE_COUNT (sizeof ranges / sizeof ranges[0])
#define PAIR_COUNT (sizeof pairs / sizeof pairs[0])

/* NULL: in no label. */
static const struct range *
find_range(uint32_t code)
{
	size_t low = 0, high = RANGE_COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < RANGE_COUNT && code >= ranges[low].first ? &ranges[low]
							      : NULL;
}

/*
 * NFC (UAX 15). Characters that decompose to others than two of idn.def are
 * not in it, nor are those of Hangul that are made one by rule.
 */
struct codes {
	uint32_t code[IDN_LABEL_MAX * SPLIT_MAX];
	uint8_t combining[IDN_LABEL_MAX * SPLIT_MAX];
	size_t count;
};

static void
add_split(struct codes *codes, uint32_t code)
{
	uint32_t behind[SPLIT_MAX];
	const struct range *range = find_range(code);
	size_t count = 0;

	while (range != NULL && (range->flags & IDN_SPLITS) != 0 &&
	       count + 1 < SPLIT_MAX) {
		size_t i = 0;

		while (pairs[i].one != code)
			i++;
		code = pairs[i].first;
		behind[count++] = pairs[i].second;
		range = find_range(code);
	}
	behind[count++] = code;
	while (count-- > 0) {
		range = find_range(behind[count]);
		codes->code[codes->count] = behind[count];
		codes->combining[codes->count++] =
		    range == NULL ? 0 : range->combining;
	}
}

/* Marks in the order of their classes. */
static void
sort_marks(struct codes *codes)
{
	for (size_t i = 1; i < codes->count; i++)
		for (size_t j = i;
		     j > 0 && codes->combining[j] != 0 &&
		     codes->combining[j - 1] > codes->combining[j];
		     j--) {
			uint32_t code = codes->code[j];
			uint8_t combining = codes->combining[j];

			codes->code[j] = codes->code[j - 1];
			codes->combining[j] = codes->combining[j - 1];
			codes->code[j - 1] = code;
			codes->combining[j - 1] = combining;
		}
}

static bool
join_pair(uint32_t *first, uint32_t second)
{
	for (size_t i = 0; i < PAIR_COUNT; i++)
		if (pairs[i].first == *first && pairs[i].second == second) {
			*first = pairs[i].one;
			return true;
		}
	return false;
}

static void
join(struct codes *codes)
{
	size_t starter = SIZE_MAX, kept = 0;
	int last = -1; /* class of the character before, if it stayed */

	for (size_t i = 0; i < codes->count; i++) {
		uint32_t code = codes->code[i];
		uint8_t combining = codes->combining[i];

		if (starter != SIZE_MAX && last < (int)combining &&
		    join_pair(&codes->code[starter], code))
			continue;
		if (combining == 0) {
			starter = kept;
			last = -1;
		} else {
			last = combining;
		}
		codes->code[kept] = code;
		codes->combining[kept++] = combining;
	}
	codes->count = kept;
}

static bool
is_normal(const struct idn_label *label)
{
	struct codes codes = {.count = 0};

	for (size_t i = 0; i < label->count; i++)
		add_split(&codes, label->code[i]);
	sort_marks(&codes);
	join(&codes);
	return codes.count == label->count &&
	       memcmp(codes.code, label->code,
		   label->count * sizeof *label->code) == 0;
}

/*
 * Contextual rules (RFC 5892 appendix A).
 */
static enum script
script_at(const struct idn_label *label, size_t index)
{
	const struct range *range =
	    index < label->count ? find_range(label->code[index]) : NULL;

	return range == NULL ? OTHER : range->script;
}

static bool
code_is(const struct idn_label *label, size_t index, uint32_t code)
{
	return index < label->count && label->code[index] == code;
}

/* The joining type of the nearest one that is not transparent. */
static enum joining
joining_beyond(const struct idn_label *label, size_t index, int step)
{
	const struct range *range = NULL;

	do {
		index += (size_t)step;
		range = index < label->count ? find_range(label->code[index])
					     : NULL;
	} while (range != NULL && range->joining == JOINING_T);
	return range == NULL ? JOINING_U : range->joining;
}

static bool
joiner_fits(const struct idn_label *label, size_t index)
{
	const struct range *before =
	    index == 0 ? NULL : find_range(label->code[index - 1]);
	enum joining left, right;

	if (before != NULL && before->combining == VIRAMA)
		return true;
	if (label->code[index] == ZERO_WIDTH_JOINER)
		return false;
	left = joining_beyond(label, index, -1);
	right = joining_beyond(label, index, 1);
	return (left == JOINING_L || left == JOINING_D) &&
	       (right == JOINING_R || right == JOINING_D);
}

static bool
has_between(const struct idn_label *label, uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < label->count; i++)
		if (label->code[i] >= first && label->code[i] <= last)
			return true;
	return false;
}

static bool
has_japanese(const struct idn_label *label)
{
	for (size_t i = 0; i < label->count; i++)
		if (label->code[i] != 0x30fb && script_at(label, i) >= HIRAGANA)
			return true;
	return false;
}

static bool
context_fits(const struct idn_label *label, size_t index)
{
	uint32_t code = label->code[index];

	if (code == ZERO_WIDTH_NON_JOINER || code == ZERO_WIDTH_JOINER)
		return joiner_fits(label, index);
	if (code == 0xb7) /* middle dot */
		return code_is(label, index - 1, 'l') &&
		       code_is(label, index + 1, 'l');
	if (code == 0x375) /* Greek lower numeral sign */
		return script_at(label, index + 1) == GREEK;
	if (code == 0x5f3 || code == 0x5f4) /* Hebrew geresh, gershayim */
		return script_at(label, index - 1) == HEBREW;
	if (code == 0x30fb) /* Katakana middle dot */
		return has_japanese(label);
	if (code >= 0x660 && code <= 0x669) /* Arabic-Indic digits */
		return !has_between(label, 0x6f0, 0x6f9);
	return !has_between(label, 0x660, 0x669);
}

/*
 * Direction (RFC 5893 section 2).
 */
static enum bidi
bidi_of(uint32_t code)
{
	const struct range *range = find_range(code);

	return range == NULL ? L : range->bidi;
}

#define BIT(class) (1u << (class))

static bool
fits_classes(unsigned first, unsigned last, unsigned all)
{
	const unsigned common = BIT(EN) | BIT(ES) | BIT(CS) | BIT(ET) |
				BIT(ON) | BIT(BN) | BIT(NSM);

	if (first == BIT(L))
		return (all & ~(BIT(L) | common)) == 0 &&
		       (last & (BIT(L) | BIT(EN))) != 0;
	return (first & (BIT(R) | BIT(AL))) != 0 &&
	       (all & ~(BIT(R) | BIT(AL) | BIT(AN) | common)) == 0 &&
	       (last & (BIT(R) | BIT(AL) | BIT(EN) | BIT(AN))) != 0 &&
	       (all & (BIT(EN) | BIT(AN))) != (BIT(EN) | BIT(AN));
}

static void
find_direction(struct idn_label *label)
{
	unsigned all = 0, last = 0;

	for (size_t i = 0; i < label->count; i++) {
		unsigned bit = BIT(bidi_of(label->code[i]));

		all |= bit;
		if (bit != BIT(NSM))
			last = bit;
	}
	label->right_to_left = (all & (BIT(R) | BIT(AL) | BIT(AN))) != 0;
	label->bidi_fits =
	    label->count != 0 &&
	    fits_classes(BIT(bidi_of(label->code[0])), last, all);
}

bool
idn_check(struct idn_label *label)
{
	const uint32_t *code = label->code;
	size_t count = label->count;
	bool foreign = false, unsure = false;

	if (count == 0 || code[0] == '-' || code[count - 1] == '-' ||
	    (count > 3 && code[2] == '-' && code[3] == '-'))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct range *range = find_range(code[i]);

		if (range == NULL || (i == 0 && (range->flags & IDN_MARK) != 0))
			return false;
		if ((range->flags & IDN_CONTEXT) != 0 &&
		    !context_fits(label, i))
			return false;
		foreign |= code[i] >= 0x80;
		unsure |=
		    range->combining != 0 || (range->flags & IDN_MAYBE) != 0;
	}
	find_direction(label);
	return foreign && (!unsure || is_normal(label));
}
