/*
 * What differs between systems, behind plain functions: platform_linux.c and
 * platform_macos.c.
 */
#ifndef TRIZONE_COMMON_PLATFORM_H
#define TRIZONE_COMMON_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Close every descriptor from `first` up. 0 or -ERR_SYSTEM. */
int platform_close_from(int first);

/* Not traceable, no new privileges by exec. 0 or -ERR_SYSTEM. */
int platform_harden(void);

/* A path under which the running program can be executed again, whatever has
 * become of its file; NUL-terminated. 0 or -ERR_SYSTEM. */
int platform_program_path(char *out, size_t room);

/* What the name of an account of ours begins with; the lowest number of a
 * user that is a person. */
const char *platform_account_prefix(void);
unsigned platform_first_person(void);

/* Where the service's sockets are by default; on macOS a folder that is still
 * there after a start of the system, as launchd opens sockets in it. */
const char *platform_run_folder(void);

/* setgroups(2), whose first parameter differs. */
int platform_set_groups(int count, const gid_t *groups);

/* Whether a limit of the address space can be set. */
bool platform_limits_memory(void);

/* Keep to one of the processors we may use, and with us all that we start.
 * Where there is no such thing nothing happens. 0 or -ERR_SYSTEM. */
int platform_one_processor(void);

/* Where the system gives sessions equal shares of the processor: let ours,
 * which has just begun, have less. */
void platform_session_nice(int nice);

/* Get SIGKILL when the process that forked us ends. Forgotten by a change of
 * user. 0 or -ERR_SYSTEM (macOS has no such thing). */
int platform_die_with_parent(void);

/* Whether this process can gain privileges by exec; whether it can be traced
 * by its user. */
struct platform_facts {
	bool no_new_privs;
	bool dumpable;
};
void platform_facts(struct platform_facts *out);

#endif
