/*
 * What the processes of a service and its zones attested last, to tell when
 * it changes: for reports.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_REPORT_ATTEST_H
#define TRIZONE_EXECUTOR_AUDIT_REPORT_ATTEST_H

#include <stdbool.h>

#include "executor/record.h"

struct attested;

struct attested *attested_new(void);
void attested_free(struct attested *attested);

/* Whether the record in `line` has an attestation. */
bool attested_is(struct span line);

/* Take such a record in. If something is to be told, 1, and what it is is
 * appended to `text`: a zone was refused, or what it attests is not what it
 * was. One that was not there before is told if records before the period
 * were taken in. Nothing is told outside of the period. */
int attested_follow(struct attested *attested, const struct record *record,
    bool in_period, struct buf *text);

#endif
