/*
 * One process, locked in as a role is, or not at all, that tries ways out.
 *
 *	inside ROLE FOLDER [--user NUMBER] [ATTACK]
 *	inside guest [--zone NAME]	the same in a microVM; inside_guest.c
 *
 * ROLE is a profile of the programs, or "none": then all should get through,
 * which shows that the tries are real. FOLDER is made by ways_out.py and holds
 * what lies outside. Without ATTACK all are tried but those that end the
 * process. A line for each: "NAME refused: REASON", "NAME trapped", or
 * "NAME THROUGH".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/account.h"
#include "common/call_list.h"
#include "common/err.h"
#include "common/guest.h"
#include "common/lock.h"
#include "common/start.h"
#include "executor/profile.h"
#include "planner/profile.h"
#include "reader/profile.h"
#include "tests/confine/attack.h"
#include "tests/confine/inside.h"

#define FIRST_OUTSIDE 20 /* descriptors of ours, above those of a role */

struct outside outside;

static const struct {
	const char *name;
	const struct lock_profile *profile;
	enum insider who;
} zones[] = {
    {"planner", &planner_profile, PLANNER},
    {"reader", &reader_profile, READER},
    {"filter", &filter_profile, FILTER},
    {"worker", &reader_profile, WORKER},
};

static enum insider
find_role(const char *name, const struct lock_profile **profile_out)
{
	static const struct {
		const char *name;
		enum insider who;
	} roles[] = {{"parent", PARENT}, {"broker", BROKER},
	    {"auditor", AUDITOR}, {"file", FILE_COURIER},
	    {"notify", NOTIFY_COURIER}, {"resolver", RESOLVER}};

	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (strcmp(name, zones[i].name) == 0) {
			*profile_out = zones[i].profile;
			return zones[i].who;
		}
	*profile_out = profile_find(span_of(name));
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(name, roles[i].name) == 0)
			return roles[i].who;
	return NOBODY;
}

static int
keep(int fd)
{
	int high = fcntl(fd, F_DUPFD, FIRST_OUTSIDE);

	if (fd < 0 || high < 0)
		die_errno("what lies outside");
	close(fd);
	return high;
}

static uint16_t
listen_on_loopback(int type)
{
	struct sockaddr_in6 any = {
	    .sin6_family = AF_INET6, .sin6_addr = in6addr_any};
	socklen_t bytes = sizeof any;
	int fd = keep(socket(AF_INET6, type, 0)), no = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof any) != 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &bytes) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 100) != 0))
		die_errno("loopback");
	return ntohs(any.sin6_port);
}

static void
listen_unix(const char *name, bool is_abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = keep(socket(AF_UNIX, SOCK_STREAM, 0));

	memcpy(a.sun_path + is_abstract, name, strlen(name));
	if (!is_abstract)
		unlink(name);
	if (bind(fd, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(name) + is_abstract)) != 0 ||
	    listen(fd, 100) != 0 || (!is_abstract && chmod(name, 0777) != 0))
		die_errno("%s", name);
}

/* A process of ours that is there to be attacked, and owns all listeners. */
static void
start_victim(void)
{
	static const char *const names[] = {
	    "docker.sock", "dbus.sock", "agent.sock", "operator.sock"};
	int ready[2], alive[2];
	char path[300], ports[4];

	if (pipe(ready) != 0 || pipe(alive) != 0)
		die_errno("pipe");
	(void)snprintf(outside.abstract, sizeof outside.abstract,
	    "trizone-way-out-%ld", (long)getpid());
	outside.victim = fork();
	if (outside.victim == 0) {
		prctl(PR_SET_DUMPABLE, 1);
		close(alive[1]);
		close(STDOUT_FILENO);
		outside.tcp = listen_on_loopback(SOCK_STREAM);
		outside.udp = listen_on_loopback(SOCK_DGRAM);
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			(void)snprintf(path, sizeof path, "%s/%s",
			    outside.folder, names[i]);
			listen_unix(path, false);
		}
		listen_unix(outside.abstract, true);
		memcpy(ports, &outside.tcp, 2);
		memcpy(ports + 2, &outside.udp, 2);
		if (write(ready[1], ports, 4) != 4)
			_exit(1);
		/* until nobody has the other end any more */
		if (read(alive[0], ports, 1) < 0)
			_exit(1);
		_exit(0);
	}
	(void)keep(alive[1]);
	close(alive[0]);
	if (read(ready[0], ports, 4) != 4)
		die_errno("the victim");
	memcpy(&outside.tcp, ports, 2);
	memcpy(&outside.udp, ports + 2, 2);
	close(ready[0]);
	close(ready[1]);
}

static void
prepare_passed(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec bytes = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct msghdr message = {.msg_iov = &bytes,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof control};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int ends[2], fd = STDERR_FILENO;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		die_errno("socketpair");
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	for (int i = 0; i < 2; i++) /* one for each that takes it */
		if (sendmsg(ends[1], &message, 0) != 1)
			die_errno("sendmsg");
	outside.passed = keep(ends[0]);
	(void)keep(ends[1]);
}

