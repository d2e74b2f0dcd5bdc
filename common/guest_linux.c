/*
 * The first process of a microVM, as root of a kernel that nobody else has.
 * Believes its image and its arguments. The port is never read here: what
 * comes from it is the child's, which locks itself in as any zone does.
 */
#include "common/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/serial.h"

#define MODULES "/modules" /* of the image: in the order of their names */
#define MODULES_MAX 32	   /* a kernel wants seven */
#define PORT_MS 60000	   /* a busy host emulates slowly */
#define LOOK_MS 2	   /* between two looks for the port */
#define END_MS 2000	   /* for the zone, once nobody listens */
#define WAKE_MS 1000	   /* of the zone alone, before other processors */
#define PROCESSORS_MAX 64
#define PATH_BYTES 280
#define STEP "/root" /* where something is for a moment */

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct mounted {
	const char *place, *type, *options;
	unsigned long flags;
};
static const struct mounted devices = {
    "/dev", "devtmpfs", NULL, MS_NOSUID | MS_NOEXEC};
static const struct mounted processes = {"/proc", "proc", NULL, SAFE};
static const struct mounted groups = {"/sys/fs/cgroup", "cgroup2", NULL, SAFE};
static const struct mounted kernel = {STEP, "sysfs", NULL, SAFE};
static const struct mounted scratch = {
    "/tmp", "tmpfs", "mode=1777,size=1m,nr_inodes=256", SAFE};

/*
 * The end.
 */
static _Noreturn void
switch_off(void)
{
	(void)kill(-1, SIGKILL);
	sync();
	(void)reboot(RB_POWER_OFF);
	/* a machine that cannot: it is started so that this ends it too */
	(void)reboot(RB_AUTOBOOT);
	_exit(EXIT_SYSTEM); /* the kernel panics, with the same end */
}

static _Noreturn void
fail(const char *what, const char *why)
{
	log_event(LOG_ERROR, "guest", "what=%s reason=%s", what, why);
	switch_off();
}

static _Noreturn void
fail_errno(const char *what)
{
	fail(what, strerror(errno));
}

/*
 * Files.
 */
static void
mount_one(const struct mounted *m)
{
	if (mount("none", m->place, m->type, m->flags, m->options) != 0)
		fail_errno(m->place);
}

/* The first root of a machine can neither be left by pivot_root(2), which the
 * zone's own root directory needs, nor be read-only. A second mount of it can.
 */
static void
turn_root(void)
{
	if (mount("/", STEP, NULL, MS_BIND, NULL) != 0 ||
	    mount(NULL, STEP, NULL,
		MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		NULL) != 0 ||
	    chdir(STEP) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 ||
	    chroot(".") != 0 || chdir("/") != 0)
		fail_errno("a read-only root");
}

bool
guest_is_asked(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "guest") == 0;
}

/* The first process of a container, too, has the number 1; there somebody has
 * mounted what is ours to mount. */
static bool
is_first(void)
{
	return getpid() == 1 && access("/proc/1", F_OK) != 0;
}

void
guest_begin(void)
{
	if (!is_first())
		die(EXIT_NOT_PERMITTED,
		    "guest: only as the first process of a machine");
	log_role("guest");
	turn_root();
	mount_one(&devices);
	mount_one(&processes);
	if (symlink("/proc/self/fd", "/dev/fd") != 0)
		fail_errno("/dev/fd");
}

/*
 * Modules.
 */
static void
insert_module(const char *name)
{
	char path[PATH_BYTES];
	int fd;

	(void)snprintf(path, sizeof path, MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
		fail_errno(path);
	(void)close(fd);
}

static int
is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
insert_modules(void)
{
	struct dirent **entries;
	int count = scandir(MODULES, &entries, is_module, alphasort);

	if (count < 0)
		fail_errno(MODULES);
	if (count > MODULES_MAX)
		fail(MODULES, "too many");
	for (int i = 0; i < count; i++)
		insert_module(entries[i]->d_name);
	/* the entries stay: a few names */
}

/*
 * Network: there is none but this.
 */
static void
raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail_errno("loopback");
	lo.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0 ||
	    ioctl(fd, SIOCGIFFLAGS, &lo) != 0)
		fail_errno("loopback");
	if ((lo.ifr_flags & IFF_UP) == 0)
		fail("loopback", "it is not up");
	(void)close(fd);
}

/*
 * Processors. The kernel was started with one (maxcpus=1): where they are
 * emulated a second one is in the way until there is work for it.
 */
