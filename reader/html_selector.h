/*
 * Selectors of style rules, read token by token; between html_rules.c and
 * html_selector.c.
 */
#ifndef TRIZONE_READER_HTML_SELECTOR_H
#define TRIZONE_READER_HTML_SELECTOR_H

#include "reader/html_css.h"
#include "reader/html_sheet.h"

/* A style sheet being read. */
struct parser {
	struct html_sheet *sheet;
	struct css css;
	struct css_token token;
	uint32_t first_rule; /* of the rules whose block comes next */
	uint32_t first_part, first_class, first_test;
	uint32_t rule_part;	/* where the selector's parts begin */
	struct sheet_part part; /* being read */
	struct sheet_rule rule; /* weight, needs and doubt so far */
	bool filled;		/* the part has something in it */
	bool empty;		/* the part is of elements without text */
	bool never;		/* this selector matches nothing we read */
	bool joined;		/* a combinator waits for what is behind it */
	bool over;		/* nothing may follow in this selector */
	bool invalid;		/* no selector of this rule counts */
	bool doubt;		/* nor is it known whether the rules count */
	bool foreign;		/* names may be of another namespace */
	unsigned nested;	/* rules around this one */
};

/* Forget the selector read so far and begin one. */
void selector_start(struct parser *p);

/* One token of a selector list, p->token. */
void selector_token(struct parser *p);

/* The selector is complete: make it a rule, still without declarations, and
 * begin another. */
void selector_end(struct parser *p);

/* Skip to the bracket that closes the one just read. */
void selector_skip(struct parser *p, char open, char close);

/* Whether a name is one of `count` words. */
bool selector_is_one_of(
    const char *text, const char *const words[], size_t count);

#endif
