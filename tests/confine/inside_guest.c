/*
 * A microVM whose zone is the test's. It takes requests on its port, a line
 * each, and answers lines up to "== end STATUS SIGNAL"; the first such line
 * says that it is there:
 *
 *	look			interfaces, devices, mounts of the machine
 *	ROLE [ATTACK]		what inside.c does in that role
 *
 * Or, by the zone's name, it does what a taken-over guest would: sends what is
 * no frame, sends without end, sends a byte a second, or does not end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "tests/confine/inside.h"

#define GROUND "/tmp/ground"
#define SYSTEM "/tmp/sys"
#define PORT STDIN_FILENO /* both ways */
#define USER "60100"	  /* of nobody */

/* The port does not block: whole lines all the same. */
static void
say(const char *text, size_t bytes)
{
	struct pollfd port = {.fd = PORT, .events = POLLOUT};

	while (bytes > 0) {
		ssize_t n = write(PORT, text, bytes);

		if (n < 0 && errno == EAGAIN) {
			(void)poll(&port, 1, -1);
			continue;
		}
		if (n <= 0)
			_exit(EXIT_SYSTEM);
		text += n;
		bytes -= (size_t)n;
	}
}

#define TELL(...)                                                              \
	do {                                                                   \
		char line_[512];                                               \
                                                                               \
		(void)snprintf(line_, sizeof line_, __VA_ARGS__);              \
		say(line_, strlen(line_));                                     \
	} while (0)

/*
 * Looking.
 */

/* The first line of a small file. */
static void
read_line(const char *folder, const char *device, const char *name, char *out,
    size_t room)
{
	char path[400];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s/%s", folder, device, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, room - 1);
		close(fd);
	}
	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* Each device of a bus or class, and what its file `what` says. */
static void
look_at(
    const char *word, const char *folder, const char *what, const char *more)
{
	char line[64], rest[64];
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		read_line(folder, entry->d_name, what, line, sizeof line);
		read_line(folder, entry->d_name, more, rest, sizeof rest);
		TELL("%s %s %s %s\n", word, entry->d_name, line, rest);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void
look_at_mounts(void)
{
	FILE *mounts = fopen("/proc/mounts", "re");
	char line[400];

	while (mounts != NULL && fgets(line, sizeof line, mounts) != NULL)
		TELL("mount %s", line);
	if (mounts != NULL)
		(void)fclose(mounts);
}

static void
look(void)
{
	struct if_nameindex *names = if_nameindex();

	TELL("processors %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	for (size_t i = 0; names != NULL && names[i].if_index != 0; i++)
		TELL("interface %s\n", names[i].if_name);
	if_freenameindex(names);
	look_at_mounts();
	(void)mkdir(SYSTEM, 0700);
	if (mount("none", SYSTEM, "sysfs", MS_RDONLY, NULL) != 0)
		die_errno(SYSTEM);
	look_at("pci", SYSTEM "/bus/pci/devices", "vendor", "device");
	look_at("virtio", SYSTEM "/bus/virtio/devices", "device", "status");
	look_at("port", SYSTEM "/class/virtio-ports", "name", "dev");
	look_at("net", SYSTEM "/class/net", "type", "address");
	look_at("block", SYSTEM "/class/block", "size", "ro");
	look_at("usb", SYSTEM "/bus/usb/devices", "idVendor", "idProduct");
	look_at("input", SYSTEM "/class/input", "name", "uevent");
	look_at("tty", SYSTEM "/class/tty", "type", "iomem_base");
	(void)umount2(SYSTEM, MNT_DETACH);
}

/*
 * Ways out.
 */
static void
make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 ||
	    fchmod(fd, 0777) != 0)
		die_errno("%s", path);
	(void)close(fd);
}

/* What lies outside, as ways_out.py makes it; once, and what an attempt took
 * away is there again. */
