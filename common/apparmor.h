/*
 * AppArmor, as an outer wall on Linux, from the same tables: the text of one
 * program's profile. Pure; no shipped program calls it, tools/apparmor_print
 * does when the tree is built.
 *
 * What the profile is for: on systems that let only programs with a profile
 * make user namespaces (Ubuntu from 23.10) the program can lock itself in
 * without root; and a program that was taken over before it locked itself in
 * finds no network but Unix sockets, no other program, and few files.
 */
#ifndef TRIZONE_COMMON_APPARMOR_H
#define TRIZONE_COMMON_APPARMOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/lock.h"

struct apparmor {
	const char *name; /* of program, profile and file */
	const char *path; /* where it is installed */
	/* Whether parsers know `userns` (4.0). A profile for 3.0 works with a
	 * newer one as well: what its version does not know is not denied. */
	bool userns;
	const struct lock_profile *profiles;
	size_t count;
	const char *rules; /* of its own, as they are; or NULL */
};

/* Append the profile. 0, or -ERR_PATH if the path has a character that means
 * something there. */
int apparmor_text(const struct apparmor *program, struct buf *out);

#endif
