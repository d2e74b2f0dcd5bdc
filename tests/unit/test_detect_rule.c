/*
 * Inside the detector: segments, rules and concepts.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "reader/detect_impl.h"
#include "run_suite.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])
#define CLASSES_MOST 4

/* Segments. */

static const struct {
	const char *text;
	size_t segments;
} cuts[] = {
    {"", 0},
    {"a", 1},
    {"short. short. short.", 1},
    {"a sentence that has more than forty bytes. "
     "another one that has more than forty bytes.",
	2},
    {"a line that has more than forty bytes in it\n"
     "another line that has more than forty bytes\n",
	2},
    {"a version is 1.2.3 and not the end of a sentence here", 1},
    {"这是一个足够长的句子所以它会在这里结束对吗。这是另一个足够长的句子。", 2},
    {"यह एक वाक्य है जो काफी लंबा है। यह एक और वाक्य है।", 2},
};

START_TEST(cuts_sentences)
{
	struct segments s = {0};

	segments_cut(span_of(cuts[_i].text), &s);
	ck_assert_uint_eq(s.count, cuts[_i].segments);
	free(s.at);
}
END_TEST

static void
check_cover(struct span text, const struct segments *s)
{
	size_t at = 0;

	for (size_t i = 0; i < s->count; i++) {
		ck_assert_uint_eq(s->at[i].start, at);
		ck_assert_uint_gt(s->at[i].end, at);
		ck_assert_uint_le(s->at[i].end - at, SEGMENT_MOST + 4);
		at = s->at[i].end;
		ck_assert(
		    at == text.n || ((unsigned char)text.p[at] & 0xc0) != 0x80);
	}
	ck_assert_uint_eq(at, text.n);
}

START_TEST(segments_hold_every_byte)
{
	static const char *const pieces[] = {"word ", ". ", "\n", "x", "。",
	    "\xf0\x9f\x98\x80", "।", "ж", "?", "\xe3\x80\x81", "!\n",
	    "\xd8\x9f"};
	struct segments s = {0};
	unsigned seed = 3;

	for (int round = 0; round < 500; round++) {
		size_t few = 1 + (size_t)(rand_r(&seed) % ROWS(pieces));
		struct buf text;

		buf_init(&text, 1u << 20);
		for (int i = rand_r(&seed) % 2000; i > 0; i--)
			ck_assert_int_eq(
			    buf_add_text(
				&text, pieces[(size_t)rand_r(&seed) % few]),
			    0);
		segments_cut((struct span){text.data, text.len}, &s);
		check_cover((struct span){text.data, text.len}, &s);
		buf_free(&text);
	}
	free(s.at);
}
END_TEST

/* Rules. */

#define C(class) WORD_##class + 1
static const struct {
	uint32_t gap;
	uint8_t classes[CLASSES_MOST]; /* plus one */
} rules[RULE_COUNT] = {
#define RULE(name, text, weight, gap, ...) {gap, {__VA_ARGS__}},
#include "reader/detect_rule.def"
#undef RULE
};
#undef C

static size_t
classes_of(int rule)
{
	size_t n = 0;

	while (n < CLASSES_MOST && rules[rule].classes[n] != 0)
		n++;
	return n;
}

/* Words of a rule, the first at 0 and the last at `gap`, as one segment. */
static bool
fires(int rule, uint32_t gap, bool turned, uint32_t length)
{
	size_t n = classes_of(rule);
	struct detect_segment one = {.end = 10000};
	struct segments s = {.at = &one, .count = 1};
	struct hit at[CLASSES_MOST];
	struct hits h = {at, n, n};

	for (size_t i = 0; i < n; i++) {
		uint32_t start = i + 1 == n ? gap : (uint32_t)i * length;

		at[i] = (struct hit){start, start + length,
		    (uint8_t)(rules[rule].classes[turned ? n - 1 - i : i] - 1)};
	}
	rules_fire(&h, &s);
	return (rules_within(&s, 0, 1) >> rule & 1) != 0;
}

START_TEST(rules_fire_within_their_gap)
{
	ck_assert_uint_gt(strlen(detect_rule_name((enum detect_rule)_i)), 2);
	ck_assert(fires(_i, rules[_i].gap, false, 1));
	ck_assert(fires(_i, rules[_i].gap, true, 1));
	if (classes_of(_i) == 1)
		return;
	ck_assert(!fires(_i, rules[_i].gap + 1, false, 1));
	ck_assert(!fires(_i, rules[_i].gap + 1, true, 1));
}
END_TEST