static void
wake_processors(void)
{
	char path[PATH_BYTES];

	mount_one(&kernel);
	for (int i = 1; i < PROCESSORS_MAX; i++) {
		int fd;

		(void)snprintf(path, sizeof path,
		    STEP "/devices/system/cpu/cpu%d/online", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			break;
		if (write(fd, "1", 1) != 1)
			log_event(LOG_WARN, "processor", "number=%d reason=%s",
			    i, strerror(errno));
		(void)close(fd);
	}
	if (umount2(STEP, MNT_DETACH) != 0)
		fail_errno(STEP);
}

/*
 * The port.
 */

/* Its path; false if there is none yet. Two are none: which is ours? */
static bool
find_port(char path[PATH_BYTES])
{
	DIR *folder = opendir("/dev");
	const struct dirent *entry;
	int found = 0;

	if (folder == NULL)
		fail_errno("/dev");
	while ((entry = readdir(folder)) != NULL) {
		if (strncmp(entry->d_name, "vport", 5) != 0)
			continue;
		found++;
		(void)snprintf(path, PATH_BYTES, "/dev/%s", entry->d_name);
	}
	(void)closedir(folder);
	if (found > 1)
		fail("port", "this machine has more than one");
	return found == 1;
}

static int
open_port(void)
{
	int64_t deadline = clock_ms() + PORT_MS;
	char path[PATH_BYTES];
	int fd;

	while (!find_port(path)) {
		if (clock_ms() >= deadline)
			fail("port", "there is no virtio-serial port: is "
				     "virtio in the kernel or the image?");
		(void)poll(NULL, 0, LOOK_MS);
	}
	fd = serial_open(path, deadline - clock_ms());
	if (fd < 0)
		fail("port", err_text(fd));
	return fd;
}

/*
 * The zone.
 */
static pid_t
start_zone(int port, int (*run)(int argc, char **argv), int argc, char **argv)
{
	static char *words[GUEST_ARGUMENTS + 4];
	static char command[] = "run", option[] = "--channel", how[] = "stdio";
	pid_t pid;
	int count = 3;

	words[0] = command;
	words[1] = option;
	words[2] = how;
	if (argc - 1 > GUEST_ARGUMENTS)
		fail("arguments", "too many");
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	pid = fork();
	if (pid < 0)
		fail_errno("fork");
	if (pid != 0)
		return pid;
	if (dup2(port, STDIN_FILENO) != STDIN_FILENO ||
	    dup2(port, STDOUT_FILENO) != STDOUT_FILENO)
		die_errno("the port");
	(void)close(port);
	_exit(run(count, words));
}

static void
on_child(int number)
{
	(void)number; /* it ends ppoll(2), and that is all */
}

/* SIGCHLD waits until we do. */
static void
hold_children(sigset_t *waiting_out)
{
	struct sigaction action = {.sa_handler = on_child};
	sigset_t held;

	sigemptyset(&action.sa_mask);
	sigemptyset(&held);
	sigaddset(&held, SIGCHLD);
	if (sigaction(SIGCHLD, &action, NULL) != 0 ||
	    sigprocmask(SIG_BLOCK, &held, waiting_out) != 0)
		fail_errno("SIGCHLD");
}

/* Everybody's child is ours in the end. Whether the zone is among them. */
static bool
reap(pid_t zone)
{
	int status = 0;
	pid_t pid;
	bool ended = false;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != zone)
			continue;
		ended = true;
		if (status != 0)
			log_event(LOG_ERROR, "zone-ended",
			    "status=%d signal=%d",
			    WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	return ended;
}

/* Wait for a child, for the port's other end to go (`end`), or for `ms`. False
 * if nothing was to be seen. */
static bool
wait_ms(struct pollfd *end, int64_t ms, const sigset_t *waiting)
{
	struct timespec left = {.tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000 * 1000000)};
	int rc = ppoll(end, 1, ms < 0 ? NULL : &left, waiting);

	if (rc > 0)
		end->fd = -1; /* it would say so again and again */
	return rc != 0;
}

/* Until the zone has ended; a short while longer once nobody is at the other
 * end of the port. */
static void
watch(pid_t zone, int port, const sigset_t *waiting)
{
	enum { STARTING, SERVING, LEFT } phase = STARTING;
	struct pollfd end = {.fd = port};
	int64_t deadline = clock_ms() + WAKE_MS;

	while (!reap(zone)) {
		int64_t left = deadline - clock_ms();

		if (phase == SERVING)
			left = -1;
		else if (left < 0)
			left = 0;
		if (wait_ms(&end, left, waiting)) {
			if (phase != LEFT && end.fd < 0) {
				phase = LEFT;
				deadline = clock_ms() + END_MS;
			}
		} else if (phase == STARTING) {
			wake_processors();
			phase = SERVING;
		} else {
			log_event(LOG_ERROR, "zone-stays",
			    "reason=nobody is at the port");
			return;
		}
	}
}

_Noreturn void
guest_run(int (*run)(int argc, char **argv), int argc, char **argv)
{
	sigset_t waiting;
	pid_t zone;
	int port;

	insert_modules();
	mount_one(&scratch);
	mount_one(&groups);
	raise_loopback();
	port = open_port();
	zone = start_zone(port, run, argc, argv);
	hold_children(&waiting);
	watch(zone, port, &waiting);
	switch_off();
}
