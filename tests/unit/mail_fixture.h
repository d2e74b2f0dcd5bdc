/*
 * One mail to its clean object and record, for tests.
 */
#ifndef TRIZONE_TESTS_UNIT_MAIL_FIXTURE_H
#define TRIZONE_TESTS_UNIT_MAIL_FIXTURE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/json.h"
#include "proto/clean.h"

/* Of the mail that was read last. */
extern struct buf clean, record;
extern struct json_doc doc;
extern struct clean_view view;

void mail_setup(void);
void mail_teardown(void);

/* Read a mail; its object has to pass the check. */
void read_mail(struct span raw);

bool contains(const struct buf *text, const char *what);

/* The text at a JSON Pointer of the object; NULL: a list there is empty. */
void expect(const char *pointer, const char *want);

#endif
