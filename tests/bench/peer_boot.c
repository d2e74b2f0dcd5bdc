/*
 * The least a guest can do: a static first process that inserts the modules of
 * /modules, opens the port and writes READY to it. For an initramfs of its own;
 * see boots.py.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
fail(const char *what)
{
	perror(what);
	(void)reboot(RB_POWER_OFF);
	exit(1);
}

static int
is_module(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
insert_all(void)
{
	struct dirent **names;
	int count = scandir("/modules", &names, is_module, alphasort);
	char path[300];

	for (int i = 0; i < count; i++) {
		int fd;

		(void)snprintf(
		    path, sizeof path, "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
			fail(path);
		(void)close(fd);
	}
}

static int
open_port(void)
{
	static const char *const names[] = {"/dev/vport0p1", "/dev/vport1p1"};

	for (int tries = 0; tries < 60000; tries++) {
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			int fd = open(names[i], O_RDWR);

			if (fd >= 0)
				return fd;
		}
		(void)poll(NULL, 0, 1);
	}
	fail("port");
	return -1;
}

int
main(void)
{
	int port;

	(void)mkdir("/dev", 0755);
	if (mount("none", "/dev", "devtmpfs", 0, NULL) != 0)
		fail("/dev");
	insert_all();
	port = open_port();
	while (write(port, "READY\n", 6) != 6) /* nobody may be there yet */
		(void)poll(NULL, 0, 1);
	for (;;)
		(void)pause();
}
