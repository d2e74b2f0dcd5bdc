/*
 * Which accounts the service has, and making them. One for each role, courier
 * and zone, so that the kernel tells them apart.
 */
#ifndef TRIZONE_EXECUTOR_ACCOUNTS_H
#define TRIZONE_EXECUTOR_ACCOUNTS_H

#include <stddef.h>

enum account_role {
	ACCOUNT_BROKER,
	ACCOUNT_AUDITOR,
	ACCOUNT_FILE,
	ACCOUNT_NOTIFY,
	ACCOUNT_PLANNER,
	ACCOUNT_READER,
	ACCOUNT_RESOLVER, /* these two where the policy has a firewall */
	ACCOUNT_BLOCKED,
	ACCOUNT_ROLES
};

#define ACCOUNT_GROUP_OPERATOR "trizone-ops" /* may use operator.sock */
#define ACCOUNT_GROUP_DELIVER "trizone-deliver"

/* Numbers asked for, of accounts and then of the two groups; in place of one
 * that is taken the tenth after it, and so on. 450 to 499 are those that
 * macOS has for accounts of services. */
#define ACCOUNT_FIRST_NUMBER 450

/* "broker"; couriers by their kinds. */
const char *account_role_name(enum account_role role);

/* The role of that name, or ACCOUNT_ROLES. */
enum account_role account_role_find(const char *name);

/* Make what is missing of accounts and groups: locked, without shell and home.
 * Root only. Says each one it made on standard output; ends the process with
 * the tool's words if one cannot be made. */
void accounts_make(void);

/* The same of those of a service without zones: auditor, resolver, blocked. */
void accounts_make_wall(void);

/* One account for a program of the operator's, in the same way but with a home,
 * which is not made; nothing if it is there. */
void accounts_make_one(const char *name, const char *home);
/* The account, its group, and its home. -ERR_SYSTEM and the tool's words. */
int accounts_remove_one(const char *name, char *reason, size_t room);

#endif
