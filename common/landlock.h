/*
 * Landlock: what a process can reach, below our own code. Linux only; on
 * macOS Seatbelt does it (seatbelt.h) and this says that there is none.
 */
#ifndef TRIZONE_COMMON_LANDLOCK_H
#define TRIZONE_COMMON_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "common/lock.h"

/* The newest ABI this file knows rights of. */
#define LANDLOCK_ABI_KNOWN 7

/* After it, files can be opened only below those `paths` (0: nowhere) that are
 * folders and not `shown`: for reading, and where `write` for making,
 * replacing (within one folder), cutting and removing regular files. Never:
 * executing, making folders, devices, sockets, FIFOs or links, moving between
 * folders, device ioctls. From ABI 4 also: no TCP bind or connect; from ABI 6:
 * no connection to an abstract Unix socket and no signal to a process outside.
 * Descriptors that are open stay usable; what is opened through them later is
 * checked.
 *
 * Also sets no_new_privs. Holds for the calling thread and its children, so
 * call it before there are threads. It cannot be undone.
 *
 * 0 and the ABI in force in *abi_out; -ERR_UNAVAILABLE if the system has no
 * such lock; -ERR_SYSTEM if the lock or a path was refused; errno says why.
 *
 * Not covered, as Landlock has no right for it: stat(2) and chmod(2) by path,
 * connecting to Unix sockets by path, UDP; before ABI 3 truncate(2), before
 * ABI 5 device ioctls. Those rest on root directory, namespaces and the list
 * of system calls. */
int landlock_restrict(
    const struct lock_path *paths, size_t count, uint32_t *abi_out);

#endif
