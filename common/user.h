/*
 * Who runs processes on this machine.
 */
#ifndef TRIZONE_COMMON_USER_H
#define TRIZONE_COMMON_USER_H

#include <stdint.h>
#include <sys/types.h>

/* How many processes run as the user, by real or effective id. 0, or
 * -ERR_UNAVAILABLE where that cannot be told: no /proc, or one that hides
 * others' processes. user_linux.c, user_macos.c. */
int user_processes(uid_t uid, uint64_t *count_out);

#endif
