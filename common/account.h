/*
 * Accounts of the system that processes run under.
 */
#ifndef TRIZONE_COMMON_ACCOUNT_H
#define TRIZONE_COMMON_ACCOUNT_H

#include <stddef.h>
#include <sys/types.h>

#define ACCOUNT_NAME_BYTES 64
#define ACCOUNT_NOBODY 65534 /* who has no files; everybody's */

struct account {
	char name[ACCOUNT_NAME_BYTES];
	uid_t uid; /* 0: none */
	gid_t gid;
};

/* "trizone-broker" for "broker"; on macOS "_trizone_broker". */
void account_default_name(const char *role, char *out, size_t room);

/* The account of that name, or of that number: then there may be none of it,
 * and its group has the same number. Refused with the reason: root, and who
 * may be a person: numbers from 1,000 up (macOS: 500), but for 65534, and for
 * 60,000 to 65,533 where there is no account of that number; and the number of
 * somebody's group without an account. 0, -ERR_NOT_FOUND or -ERR_RANGE. */
int account_find(
    const char *name, struct account *out, char *reason, size_t room);

/* Become that user for good, with its group and no other; read back, and root
 * cannot be had again. Without root it has to be who we are already. 0 or
 * -ERR_SYSTEM with the reason. */
int account_become(const struct account *account, char *reason, size_t room);

/* Who owns what is at `path`, for account_as: so root works on it with no more
 * rights than its owner. 0, or a negative error with errno set. */
int account_owner(const char *path, struct account *out);

/* Run `fn` with the rights of the account, which is all zeros or found as
 * root, and come back. What `fn` returns; ends the process if a step does not
 * take. */
int account_as(
    const struct account *account, int (*fn)(void *context), void *context);

#endif
