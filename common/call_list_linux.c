/*
 * Lists of system calls by libseccomp, made into a program once and installed
 * by seccomp(2), so that what was hashed is what was installed. Runs in every
 * role at its start.
 */
#include "common/call_list.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/sha256.h"

#define PROGRAM_BYTES (sizeof(struct sock_filter) * BPF_MAXINSNS)
#define API_KILLS_PROCESS 3 /* of libseccomp: Linux 4.14 */
#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static uint32_t
action_of(enum call_action action)
{
	switch (action) {
	case CALL_ALLOW:
		return SCMP_ACT_ALLOW;
	case CALL_REFUSE:
		return SCMP_ACT_ERRNO(EPERM);
	case CALL_ABSENT:
		return SCMP_ACT_ERRNO(ENOSYS);
	case CALL_KILL:
		break;
	}
	return SCMP_ACT_KILL_PROCESS;
}

static void
add(scmp_filter_ctx list, uint32_t action, int number, unsigned count,
    const struct scmp_arg_cmp *arguments)
{
	int rc = seccomp_rule_add_array(list, action, number, count, arguments);

	if (rc != 0)
		die(EXIT_SYSTEM, "system call %d cannot be listed: %s", number,
		    strerror(-rc));
}

/* Allowed where the argument has one of the values; else it traps. */
static void
add_values(scmp_filter_ctx list, int number, unsigned argument,
    const unsigned *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct scmp_arg_cmp is =
		    SCMP_CMP(argument, SCMP_CMP_EQ, values[i], 0);

		add(list, SCMP_ACT_ALLOW, number, 1, &is);
	}
}

/* Allowed where those bits are 0, else EPERM. */
static void
add_without(
    scmp_filter_ctx list, int number, unsigned argument, const int *bits)
{
	const struct scmp_arg_cmp none =
	    SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t)*bits, 0);

	add(list, SCMP_ACT_ALLOW, number, 1, &none);
	for (unsigned bit = 0; bit < 31; bit++) {
		const scmp_datum_t mask = (scmp_datum_t)1 << bit;
		const struct scmp_arg_cmp some =
		    SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, mask);

		if (((scmp_datum_t)*bits & mask) != 0)
			add(list, SCMP_ACT_ERRNO(EPERM), number, 1, &some);
	}
}

static void
add_fcntl(scmp_filter_ctx list, int number)
{
	static const unsigned commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
	    F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_SETLK,
	    F_OFD_GETLK};

	add_values(
	    list, number, 1, commands, sizeof commands / sizeof commands[0]);
}

static void
add_fionread(scmp_filter_ctx list, int number)
{
	const struct scmp_arg_cmp is = SCMP_CMP(1, SCMP_CMP_EQ, FIONREAD, 0);
	const struct scmp_arg_cmp other = SCMP_CMP(1, SCMP_CMP_NE, FIONREAD, 0);

	add(list, SCMP_ACT_ALLOW, number, 1, &is);
	add(list, SCMP_ACT_ERRNO(EPERM), number, 1, &other);
}

/* fstat(2). With that flag the path may be empty and need not be: it hides
 * names from who makes no mistake, not from who attacks; so only a role that
 * needs fstat has it, and the rest is up to its root directory. */
static void
add_open_one(scmp_filter_ctx list, int number)
{
	unsigned flags = number == SCMP_SYS(statx) ? 2 : 3;
	const struct scmp_arg_cmp is =
	    SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp not =
	    SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0);

	add(list, SCMP_ACT_ALLOW, number, 1, &is);
	add(list, SCMP_ACT_ERRNO(EPERM), number, 1, &not );
}

static void
add_prctl(scmp_filter_ctx list, int number)
{
	static const unsigned questions[] = {
	    PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP};

	add_values(
	    list, number, 0, questions, sizeof questions / sizeof questions[0]);
}

/* A file that runs as its owner is a way for others to become us. */
static void
add_mode(scmp_filter_ctx list, int number)
{
	static const int above = S_ISUID | S_ISGID | S_ISVTX;
	unsigned argument = 1;

	if (number == SCMP_SYS(open))
		argument = 2;
	else if (number == SCMP_SYS(openat))
		argument = 3;
	add_without(list, number, argument, &above);
}

/* UDP: the low bits of a socket's type, above which are its flags, and the
 * protocol, as a number or as none. */
