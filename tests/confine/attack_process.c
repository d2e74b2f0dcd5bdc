/*
 * Ways out over processes: programs, other processes, users, rights, limits.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/confine/attack.h"

/* In a child, as it does not come back. */
static bool
executes(long number, long a, long b, long c, long d, long e)
{
	int status = 0;
	long pid;

	/* without fork it is tried here: it fails, or the test ends with 0 */
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid > 0)
		return waitpid((pid_t)pid, &status, 0) == (pid_t)pid &&
		       WIFEXITED(status) && WEXITSTATUS(status) == 0;
	syscall(number, a, b, c, d, e);
	if (pid == 0)
		_exit(1);
	return false;
}

static char *const words[] = {"true", NULL};

static bool
execute(void)
{
	return executes(SYS_execve, (long)"/bin/true", (long)words,
	    (long)(words + 1), 0, 0);
}

static bool
execute_at(void)
{
	return executes(SYS_execveat, -100, (long)"/bin/true", (long)words,
	    (long)(words + 1), 0);
}

static bool
file_in_memory(void)
{
	return syscall(SYS_memfd_create, "x", 0) >= 0;
}

static bool
began(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, __WALL);
	return pid > 0;
}

static bool
begin_process(void)
{
	return began(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static bool
begin_in_user_namespace(void)
{
	return began(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static bool
begin_in_pid_namespace(void)
{
	return began(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
}

static bool
begin_by_clone3(void)
{
	uint64_t how[11] = {0};

	how[4] = SIGCHLD;
	return began(syscall(SYS_clone3, how, sizeof how));
}

static bool
new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool
new_net_namespace(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static bool
new_mount_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0;
}

static bool
old_namespace(void)
{
	return setns(outside.old_namespace, CLONE_NEWNET) == 0;
}

static bool
trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool
trace_victim(void)
{
	return ptrace(PTRACE_SEIZE, outside.victim, NULL, NULL) == 0;
}

static bool
moves_memory(long number)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {&outside, 1};

	return syscall(number, outside.victim, &here, 1, &there, 1, 0) == 1;
}

static bool
read_memory(void)
{
	return moves_memory(SYS_process_vm_readv);
}

static bool
write_memory(void)
{
	return moves_memory(SYS_process_vm_writev);
}

static bool
hold_victim(void)
{
	return syscall(SYS_pidfd_open, outside.victim, 0) >= 0;
}

static bool
take_descriptor(void)
{
	long fd = syscall(SYS_pidfd_open, outside.victim, 0);

	return syscall(SYS_pidfd_getfd, fd, 2, 0) >= 0;
}

static bool
signal_victim(void)
{
	return kill(outside.victim, SIGCONT) == 0;
}

static bool
signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool
signal_thread(void)
{
	return syscall(SYS_tgkill, outside.victim, outside.victim, SIGCONT) ==
	       0;
}

static bool
signal_queued(void)
{
	siginfo_t info = {.si_code = SI_QUEUE};

	return syscall(SYS_rt_sigqueueinfo, outside.victim, SIGCONT, &info) ==
	       0;
}

static bool
signal_all(void)
{
	return kill(-1, 0) == 0;
}

static bool
compare_processes(void)
{
	return syscall(SYS_kcmp, getpid(), outside.victim, 0, 2, 2) >= 0;
}

static bool
limits_of_victim(void)
{
	struct rlimit limit = {64, 64};

	return syscall(SYS_prlimit64, outside.victim, RLIMIT_NOFILE, &limit,
		   NULL) == 0;
}

/*
 * Users and rights.
 */
static bool
become_root(void)
{
	return syscall(SYS_setuid, 0) == 0;
}

static bool
become_root_again(void)
{
	return syscall(SYS_setresuid, 0, 0, 0) == 0;
}

static bool
join_root(void)
{
	return syscall(SYS_setgid, 0) == 0;
}

static bool
join_groups(void)
{
	gid_t group = 0;

	return syscall(SYS_setgroups, 1, &group) == 0;
}

static bool
files_of_root(void)
{
	errno = EPERM;
	(void)setfsuid(0);
	return setfsuid(0) == 0; /* says what it was before */
}

static bool
gain_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct all[2] = {
	    {1u << CAP_SETUID, 1u << CAP_SETUID, 0}, {0, 0, 0}};

	return syscall(SYS_capset, &head, all) == 0;
}

static bool
be_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool
keep_capabilities(void)
{
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0;
}

static bool
be_traced_by_all(void)
{
	return prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) == 0;
}

static bool
list_of_its_own(void)
{
	/* a list that asks another process: SECCOMP_FILTER_FLAG_NEW_LISTENER;
	 * the control gets EFAULT, which is past the door */
	return syscall(SYS_seccomp, 1, 8, NULL) >= 0 || errno == EFAULT;
}

static bool
raise_limit(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_CORE, &limit) == 0;
}

static bool
be_real_time(void)
{
	struct sched_param most = {.sched_priority = 1};

	return sched_setscheduler(0, SCHED_FIFO, &most) == 0;
}

static bool
be_first(void)
{
	return setpriority(PRIO_PROCESS, 0, -20) == 0;
}

/*
 * Taking all there is.
 */
static bool
many_descriptors(void)
{
	for (int i = 0; i < 5000; i++)
		if (dup(STDERR_FILENO) < 0)
			return false;
	return true;
}

static bool
much_memory(void)
{
	for (int i = 0; i < 8; i++)
		if (mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			0) == MAP_FAILED)
			return false;
	return true;
}

