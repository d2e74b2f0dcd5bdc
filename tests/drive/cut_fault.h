/*
 * Faults of the file system cut_fs.c, which says what the file is like.
 */
#ifndef TRIZONE_TESTS_CUT_FAULT_H
#define TRIZONE_TESTS_CUT_FAULT_H

extern const char *fault_path; /* NULL: none ever */

/* The error that this call is to have, negative, or 0. Not reentrant. */
int fault(const char *call);

#endif