START_TEST(no_word_plays_two_roles)
{
	size_t n = classes_of(_i);
	struct detect_segment one = {.end = 10000};
	struct segments s = {.at = &one, .count = 1};
	struct hit at[CLASSES_MOST];
	struct hits h = {at, n, n};

	if (n == 1)
		return;
	for (size_t i = 0; i < n; i++)
		at[i] = (struct hit){0, 6, (uint8_t)(rules[_i].classes[i] - 1)};
	rules_fire(&h, &s);
	ck_assert((rules_within(&s, 0, 1) >> _i & 1) == 0);
	at[n - 1].start = 5; /* a part of it */
	rules_fire(&h, &s);
	ck_assert((rules_within(&s, 0, 1) >> _i & 1) == 0);
}
END_TEST

START_TEST(rules_need_all_their_words)
{
	size_t n = classes_of(_i);
	struct detect_segment one = {.end = 10000};
	struct segments s = {.at = &one, .count = 1};

	for (size_t left_out = 0; left_out < n; left_out++) {
		struct hit at[CLASSES_MOST];
		struct hits h = {at, 0, n};

		for (size_t i = 0; i < n; i++)
			if (i != left_out) {
				at[h.count] = (struct hit){(uint32_t)i * 2,
				    (uint32_t)i * 2 + 1,
				    (uint8_t)(rules[_i].classes[i] - 1)};
				h.count++;
			}
		one = (struct detect_segment){.end = 10000};
		rules_fire(&h, &s);
		ck_assert((rules_within(&s, 0, 1) >> _i & 1) == 0);
	}
}
END_TEST

/* Two words in segments that are `apart`: in a window that has both. */
START_TEST(rules_stay_in_their_window)
{
	static const uint64_t bit = UINT64_C(1) << RULE_OVERRIDE_ORDERS;

	for (uint32_t apart = 0; apart < 5; apart++) {
		struct detect_segment five[5];
		struct segments s = {.at = five, .count = 5};
		struct hit at[2] = {{0, 1, WORD_OVERRIDE},
		    {apart * 10 + 2, apart * 10 + 3, WORD_ORDERS}};
		struct hits h = {at, 2, 2};

		for (uint32_t i = 0; i < 5; i++)
			five[i] = (struct detect_segment){
			    .start = i * 10, .end = i * 10 + 10};
		rules_fire(&h, &s);
		for (size_t last = 0; last < 5; last++)
			for (size_t most = 1; most <= WINDOW_MOST; most++)
				ck_assert(
				    ((rules_within(&s, last, most) & bit) !=
					0) ==
				    (apart < most && last >= apart &&
					last - apart <= most - 1 - apart));
	}
}
END_TEST

/* Concepts. */

static unsigned
bits_of(struct hit *at, size_t n)
{
	struct detect_segment one = {.end = 10000};
	struct segments s = {.at = &one, .count = 1};
	struct hits h = {at, n, n};
	struct concepts c;
	unsigned count = 0;

	concepts_find(&h, &s);
	concepts_within(&s, 0, 1, &c);
	for (unsigned i = 0; i < CONCEPT_COUNT; i++)
		count += (unsigned)(c.bits[i / 64] >> i % 64 & 1);
	return count;
}

START_TEST(concepts_are_words_and_pairs)
{
	struct hit near[] = {{0, 3, WORD_AI}, {10, 13, WORD_SEND}};
	struct hit far[] = {{0, 3, WORD_AI}, {500, 503, WORD_SEND}};
	struct hit same[] = {{0, 3, WORD_AI}, {0, 3, WORD_SEND}};
	struct hit turned[] = {{0, 3, WORD_AI}, {10, 13, WORD_SEND},
	    {20, 23, WORD_AI}, {30, 33, WORD_SEND}};

	ck_assert_uint_eq(bits_of(near, 0), 0);
	ck_assert_uint_eq(bits_of(near, 1), 1);
	ck_assert_uint_eq(bits_of(near, 2), 3);
	ck_assert_uint_eq(bits_of(far, 2), 2);
	ck_assert_uint_eq(bits_of(same, 2), 2);
	ck_assert_uint_eq(bits_of(turned, 4), 5); /* and two of a kind */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("detect_rule");
	TCase *tc = tcase_create("detect_rule");

	rules_warm();

	tcase_add_loop_test(tc, cuts_sentences, 0, ROWS(cuts));
	tcase_add_test(tc, segments_hold_every_byte);
	tcase_add_loop_test(tc, rules_fire_within_their_gap, 0, RULE_COUNT);
	tcase_add_loop_test(tc, no_word_plays_two_roles, 0, RULE_COUNT);
	tcase_add_loop_test(tc, rules_need_all_their_words, 0, RULE_COUNT);
	tcase_add_test(tc, rules_stay_in_their_window);
	tcase_add_test(tc, concepts_are_words_and_pairs);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