static void
add_datagrams(scmp_filter_ctx list, int number)
{
	static const unsigned kinds[][2] = {{AF_INET, 0},
	    {AF_INET, IPPROTO_UDP}, {AF_INET6, 0}, {AF_INET6, IPPROTO_UDP}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const struct scmp_arg_cmp is[] = {
		    SCMP_CMP(0, SCMP_CMP_EQ, kinds[i][0], 0),
		    SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM),
		    SCMP_CMP(2, SCMP_CMP_EQ, kinds[i][1], 0),
		};

		add(list, SCMP_ACT_ALLOW, number, 3, is);
	}
}

static void
add_match(scmp_filter_ctx list, const struct call_row *row, int number)
{
	static const int executable = PROT_EXEC, namespaces = NAMESPACES;
	static const unsigned local = AF_UNIX, peer = SO_PEERCRED;
	const struct scmp_arg_cmp self = SCMP_CMP(0, SCMP_CMP_EQ, 0, 0);
	const struct scmp_arg_cmp no_address = SCMP_CMP(4, SCMP_CMP_EQ, 0, 0);

	switch (row->match) {
	case CALL_ALWAYS:
		add(list, action_of(row->action), number, 0, NULL);
		break;
	case CALL_NO_EXEC:
		add_without(list, number, 2, &executable);
		break;
	case CALL_FORK:
		add_without(list, number, 0, &namespaces);
		break;
	case CALL_FIONREAD:
		add_fionread(list, number);
		break;
	case CALL_FCNTL:
		add_fcntl(list, number);
		break;
	case CALL_UNIX:
		add_values(list, number, 0, &local, 1);
		break;
	case CALL_PRCTL_READ:
		add_prctl(list, number);
		break;
	case CALL_SELF:
		add(list, SCMP_ACT_ALLOW, number, 1, &self);
		break;
	case CALL_OPEN_ONE:
		add_open_one(list, number);
		break;
	case CALL_MODE:
		add_mode(list, number);
		break;
	case CALL_PEER:
		add_values(list, number, 2, &peer, 1);
		break;
	case CALL_DATAGRAM_NULL:
		add(list, SCMP_ACT_ALLOW, number, 1, &no_address);
		break;
	case CALL_UNIX_DATAGRAM:
		add_values(list, number, 0, &local, 1);
		add_datagrams(list, number);
		break;
	case CALL_DATAGRAM:
		add_datagrams(list, number);
		break;
	}
}

/* One source of rows. */
struct source {
	const struct call_row *rows;
	size_t count;
	uint32_t roles;
};

/* How much a row admits. */
static int
width(const struct call_row *row)
{
	if (row->action != CALL_ALLOW)
		return row->action == CALL_KILL ? 0 : 1;
	return row->match == CALL_ALWAYS ? 3 : 2;
}

static bool
is_of(const struct source *s, size_t i, const char *name)
{
	return (s->rows[i].roles & s->roles) != 0 &&
	       strcmp(s->rows[i].name, name) == 0;
}

/* Whether another row holds instead: any of a source before, or in the same
 * one that admits more; of equal ones the first. */
static bool
is_beaten(const struct source *sources, size_t which, size_t row)
{
	const struct source *own = &sources[which];
	const char *name = own->rows[row].name;
	int wide = width(&own->rows[row]);

	for (size_t s = 0; s < which; s++)
		for (size_t i = 0; i < sources[s].count; i++)
			if (is_of(&sources[s], i, name))
				return true;
	for (size_t i = 0; i < own->count; i++) {
		int other = width(&own->rows[i]);

		if (i != row && is_of(own, i, name) &&
		    (other > wide || (other == wide && i < row)))
			return true;
	}
	return false;
}

static uint32_t
add_source(scmp_filter_ctx list, const struct source *sources, size_t which)
{
	const struct source *s = &sources[which];
	uint32_t added = 0;

	for (size_t i = 0; i < s->count; i++) {
		int number = seccomp_syscall_resolve_name(s->rows[i].name);

		if ((s->rows[i].roles & s->roles) == 0 || number < 0 ||
		    is_beaten(sources, which, i))
			continue;
		add_match(list, &s->rows[i], number);
		added++;
	}
	return added;
}

static const struct sock_filter *
last_of(const struct call_list *list)
{
	return (const struct sock_filter *)list->program + list->length - 1;
}

static void
export_program(scmp_filter_ctx list, struct call_list *out)
{
	int ends[2];
	ssize_t got;

	out->program = alloc_bytes(PROGRAM_BYTES);
	/* some kilobytes, which a pipe takes without a reader */
	if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
		die_errno("pipe");
	if (seccomp_export_bpf(list, ends[1]) != 0)
		die(EXIT_SYSTEM, "the list of system calls is too long");
	close(ends[1]);
	got = read(ends[0], out->program, PROGRAM_BYTES);
	close(ends[0]);
	out->length = got < 0 ? 0 : (size_t)got / sizeof(struct sock_filter);
	/* a program that was cut does not end in an answer */
	if (out->length == 0 || (size_t)got % sizeof(struct sock_filter) != 0 ||
	    last_of(out)->code != (BPF_RET | BPF_K))
		die(EXIT_SYSTEM, "the list of system calls cannot be made");
	sha256_of(out->program, (size_t)got, out->hash);
}

