/*
 * Tests of selectors: read from hostile text, and made on hostile markup. Runs
 * in the reader's worker; each test of a value is linear or counted.
 */
#include "reader/html_simple.h"

#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_entity.h"

#define WORK_MOST 65536 /* bytes compared for one answer */
#define WORK_STEP 8	/* bytes that cost as much as a step */

/* The value in a token, kept as it was written. One with an escape is not
 * understood. */
static bool
keep_value(const struct css *css, const struct css_token *token,
    struct buf *values, struct sheet_test *out)
{
	struct span value = token->content;

	if (token->type == CSS_IDENT) {
		value.n = strlen(token->text);
		value.p = css->p - value.n;
	} else if (token->type != CSS_STRING) {
		return false;
	}
	if (value.n == 0) /* no bytes may have no address */
		value.p = "";
	if ((token->type == CSS_IDENT && value.n == 0) ||
	    memchr(value.p, '\\', value.n) != NULL)
		return false;
	if (token->type == CSS_IDENT &&
	    html_hash(value) != token->hash) /* it was escaped */
		return false;
	out->value_start = (uint32_t)values->len;
	out->value_bytes = (uint32_t)value.n;
	return buf_add(values, value.p, value.n) == 0;
}

/* The operator up to its '='. */
static bool
read_operator(struct css *css, struct css_token *token, struct sheet_test *out)
{
	static const struct {
		char delim;
		enum test_kind kind;
	} kinds[] = {{'~', TEST_WORD}, {'|', TEST_LANG}, {'^', TEST_START},
	    {'$', TEST_END}, {'*', TEST_PART}};

	out->kind = TEST_VALUE;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (css_is_delim(token, kinds[i].delim)) {
			out->kind = kinds[i].kind;
			css_next(css, token);
			break;
		}
	return css_is_delim(token, '=');
}

bool
test_attribute(struct css *css, struct buf *values, struct sheet_test *out)
{
	struct css start = *css;
	struct css_token token;

	*out = (struct sheet_test){.kind = TEST_ATTR};
	css_next_solid(css, &token);
	out->name = token.hash;
	out->attr =
	    html_attr_find((struct span){token.text, strlen(token.text)});
	if (token.type != CSS_IDENT || token.text[0] == '\0')
		goto not_understood;
	css_next_solid(css, &token);
	if (css_is_delim(&token, ']'))
		return true;
	if (!read_operator(css, &token, out))
		goto not_understood;
	css_next_solid(css, &token);
	if (!keep_value(css, &token, values, out))
		goto not_understood;
	css_next_solid(css, &token);
	if (css_is_word(&token, "i") || css_is_word(&token, "s")) {
		out->any_case = token.text[0] == 'i';
		css_next_solid(css, &token);
	}
	if (css_is_delim(&token, ']'))
		return true;
not_understood:
	*css = start;
	return false;
}

/* One simple selector, whose first token has been read. */
static bool
read_choice(struct css *css, const struct css_token *first, struct buf *values,
    struct sheet_test *out)
{
	struct css_token token;

	*out = (struct sheet_test){.name = first->hash};
	if (first->type == CSS_IDENT) {
		out->kind = TEST_TAG;
		return true;
	}
	if (first->type == CSS_HASH) {
		out->kind = TEST_ID;
		return first->id;
	}
	if (css_is_delim(first, '['))
		return test_attribute(css, values, out);
	if (!css_is_delim(first, '.'))
		return css_is_delim(first, '*');
	css_next(css, &token);
	out->kind = TEST_CLASS;
	out->name = token.hash;
	return token.type == CSS_IDENT;
}

size_t
test_choices(
    struct css *css, struct buf *values, struct sheet_test out[TEST_CHOICES])
{
	struct css start = *css;
	struct css_token token;
	size_t n = 0;

	css_next_solid(css, &token);
	while (n < TEST_CHOICES && read_choice(css, &token, values, &out[n])) {
		css_next_solid(css, &token);
		out[n].more = css_is_delim(&token, ',');
		n++;
		if (css_is_delim(&token, ')'))
			return n;
		if (!css_is_delim(&token, ','))
			break;
		css_next_solid(css, &token);
	}
	*css = start;
	return 0;
}

/* One step, and what looking at so many bytes costs. */
static void
pay(const struct test_subject *s, size_t bytes)
{
	uint64_t steps = 1 + bytes / WORK_STEP;

	*s->steps -= *s->steps < steps ? *s->steps : steps;
}

/* Whether the texts are one; in other letters they may be. */
static enum truth
compare(struct span a, struct span b, bool any_case)
{
	if (a.n != b.n)
		return TRUTH_NO;
	if (a.n == 0 || memcmp(a.p, b.p, a.n) == 0)
		return TRUTH_YES;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return TRUTH_NO;
	return any_case ? TRUTH_YES : TRUTH_MAYBE;
}

static bool
has_space(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (ascii_is_space(text.p[i]))
			return true;
	return false;
}