/* Until a limit: many more than any role has. */
static bool
many_processes(void)
{
	static pid_t pids[600];
	int count = 0, all;

	while (count < 600) {
		pids[count] = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (pids[count] == 0) {
			(void)poll(NULL, 0, 10000);
			_exit(0);
		}
		if (pids[count] < 0)
			break;
		count++;
	}
	all = count;
	while (count-- > 0) {
		kill(pids[count], SIGKILL);
		(void)waitpid(pids[count], NULL, 0);
	}
	return all == 600;
}

static bool
share_memory(void)
{
	return syscall(SYS_shmget, 0, 4096, 0600) >= 0;
}

static bool
share_messages(void)
{
	return syscall(SYS_msgget, 0, 0600) >= 0;
}

const struct attack process_attacks[] = {
    {"execute", execute, PARENT, false},
    {"execute-at", execute_at, NOBODY, false},
    {"memfd", file_in_memory, NOBODY, true},
    {"begin-process", begin_process, PARENT | READER | FILTER, false},
    {"begin-in-user-namespace", begin_in_user_namespace, NOBODY, false},
    {"begin-in-pid-namespace", begin_in_pid_namespace, NOBODY, false},
    {"clone3", begin_by_clone3, NOBODY, false},
    {"new-user-namespace", new_user_namespace, PARENT, false},
    {"new-net-namespace", new_net_namespace, PARENT, false},
    {"new-mount-namespace", new_mount_namespace, PARENT, false},
    {"old-namespace", old_namespace, NOBODY, false},
    {"trace-me", trace_me, NOBODY, true},
    {"trace-victim", trace_victim, NOBODY, true},
    {"read-memory", read_memory, NOBODY, true},
    {"write-memory", write_memory, NOBODY, true},
    {"pidfd-open", hold_victim, NOBODY, false},
    {"pidfd-getfd", take_descriptor, NOBODY, true},
    {"signal-victim", signal_victim, PARENT, false},
    {"signal-parent", signal_parent, PARENT | FILTER, false},
    {"signal-thread", signal_thread, NOBODY, false},
    {"signal-queued", signal_queued, NOBODY, false},
    {"signal-all", signal_all, PARENT | READER | FILTER, false},
    {"compare", compare_processes, NOBODY, false},
    {"limits-of-victim", limits_of_victim, NOBODY, false},
    {"become-root", become_root, PARENT, false},
    {"become-root-again", become_root_again, PARENT, false},
    {"join-root", join_root, PARENT, false},
    {"join-groups", join_groups, PARENT, false},
    {"files-of-root", files_of_root, PARENT, false},
    {"gain-capabilities", gain_capabilities, PARENT, false},
    {"be-dumpable", be_dumpable, PARENT, false},
    {"keep-capabilities", keep_capabilities, PARENT, false},
    {"be-traced-by-all", be_traced_by_all, PARENT, false},
    {"own-list", list_of_its_own, PARENT | READER | FILTER, false},
    {"raise-limit", raise_limit, NOBODY, false},
    {"real-time", be_real_time, NOBODY, false},
    {"priority", be_first, NOBODY, false},
    {"many-descriptors", many_descriptors, NOBODY, false},
    {"much-memory", much_memory, PARENT, false},
    {"fork-bomb", many_processes, PARENT | FILTER, false},
    {"shared-memory", share_memory, NOBODY, false},
    {"message-queue", share_messages, NOBODY, false},
};
const size_t process_attack_count =
    sizeof process_attacks / sizeof process_attacks[0];
