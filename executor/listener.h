/*
 * Descriptors of the listener for blocked packets, and the most that it says.
 */
#ifndef TRIZONE_EXECUTOR_LISTENER_H
#define TRIZONE_EXECUTOR_LISTENER_H

#include "executor/role.h"

enum { FD_CAPTURE = FD_FIRST, FD_NOTES, FD_BLOCKED };

#define LISTENER_DETAIL_BYTES 1024 /* of one record */

#endif
