/*
 * What the files of the formats share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_FORMAT_IMPL_H
#define TRIZONE_EXECUTOR_FORMAT_IMPL_H

#include "executor/format.h"

/* format_host.c */
bool format_idn_hostname(struct span text);
bool format_email(struct span text);

#endif