static void
make_ground(void)
{
	static const char *const folders[] = {GROUND, GROUND "/outside",
	    GROUND "/outside/mnt", GROUND "/outside/mounted", GROUND "/own"};
	static const char *const files[] = {"operator-key.txt", "config.json",
	    "policy.json", "audit.jsonl", "unlinked", "renamed"};
	char path[200];

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if ((mkdir(folders[i], 0777) != 0 && errno != EEXIST) ||
		    chmod(folders[i], 0777) != 0)
			die_errno("%s", folders[i]);
	(void)umount2(GROUND "/outside/mounted", MNT_DETACH);
	if (mount("none", GROUND "/outside/mounted", "tmpfs", 0, "size=64k") !=
	    0)
		die_errno("mounted");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		(void)snprintf(
		    path, sizeof path, GROUND "/outside/%s", files[i]);
		make_file(path, "secret\n");
	}
	for (const char *const *name = (const char *const[]){"folder", "link",
		 "hard", "fifo", "device", "set-user-id", NULL};
	     *name != NULL; name++) {
		(void)snprintf(path, sizeof path, GROUND "/own/%s", *name);
		(void)remove(path);
	}
	make_file(GROUND "/own/file", "ours\n");
}

/* In a process of its own: it does not come back from its locks. */
static int
try_role(char *role, char *attack)
{
	static char program[] = "inside", ground[] = GROUND, user[] = "--user",
		    number[] = USER;
	char *words[7] = {program, role, ground};
	int count = 3, lines[2], status = 0;
	char piece[4096];
	ssize_t n;
	pid_t pid;

	make_ground();
	if (strcmp(role, "none") != 0 && strcmp(role, "parent") != 0) {
		words[count++] = user;
		words[count++] = number;
	}
	if (attack != NULL)
		words[count++] = attack;
	if (pipe(lines) != 0)
		die_errno("pipe");
	pid = fork();
	if (pid == 0) {
		int none = open("/dev/null", O_RDWR);

		if (dup2(none, STDIN_FILENO) < 0 ||
		    dup2(lines[1], STDOUT_FILENO) < 0)
			_exit(EXIT_SYSTEM);
		close(none);
		close(lines[0]);
		close(lines[1]);
		_exit(inside(count, words));
	}
	close(lines[1]);
	while ((n = read(lines[0], piece, sizeof piece)) > 0)
		say(piece, (size_t)n);
	close(lines[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static void
serve(char *line)
{
	char *rest = line, *role = strsep(&rest, " ");
	int status = 0;

	if (strcmp(role, "look") == 0)
		look();
	else
		status = try_role(role, rest);
	TELL("== end %d %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static int
serve_all(void)
{
	struct pollfd port = {.fd = PORT, .events = POLLIN};
	char line[128];
	size_t length = 0;

	TELL("== end 0 0\n");
	for (;;) {
		ssize_t n;

		(void)poll(&port, 1, -1);
		n = read(PORT, line + length, 1);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0 || length + 1 == sizeof line)
			return EXIT_DONE;
		if (line[length] != '\n') {
			length++;
			continue;
		}
		line[length] = '\0';
		length = 0;
		serve(line);
	}
}

/*
 * A guest that was taken over.
 */
static _Noreturn void
be_hostile(const char *how)
{
	char noise[4096];
	unsigned state = 1;

	for (;;) {
		for (size_t i = 0; i < sizeof noise; i++) {
			state = state * 1103515245u + 12345u;
			noise[i] = (char)(state >> 16);
		}
		noise[0] = noise[1] = '\0'; /* a length that may be */
		if (strcmp(how, "drip") == 0) {
			say("\0", 1);
			(void)sleep(1);
		} else if (strcmp(how, "stay") == 0) {
			(void)pause();
		} else {
			say(noise, sizeof noise);
		}
		if (strcmp(how, "garbage") == 0)
			(void)pause();
	}
}

int
inside_guest(int argc, char **argv)
{
	const char *zone = "";

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--zone=", 7) == 0)
			zone = argv[i] + 7;
	if (strcmp(zone, "garbage") == 0 || strcmp(zone, "flood") == 0 ||
	    strcmp(zone, "drip") == 0 || strcmp(zone, "stay") == 0)
		be_hostile(zone);
	return serve_all();
}
