/*
 * What the inbox tests share: a folder of its own for each test, an inbox in
 * it, and a delivery in one call.
 */
#ifndef TRIZONE_TESTS_UNIT_INBOX_FIXTURE_H
#define TRIZONE_TESTS_UNIT_INBOX_FIXTURE_H

#include <check.h>

#include "executor/inbox.h"

#define OK(call) ck_assert_int_eq((call), 0)
#define REFUSED(error, call) ck_assert_int_eq((call), -(error))

extern char folder[64];
extern struct inbox *inbox; /* NULL while closed */

void folder_make(const char *under);
void folder_remove(void); /* closes the inbox too */

/* Path of a file in the folder, until the next call. */
const char *path_of(const char *name);

/* Close, if open, and open again. */
int reopen(const struct inbox_limits *limits);
void shut(void);

/* The whole of a delivery on the channel "mail". */
int deliver(const void *bytes, size_t count, int64_t *id_out, bool *twice_out);

#endif
