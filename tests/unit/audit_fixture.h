/*
 * What the tests of the log's writer share: a folder of its own for each test,
 * and a log in it.
 */
#ifndef TRIZONE_TESTS_UNIT_AUDIT_FIXTURE_H
#define TRIZONE_TESTS_UNIT_AUDIT_FIXTURE_H

#include "executor/audit_impl.h"

extern char folder[48];
extern struct audit_limits limits; /* with which must_open opens */
extern struct audit *audit;	   /* NULL while closed */
extern struct audit_found found;   /* by the last must_open */
extern struct audit_problem problem;

void folder_make(void);
void folder_empty(void);
void folder_remove(void); /* closes the log too */

void must_open(void);
void must_close(void);
void abandon(void); /* the process is gone, as far as the files can tell */

#endif
