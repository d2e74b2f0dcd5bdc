/*
 * Ways into the kernel, and what only root of a machine does.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

#include "tests/confine/attack.h"

/* Past the door: the kernel looked at arguments that we gave wrong on purpose,
 * so that nothing happens outside either. */
static bool
reaches(long number, long a, long b, long c, long d)
{
	return syscall(number, a, b, c, d) >= 0 || errno == EFAULT ||
	       errno == EINVAL || errno == EBADF || errno == ENOENT ||
	       errno == ENOKEY || errno == E2BIG;
}

static bool
io_uring(void)
{
	return reaches(SYS_io_uring_setup, 1, 0, 0, 0);
}

static bool
io_uring_enter(void)
{
	return reaches(SYS_io_uring_enter, -1, 0, 0, 0);
}

static bool
bpf(void)
{
	return reaches(SYS_bpf, 0, 0, 8, 0);
}

static bool
perf(void)
{
	return reaches(SYS_perf_event_open, 0, 0, -1, -1);
}

static bool
faults(void)
{
	return reaches(SYS_userfaultfd, 0, 0, 0, 0);
}

static bool
keys(void)
{
	return reaches(SYS_keyctl, 0, -3, 0, 0);
}

static bool
add_key(void)
{
	return reaches(SYS_add_key, 0, 0, 0, 0);
}

static bool
request_key(void)
{
	return reaches(SYS_request_key, 0, 0, 0, 0);
}

static bool
load_module(void)
{
	return reaches(SYS_init_module, 0, 0, 0, 0);
}

static bool
load_module_file(void)
{
	return reaches(SYS_finit_module, -1, (long)"", 0, 0);
}

static bool
other_kernel(void)
{
	return reaches(SYS_kexec_load, 0, 1000, 0, 0);
}

static bool
other_layout(void)
{
	return personality(0xffffffff) != -1;
}

static bool
splice_memory(void)
{
	return reaches(SYS_vmsplice, -1, 0, 0, 0);
}

static bool
host_name(void)
{
	return reaches(SYS_sethostname, 0, 1, 0, 0);
}

static bool
set_time(void)
{
	struct timeval wrong = {.tv_sec = -1, .tv_usec = -1};

	return reaches(SYS_settimeofday, (long)&wrong, 0, 0, 0);
}

static bool
adjust_time(void)
{
	struct timex nothing = {.modes = 0};

	return adjtimex(&nothing) >= 0;
}

static bool
accounting(void)
{
	return reaches(SYS_acct, (long)"/nonexistent", 0, 0, 0);
}

static bool
swap(void)
{
	return reaches(SYS_swapon, (long)"/nonexistent", 0, 0, 0);
}

static bool
quota(void)
{
	return reaches(SYS_quotactl, 0, (long)"/nonexistent", 0, 0);
}

static bool
end_machine(void)
{
	return reaches(SYS_reboot, 0, 0, 0, 0);
}

static bool
kernel_log(void)
{
	return reaches(SYS_syslog, 10, 0, 0, 0);
}

static bool
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED &&
	       mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool
push_into_terminal(void)
{
	/* no terminal here: ENOTTY is past the door */
	return ioctl(STDERR_FILENO, TIOCSTI, "x") == 0 || errno == ENOTTY ||
	       errno == EIO;
}

#if defined(__x86_64__)
static bool
ports(void)
{
	return iopl(3) == 0;
}

static bool
segments(void)
{
	return reaches(SYS_modify_ldt, 0, 0, 0, 0);
}

/* A call of 32 bits: its numbers are others. */
static bool
other_numbers(void)
{
	long pid;

	__asm__ volatile("int $0x80" : "=a"(pid) : "a"(20L) : "memory");
	return pid > 0;
}

/* x32: the same numbers with a bit more. */
static bool
more_numbers(void)
{
	return syscall(0x40000000 + SYS_getpid) > 0 || errno == ENOSYS;
}
#endif

const struct attack kernel_attacks[] = {
    {"io-uring", io_uring, NOBODY, true},
    {"io-uring-enter", io_uring_enter, NOBODY, true},
    {"bpf", bpf, NOBODY, true},
    {"perf", perf, NOBODY, true},
    {"userfaultfd", faults, NOBODY, true},
    {"keyctl", keys, NOBODY, true},
    {"add-key", add_key, NOBODY, true},
    {"request-key", request_key, NOBODY, true},
    {"load-module", load_module, NOBODY, true},
    {"load-module-file", load_module_file, NOBODY, true},
    {"kexec", other_kernel, NOBODY, true},
    {"personality", other_layout, NOBODY, true},
    {"vmsplice", splice_memory, NOBODY, true},
    {"host-name", host_name, NOBODY, false},
    {"set-time", set_time, NOBODY, false},
    {"adjust-time", adjust_time, NOBODY, false},
    {"accounting", accounting, NOBODY, false},
    {"swap", swap, NOBODY, false},
    {"quota", quota, NOBODY, false},
    {"reboot", end_machine, NOBODY, false},
    {"kernel-log", kernel_log, NOBODY, false},
    {"map-code", map_code, PARENT, false},
    {"make-code", make_code, PARENT, false},
    {"terminal", push_into_terminal, NOBODY, false},
#if defined(__x86_64__)
    {"ports", ports, NOBODY, false},
    {"segments", segments, NOBODY, true},
    {"32-bit-call", other_numbers, NOBODY, true},
    {"x32-call", more_numbers, NOBODY, true},
#endif
};
const size_t kernel_attack_count =
    sizeof kernel_attacks / sizeof kernel_attacks[0];
