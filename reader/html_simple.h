/*
 * What a compound selector asks of an element besides its name, id and
 * classes: attributes, and :not(), :is() and :where() around simple selectors
 * (Selectors Level 4, 4 and 6).
 */
#ifndef TRIZONE_READER_HTML_SIMPLE_H
#define TRIZONE_READER_HTML_SIMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "reader/html_css.h"
#include "reader/html_stack.h"

#define TEST_CHOICES 8 /* in one pair of brackets */

enum truth { TRUTH_NO, TRUTH_MAYBE, TRUTH_YES };

enum test_kind {
	TEST_ALL, /* '*' */
	TEST_TAG,
	TEST_ID,
	TEST_CLASS,
	TEST_ATTR,  /* there is one */
	TEST_VALUE, /* [a=v] */
	TEST_WORD,  /* [a~=v] */
	TEST_LANG,  /* [a|=v] */
	TEST_START, /* [a^=v] */
	TEST_END,   /* [a$=v] */
	TEST_PART   /* [a*=v] */
};

/* One simple selector. */
struct sheet_test {
	uint64_t name; /* hash, of an attribute too */
	uint32_t value_start, value_bytes;
	enum test_kind kind;
	enum html_attr attr; /* ATTR_COUNT: one without a row */
	bool any_case;
	bool negated; /* of the first of several choices: all of them */
	bool more;    /* the next one is another choice */
};

/* The element a rule is tried on. */
struct test_subject {
	const struct html_stack *stack;
	const struct html_element *element;
	uint32_t classes_end;
	const struct html_token *token; /* its start tag; NULL: not known */
	struct buf *scratch;		/* for one decoded value */
	uint64_t *steps;		/* what it may cost; counted down */
};

/* Read an attribute selector whose '[' has been read, with its ']'. A value
 * goes to the end of `values`. False: not understood, css is as before. */
bool test_attribute(
    struct css *css, struct buf *values, struct sheet_test *out);

/* Read simple selectors up to the bracket that closes the list. Returns how
 * many; 0: not understood, css is as before. */
size_t test_choices(
    struct css *css, struct buf *values, struct sheet_test out[TEST_CHOICES]);

/* What the test and its other choices say about the element. */
enum truth test_of(const struct sheet_test *test, const struct buf *values,
    const struct test_subject *subject);

#endif
