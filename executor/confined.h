/*
 * The account of a confined program, and who else on this machine could speak
 * for it. Runs as root in the operator's commands; looks, and changes nothing.
 */
#ifndef TRIZONE_EXECUTOR_CONFINED_H
#define TRIZONE_EXECUTOR_CONFINED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONFINED_HOME_BYTES 128
#define CONFINED_GROUPS 64 /* more than an account of a service has */

struct confined {
	char name[64]; /* as the system has it: "_moltbot" on macOS */
	char home[CONFINED_HOME_BYTES];
	uid_t uid;
	gid_t gid, groups[CONFINED_GROUPS];
	size_t group_count;
};

/* What is wrong with it, or worth knowing: a fault makes the rules worth less
 * whatever the program is started by; a note is about what the unit of
 * docs/firewall.md closes, and other ways to start it do not. */
enum confined_level { CONFINED_FAULT, CONFINED_NOTE };
struct confined_report {
	void (*found)(
	    void *context, enum confined_level level, const char *text);
	void *context;
};
void confined_say(const struct confined_report *report,
    enum confined_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "moltbot" as this system names accounts of services; and their home. */
void confined_system_name(const char *name, char *out, size_t room);
void confined_home(const char *name, char *out, size_t room);

/* Fill from the system; name is one of confined_system_name's. -ERR_NOT_FOUND,
 * or -ERR_CONFIG with the reason: root's, a person's, nobody's. */
int confined_find(
    const char *name, struct confined *out, char *reason, size_t room);

/* Whether it is one as `firewall account` makes: without a password, a shell,
 * and groups with rights, its home its own. */
void confined_check(
    const struct confined *account, const struct confined_report *report);

/* Whether its password is locked: 0, or -ERR_WRONG_STATE, or -ERR_UNAVAILABLE
 * if that cannot be told. confined_linux.c, confined_macos.c. */
int confined_locked(const char *name);

/* Programs of others that would speak for it. confined_linux.c and so on. */
void confined_helpers(
    const struct confined *account, const struct confined_report *report);

/* Whether it may write there, by mode, owner, and groups of the path and of
 * the folders above it. Access control lists are not asked. */
bool confined_may_write(const struct confined *account, const char *path);

#endif