static scmp_filter_ctx
new_list(uint32_t default_action)
{
	scmp_filter_ctx list;

	/* gVisor cannot be asked which actions it has, so the library takes it
	 * for an old kernel; it does end a process that is to end */
	if (seccomp_api_get() < API_KILLS_PROCESS)
		(void)seccomp_api_set(API_KILLS_PROCESS);
	list = seccomp_init(default_action);
	/* optimised: a tree instead of a row of comparisons */
	if (list == NULL ||
	    seccomp_attr_set(list, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 ||
	    seccomp_attr_set(
		list, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		die(EXIT_SYSTEM,
		    "no list of system calls can be begun: seccomp(2) is "
		    "refused, by the kernel or by who started us");
	return list;
}

/* Between the list and the last one on top of it. */
static const struct call_row probe_calls[] = {
    {"clone", 1, CALL_FORK, CALL_ALLOW, "a child tries the ways out"},
    {"fork", 1, CALL_ALWAYS, CALL_ALLOW, "the same, older C libraries"},
    {"wait4", 1, CALL_ALWAYS, CALL_ALLOW, "its end"},
    {"waitid", 1, CALL_ALWAYS, CALL_ALLOW, "the same"},
    {"set_robust_list", 1, CALL_ALWAYS, CALL_ALLOW, "fork(3)"},
    {"rseq", 1, CALL_ALWAYS, CALL_ALLOW, "the same"},
    {"set_tid_address", 1, CALL_ALWAYS, CALL_ALLOW, "fork(3) of musl"},
    {"seccomp", 1, CALL_ALWAYS, CALL_ALLOW, "the last list"},
};

int
call_list_make(
    const struct lock_profile *profile, bool probed, struct call_list *out)
{
	const struct lock_table *table = lock_table();
	const struct source sources[] = {
	    {table->more, table->more_count, profile->bit},
	    {profile->calls, profile->call_count, profile->bit},
	    {probe_calls, sizeof probe_calls / sizeof probe_calls[0], probed},
	    {common_calls, common_call_count, UINT32_MAX},
	};
	scmp_filter_ctx list = new_list(SCMP_ACT_TRAP);

	*out = (struct call_list){0};
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		out->calls += add_source(list, sources, i);
	export_program(list, out);
	seccomp_release(list);
	return 0;
}

int
call_list_last(struct call_list *out)
{
	static const char *const names[] = {"clone", "clone3", "fork", "vfork",
	    "wait4", "waitid", "seccomp", "execve", "execveat"};
	scmp_filter_ctx list = new_list(SCMP_ACT_ALLOW);

	*out = (struct call_list){0};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number >= 0)
			add(list, SCMP_ACT_TRAP, number, 0, NULL);
	}
	export_program(list, out);
	seccomp_release(list);
	return 0;
}

void
call_list_done(struct call_list *filter)
{
	free(filter->program);
	*filter = (struct call_list){0};
}

int
call_list_install(const struct call_list *filter)
{
	struct sock_fprog program = {
	    .len = (unsigned short)filter->length,
	    .filter = filter->program,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0
		   ? 0
		   : -ERR_SYSTEM;
}

/* Process-wide by nature: one handler of SIGSYS. */
static volatile sig_atomic_t is_probing, is_trapped;

void
call_list_probing(bool probing)
{
	is_probing = probing;
}

bool
call_list_trapped(void)
{
	bool trapped = is_trapped != 0;

	is_trapped = 0;
	return trapped;
}

/* Only async-signal-safe calls, each in the common list. */
static void
on_trap(int number, siginfo_t *info, void *context)
{
	char line[] = "ev=call-refused call=0000000000\n";
	char *digit = line + sizeof line - 2;
	unsigned call = (unsigned)info->si_syscall;

	(void)number;
	(void)context;
	is_trapped = 1;
	if (is_probing)
		return;
	do {
		*--digit = (char)('0' + call % 10);
		call /= 10;
	} while (call != 0);
	if (write(STDERR_FILENO, line, sizeof line - 1) < 0) {
		/* nobody reads our log; the end comes all the same */
	}
	_exit(EXIT_BUG);
}

void
call_list_catch(void)
{
	struct sigaction action = {
	    .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) != 0)
		die_errno("sigaction");
}
