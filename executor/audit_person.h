/*
 * Erasing what is known of one mail, session or person: `audit erase` with
 * --handle, --session or --person.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_PERSON_H
#define TRIZONE_EXECUTOR_AUDIT_PERSON_H

#include "executor/config.h"

/* argv[1] is the option, argv[2] its value; where no service runs. The exit
 * status: 0 it is gone, 64 usage, 69 there was nothing or a service runs, 71,
 * 77. */
int audit_erase_about(int argc, char **argv, const struct config *config);

#endif
