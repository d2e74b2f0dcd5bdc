/*
 * Seatbelt, the sandbox of macOS, from the same tables. Making the text is
 * pure and works everywhere, so that it can be tested everywhere; applying it
 * works on macOS only.
 *
 * A process can get one such profile and no second one, and its children
 * inherit it. So a profile has what its role needs until it ends, and a worker
 * has that of the process that forks it.
 */
#ifndef TRIZONE_COMMON_SEATBELT_H
#define TRIZONE_COMMON_SEATBELT_H

#include <stddef.h>

#include "common/buf.h"
#include "common/lock.h"

/* Append the profile in SBPL: all is denied but what the role needs. It holds
 * no path: each is a parameter, so that none can be taken for text. */
void seatbelt_text(const struct lock_profile *profile,
    const struct lock_path *paths, size_t count, struct buf *out);

/* The parameters of that text: this program, and the path at an index. */
#define SEATBELT_PROGRAM "PROGRAM"
#define SEATBELT_PATH "PATH%zu"

/* Put it in force for this process and its children, and read back that it
 * is; it cannot be undone. 0; -ERR_UNAVAILABLE where there is none;
 * -ERR_SYSTEM with the reason. */
int seatbelt_apply(const struct lock_profile *profile,
    const struct lock_path *paths, size_t count, char *reason, size_t room);

#endif
