/*
 * seccomp_print: the list of system calls that a container of one zone has, as
 * the JSON that podman, docker and Kubernetes read, on standard output. From
 * the same tables as the program's own list, which comes on top of it and is
 * shorter. Runs when the tree is built; is not installed.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"
#include "common/err.h"
#include "planner/profile.h"
#include "reader/profile.h"

#define TEXT_BYTES 65536
#define NAMES_MAX 512
#define NAMESPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const char usage[] =
    "usage: seccomp_print planner|reader [unix]\n"
    "unix: one that connects a socket by its path, which then it may.\n";

/* What of a call's arguments the container sees to; the rest is up to the
 * program's own list. */
enum condition {
	ALWAYS,
	FORK,	 /* no namespaces */
	NETLINK, /* only that family of sockets */
	UNIX	 /* that family too */
};

static const struct {
	const char *name;
	enum condition condition;
} start[] = {
#define START(name, condition, why) {#name, condition},
#include "tools/start.def"
#undef START
};

/* In order of how much is admitted. */
enum verdict { KILL, REFUSE, ABSENT, ALLOW_SOME, ALLOW };

struct name {
	const char *name;
	enum verdict verdict;
	enum condition condition;
};

struct names {
	struct name all[NAMES_MAX];
	size_t count;
};

/* Of two rows the one that admits more holds: what is refused in service may
 * be needed at the start. */
static void
add(struct names *names, const char *name, enum verdict verdict,
    enum condition condition)
{
	struct name *at = names->all;

	while (at < names->all + names->count && strcmp(at->name, name) != 0)
		at++;
	if (at == names->all + NAMES_MAX)
		bug("more system calls than there are");
	if (at == names->all + names->count)
		names->count++;
	else if (at->verdict >= verdict)
		return;
	*at = (struct name){name, verdict, condition};
}

static void
add_row(struct names *names, const struct call_row *row)
{
	static const enum verdict verdicts[] = {
	    [CALL_ALLOW] = ALLOW,
	    [CALL_REFUSE] = REFUSE,
	    [CALL_ABSENT] = ABSENT,
	    [CALL_KILL] = KILL,
	};
	bool forks = row->match == CALL_FORK;

	add(names, row->name, forks ? ALLOW_SOME : verdicts[row->action],
	    forks ? FORK : ALWAYS);
}

static void
add_profile(struct names *names, const struct lock_profile *profile)
{
	for (size_t i = 0; i < profile->call_count; i++)
		if ((profile->calls[i].roles & profile->bit) != 0)
			add_row(names, &profile->calls[i]);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct name *)a)->name, ((const struct name *)b)->name);
}

static void
print_condition(enum condition condition, struct buf *out)
{
	if (condition == FORK)
		buf_add_format(out,
		    ",\"args\":[{\"index\":0,\"value\":%u,"
		    "\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]",
		    (unsigned)NAMESPACES);
	else if (condition == NETLINK || condition == UNIX)
		buf_add_format(out,
		    ",\"args\":[{\"index\":0,\"value\":%d,"
		    "\"valueTwo\":0,\"op\":\"SCMP_CMP_EQ\"}]",
		    condition == NETLINK ? AF_NETLINK : AF_UNIX);
}

/* Calls that are treated alike are one rule. */
static void
print_rule(const struct names *names, enum verdict verdict,
    enum condition condition, const char *action, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < names->count; i++) {
		if (names->all[i].verdict != verdict ||
		    names->all[i].condition != condition)
			continue;
		buf_add_format(out, "%s\"%s\"",
		    first ? "  {\"names\":[\n    " : ",\n    ",
		    names->all[i].name);
		first = false;
	}
	if (first)
		return;
	buf_add_format(out, "],\n   \"action\":%s", action);
	print_condition(condition, out);
	buf_add_text(out, "},\n");
}

static void
print(const struct names *names, bool connects, struct buf *out)
{
	const struct names by_path = {
	    .all = {{"socket", ALLOW_SOME, UNIX}}, .count = connects};

	buf_add_text(out,
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\n"
	    " \"archMap\":[\n"
	    "  {\"architecture\":\"SCMP_ARCH_X86_64\","
	    "\"subArchitectures\":[]},\n"
	    "  {\"architecture\":\"SCMP_ARCH_AARCH64\","
	    "\"subArchitectures\":[]}],\n"
	    " \"syscalls\":[\n");
	print_rule(names, ALLOW, ALWAYS, "\"SCMP_ACT_ALLOW\"", out);
	print_rule(names, ALLOW_SOME, FORK, "\"SCMP_ACT_ALLOW\"", out);
	print_rule(names, ALLOW_SOME, NETLINK, "\"SCMP_ACT_ALLOW\"", out);
	print_rule(&by_path, ALLOW_SOME, UNIX, "\"SCMP_ACT_ALLOW\"", out);
	print_rule(names, KILL, ALWAYS, "\"SCMP_ACT_KILL_PROCESS\"", out);
	/* ENOSYS: the C library then takes an older call */
	print_rule(
	    names, ABSENT, ALWAYS, "\"SCMP_ACT_ERRNO\",\"errnoRet\":38", out);
	if (out->len >= 2 && !out->overflow)
		out->len -= 2; /* the last comma */
	buf_add_text(out, "\n ]}\n");
}

int
main(int argc, char **argv)
{
	static struct names names;
	struct buf text;
	bool connects = argc == 3 && strcmp(argv[2], "unix") == 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !connects) ||
	    (strcmp(argv[1], "planner") != 0 &&
		strcmp(argv[1], "reader") != 0)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "planner") == 0) {
		add_profile(&names, &planner_profile);
	} else {
		add_profile(&names, &reader_profile);
		add_profile(&names, &worker_profile);
	}
	for (size_t i = 0; i < common_call_count; i++)
		add_row(&names, &common_calls[i]);
	for (size_t i = 0; i < sizeof start / sizeof start[0]; i++)
		add(&names, start[i].name,
		    start[i].condition == ALWAYS ? ALLOW : ALLOW_SOME,
		    start[i].condition);
	if (connects)
		add(&names, "connect", ALLOW, ALWAYS);
	qsort(names.all, names.count, sizeof names.all[0], by_name);
	buf_init(&text, TEXT_BYTES);
	print(&names, connects, &text);
	if (text.overflow)
		die(EXIT_DATA, "the list is too long");
	if (fwrite(text.data, 1, text.len, stdout) != text.len ||
	    fclose(stdout) != 0)
		die_errno("standard output");
	buf_free(&text);
	return EXIT_DONE;
}
