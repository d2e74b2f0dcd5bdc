/*
 * The two names of macOS's <sys/ptrace.h> that are used here, for compiling
 * without Apple's kit, whose free copy has no such header.
 */
#ifndef TRIZONE_PORTABLE_SYS_PTRACE_H
#define TRIZONE_PORTABLE_SYS_PTRACE_H

#include <sys/types.h>

#define PT_DENY_ATTACH 31

int ptrace(int request, pid_t pid, caddr_t address, int data);

#endif