/* Whether `value` has `want` somewhere, or as one of its words. */
static enum truth
search(const struct test_subject *s, struct span value, struct span want,
    const struct sheet_test *test)
{
	bool word = test->kind == TEST_WORD;
	enum truth best = TRUTH_NO, one;
	size_t work = 0, end;

	if (word && has_space(want)) /* no word has one */
		return TRUTH_NO;
	for (size_t i = 0; want.n <= value.n && i <= value.n - want.n; i++) {
		end = i + want.n;
		work++;
		if (ascii_lower(value.p[i]) != ascii_lower(want.p[0]) ||
		    (word && i > 0 && !ascii_is_space(value.p[i - 1])) ||
		    (word && end < value.n && !ascii_is_space(value.p[end])))
			continue;
		work += want.n;
		one = work > WORK_MOST
			  ? TRUTH_MAYBE
			  : compare((struct span){value.p + i, want.n}, want,
				test->any_case);
		best = one > best ? one : best;
		if (best == TRUTH_YES || work > WORK_MOST)
			break;
	}
	pay(s, work);
	return best;
}

/* Whether `value` begins with `want`, or ends with it. */
static enum truth
edge(struct span value, struct span want, const struct sheet_test *test)
{
	if (want.n > value.n)
		return TRUTH_NO;
	if (test->kind == TEST_END)
		value.p += value.n - want.n;
	value.n = want.n;
	return compare(value, want, test->any_case);
}

static enum truth
value_is(const struct test_subject *s, struct span value, struct span want,
    const struct sheet_test *test)
{
	pay(s, want.n);
	switch (test->kind) {
	case TEST_VALUE:
		return compare(value, want, test->any_case);
	case TEST_LANG:
		if (value.n > want.n && value.p[want.n] == '-')
			value.n = want.n;
		return compare(value, want, test->any_case);
	case TEST_START:
	case TEST_END:
		return want.n == 0 ? TRUTH_NO : edge(value, want, test);
	default:
		return want.n == 0 ? TRUTH_NO : search(s, value, want, test);
	}
}

/* The raw value of an attribute: there is one, or none, or that is not known
 * since a token keeps only some. */
static enum truth
find_value(const struct test_subject *s, const struct sheet_test *test,
    struct span *out)
{
	const struct html_token *token = s->token;
	uint32_t kept = token->others;
	const struct span *value;

	if (test->attr != ATTR_COUNT) {
		value = html_token_attr(token, test->attr);
		*out = value == NULL ? SPAN("") : *value;
		return value == NULL ? TRUTH_NO : TRUTH_YES;
	}
	for (unsigned i = 0; i < token->others; i++) {
		const struct html_other *other = &token->other[i];

		pay(s, other->name.n);
		if (html_hash_any(html_hash(other->name)) ==
		    html_hash_any(test->name)) {
			*out = other->value;
			return TRUTH_YES;
		}
	}
	for (uint64_t bits = token->present; bits != 0; bits &= bits - 1)
		kept++;
	*out = SPAN("");
	return kept == token->attributes ? TRUTH_NO : TRUTH_MAYBE;
}

static enum truth
attribute_of(const struct sheet_test *test, const struct buf *values,
    const struct test_subject *s)
{
	struct span raw, want = {"", test->value_bytes};
	enum truth there;

	if (s->token == NULL)
		return TRUTH_MAYBE;
	there = find_value(s, test, &raw);
	if (there != TRUTH_YES || test->kind == TEST_ATTR)
		return there;
	if (raw.n > 0 && memchr(raw.p, '&', raw.n) != NULL) {
		pay(s, raw.n);
		raw = entity_decode(raw, s->scratch);
	}
	if (want.n > 0)
		want.p = values->data + test->value_start;
	return value_is(s, raw, want, test);
}

static enum truth
class_of(uint64_t hash, const struct test_subject *s)
{
	enum truth found = TRUTH_NO;

	pay(s, (s->classes_end - s->element->class_start) * WORK_STEP);
	for (uint32_t i = s->element->class_start; i < s->classes_end; i++) {
		if (s->stack->classes[i] == hash)
			return TRUTH_YES;
		if (html_hash_any(s->stack->classes[i]) == html_hash_any(hash))
			found = TRUTH_MAYBE;
	}
	return found;
}

static enum truth
single(const struct sheet_test *test, const struct buf *values,
    const struct test_subject *s)
{
	uint64_t id = s->element->id;

	pay(s, 0);
	switch (test->kind) {
	case TEST_ALL:
		return TRUTH_YES;
	case TEST_TAG:
		return html_hash_any(test->name) == s->element->name ? TRUTH_YES
								     : TRUTH_NO;
	case TEST_ID:
		if (html_hash_any(id) != html_hash_any(test->name))
			return TRUTH_NO;
		return id == test->name ? TRUTH_YES : TRUTH_MAYBE;
	case TEST_CLASS:
		return class_of(test->name, s);
	default:
		return attribute_of(test, values, s);
	}
}

enum truth
test_of(const struct sheet_test *test, const struct buf *values,
    const struct test_subject *subject)
{
	bool negated = test->negated;
	enum truth best = single(test, values, subject), one;

	while (test->more && best != TRUTH_YES) {
		one = single(++test, values, subject);
		best = one > best ? one : best;
	}
	return negated ? TRUTH_YES - best : best;
}