static void
prepare(const char *folder)
{
	char path[300];

	(void)snprintf(
	    outside.folder, sizeof outside.folder, "%s/outside", folder);
	(void)snprintf(outside.own, sizeof outside.own, "%s/own", folder);
	start_victim();
	outside.old_tcp = keep(socket(AF_INET, SOCK_STREAM, 0));
	outside.old_tcp_unbound = keep(socket(AF_INET, SOCK_STREAM, 0));
	outside.old_unix_too = keep(socket(AF_UNIX, SOCK_STREAM, 0));
	outside.old_udp = keep(socket(AF_INET, SOCK_DGRAM, 0));
	outside.old_unix = keep(socket(AF_UNIX, SOCK_STREAM, 0));
	outside.old_folder = keep(open(outside.folder, O_RDONLY | O_DIRECTORY));
	outside.old_namespace = keep(open("/proc/self/ns/net", O_RDONLY));
	(void)snprintf(path, sizeof path, "%s/file", outside.own);
	outside.old_file = keep(open(path, O_RDWR));
	prepare_passed();
}

/*
 * Trying.
 */
static void
say(const struct attack *attack, enum insider who)
{
	bool through;

	call_list_trapped(); /* forget an earlier one */
	errno = 0;
	through = attack->try();
	if (call_list_trapped())
		dprintf(STDOUT_FILENO, "%s trapped\n", attack->name);
	else if (!through)
		dprintf(STDOUT_FILENO, "%s refused: %s\n", attack->name,
		    strerror(errno));
	else
		dprintf(STDOUT_FILENO, "%s %s\n", attack->name,
		    (attack->may & who) != 0 ? "MAY" : "THROUGH");
}

/* Outside each in a process of its own, as some would take from the next what
 * it needs. */
static void
say_apart(const struct attack *attack)
{
	pid_t pid = fork();

	if (pid == 0) {
		say(attack, NOBODY);
		_exit(0);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static const struct {
	const struct attack *rows;
	const size_t *count;
} lists[] = {{net_attacks, &net_attack_count},
    {file_attacks, &file_attack_count},
    {process_attacks, &process_attack_count},
    {kernel_attacks, &kernel_attack_count}};

#define LISTS (sizeof lists / sizeof lists[0])

static void
try_one(const struct attack *attack, const char *only, bool is_locked,
    enum insider who)
{
	if (!is_locked)
		say_apart(attack);
	else if (only == NULL ? !attack->kills
			      : strcmp(only, attack->name) == 0)
		say(attack, who);
}

static void
try_all(const char *only, bool is_locked, enum insider who)
{
	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; i < *lists[l].count; i++)
			try_one(&lists[l].rows[i], only, is_locked, who);
}

static void
list_all(void)
{
	for (size_t l = 0; l < LISTS; l++)
		for (size_t i = 0; i < *lists[l].count; i++)
			printf("%s %u %d\n", lists[l].rows[i].name,
			    lists[l].rows[i].may, lists[l].rows[i].kills);
}

/* As reader/worker.c does: less than who forked it, and no way back. */
static void
become_worker(const struct call_list *list)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_FSIZE, &none) != 0 ||
	    setrlimit(RLIMIT_NOFILE, &none) != 0 ||
	    ((lock_table()->off & LAYER_FILTER) == 0 &&
		call_list_install(list) != 0))
		die_errno("worker");
}

int
inside(int argc, char **argv)
{
	const struct lock_profile *profile;
	const char *only = NULL;
	struct call_list list;
	struct lock lock;
	enum insider who;

	who = find_role(argv[1], &profile);
	prepare(argv[2]);
	lock_init(&lock, profile);
	for (int i = 3; i < argc; i++)
		if (strcmp(argv[i], "--user") == 0 && i + 1 < argc)
			lock_account(argv[++i], &lock.account);
		else
			only = argv[i];
	if (call_list_make(&worker_profile, false, &list) != 0)
		die(EXIT_SYSTEM, "no list for a worker");
	if (profile != NULL) {
		if (who != PLANNER && who != READER && who != WORKER)
			lock_add_path(&lock, outside.own, true, false);
		lock_enter(&lock);
		lock_seal(&lock);
	}
	if (who == WORKER)
		become_worker(&list);
	call_list_probing(true);
	try_all(only, profile != NULL, who);
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		list_all();
		return EXIT_DONE;
	}
	if (guest_is_asked(argc, argv))
		guest_begin();
	else if (argc < 3)
		return EXIT_USAGE;
	start_process("inside", STDERR_FILENO + 1);
	if (strcmp(argv[1], "guest") == 0)
		guest_run(inside_guest, argc - 1, argv + 1);
	return inside(argc, argv);
}
