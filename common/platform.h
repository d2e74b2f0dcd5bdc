/*
 * What differs between systems, behind plain functions: platform_linux.c and
 * platform_macos.c.
 */
#ifndef TRIZONE_COMMON_PLATFORM_H
#define TRIZONE_COMMON_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

/* Close every descriptor from `first` up. 0 or -ERR_SYSTEM. */
int platform_close_from(int first);

/* Not traceable, no new privileges by exec. 0 or -ERR_SYSTEM. */
int platform_harden(void);

/* A path under which the running program can be executed again, whatever has
 * become of its file; NUL-terminated. 0 or -ERR_SYSTEM. */
int platform_program_path(char *out, size_t room);

/* Whether this process can gain privileges by exec; what its system call
 * filter is ("none", "strict", "filter"); whether it dumps core. */
struct platform_facts {
	bool no_new_privs;
	bool dumpable;
	const char *syscall_filter;
};
void platform_facts(struct platform_facts *out);

#endif
