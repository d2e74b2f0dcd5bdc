/*
 * Who could speak for a confined account on Linux: daemons that answer anybody
 * and have a network of their own, programs that run as somebody else, and
 * numbers that no rule knows.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"
#include "common/run.h"
#include "common/text.h"
#include "executor/confined.h"

#define FILE_BYTES (1u << 20)
#define DEPTH_MAX 3 /* /usr/lib/ARCHITECTURE/NAME */
#define ENTRIES_MAX 200000
#define SHOWN 5 /* programs that are named */
#define TOOL_MS 5000

void
confined_home(const char *name, char *out, size_t room)
{
	(void)snprintf(out, room, "/var/lib/%s", name);
}

static int
read_whole(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -ERR_IO;
	rc = io_read_all(fd, out);
	close(fd);
	return rc;
}

/* The rest of the first line that begins with `name` and a colon. */
static bool
find_entry(const struct buf *text, const char *name, struct span *rest_out)
{
	size_t n = strlen(name), at = 0;

	while (at < text->len) {
		const char *line = text->data + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t length =
		    end == NULL ? text->len - at : (size_t)(end - line);

		if (length > n && memcmp(line, name, n) == 0 &&
		    line[n] == ':') {
			*rest_out = (struct span){line + n + 1, length - n - 1};
			return true;
		}
		at += length + 1;
	}
	return false;
}

int
confined_locked(const char *name)
{
	struct buf text;
	struct span rest;
	int rc = -ERR_UNAVAILABLE;

	buf_init(&text, FILE_BYTES);
	if (read_whole("/etc/shadow", &text) == 0 &&
	    find_entry(&text, name, &rest))
		rc = rest.n != 0 && (*rest.p == '!' || *rest.p == '*')
			 ? 0
			 : -ERR_WRONG_STATE;
	buf_free(&text);
	return rc;
}

/*
 * Sockets.
 */
static const struct {
	const char *path;
	enum confined_level level;
	const char *what;
} sockets[] = {
    {"/run/docker.sock", CONFINED_FAULT, "it is root by docker"},
    {"/run/podman/podman.sock", CONFINED_FAULT, "it is root by podman"},
    {"/run/containerd/containerd.sock", CONFINED_FAULT,
	"it is root by containerd"},
    {"/run/crio/crio.sock", CONFINED_FAULT, "it is root by CRI-O"},
    {"/var/lib/lxd/unix.socket", CONFINED_FAULT, "it is root by LXD"},
    {"/var/snap/lxd/common/lxd/unix.socket", CONFINED_FAULT,
	"it is root by LXD"},
    {"/var/lib/incus/unix.socket", CONFINED_FAULT, "it is root by Incus"},
    {"/run/libvirt/libvirt-sock", CONFINED_FAULT,
	"it can start machines with a network of their own"},
    {"/run/systemd/resolve/io.systemd.Resolve", CONFINED_NOTE,
	"systemd-resolved asks any name for it"},
    {"/run/nscd/socket", CONFINED_NOTE, "nscd asks any name for it"},
    {"/run/avahi-daemon/socket", CONFINED_NOTE,
	"avahi asks and announces names for it"},
    {"/run/dbus/system_bus_socket", CONFINED_NOTE,
	"services on D-Bus act for it: resolved, NetworkManager, udisks"},
    {"/run/snapd.socket", CONFINED_NOTE, "snapd fetches for it"},
    {"/run/cups/cups.sock", CONFINED_NOTE, "CUPS connects to printers for it"},
    {"/var/spool/postfix/public/pickup", CONFINED_NOTE, "Postfix mails for it"},
};

static void
look_at_sockets(
    const struct confined *account, const struct confined_report *report)
{
	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
		if (confined_may_write(account, sockets[i].path))
			confined_say(report, sockets[i].level,
			    "account %s may use %s: %s%s", account->name,
			    sockets[i].path, sockets[i].what,
			    sockets[i].level == CONFINED_NOTE
				? "; the unit hides it"
				: "");
}

/*
 * Programs.
 */
static const struct {
	const char *path, *what;
} programs[] = {
    {"/usr/sbin/sendmail", "mails for it: another user delivers"},
    {"/usr/sbin/postdrop", "mails for it: Postfix delivers"},
    {"/usr/bin/at", "starts it outside of the unit: put its name into "
		    "/etc/at.deny"},
    {"/usr/bin/crontab", "starts it outside of the unit: put its name into "
			 "/etc/cron.deny"},
    {"/usr/bin/pkexec", "asks polkit for rights: polkit's rules decide"},
};

static void
look_at_programs(
    const struct confined *account, const struct confined_report *report)
{
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (access(programs[i].path, X_OK) == 0)
			confined_say(report, CONFINED_NOTE, "%s %s (%s)",
			    programs[i].path, programs[i].what, account->name);
}

struct setuid {
	size_t count, entries;
	struct buf names;
};

static void look_at_entry(
    struct setuid *s, int folder, const char *name, unsigned depth);

static void
walk(struct setuid *s, int fd, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL && s->entries < ENTRIES_MAX)
		if (entry->d_name[0] != '.')
			look_at_entry(s, dirfd(dir), entry->d_name, depth);
	closedir(dir);
}

static void
look_at_entry(struct setuid *s, int folder, const char *name, unsigned depth)
{
	struct stat st;
	int fd;

	s->entries++;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID)) != 0 &&
	    (st.st_mode & 1) != 0) {
		if (s->count++ < SHOWN)
			(void)buf_add_format(&s->names, "%s%s",
			    s->names.len == 0 ? "" : ", ", name);
	} else if (S_ISDIR(st.st_mode) && depth != 0) {
		fd = openat(folder, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk(s, fd, depth - 1);
	}
}

static void
look_at_setuid(
    const struct confined *account, const struct confined_report *report)
{
	static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/bin",
	    "/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib",
	    "/usr/libexec", "/opt"};
	struct setuid s = {.count = 0};
	int fd;

	buf_init(&s.names, 1024);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		fd = open(folders[i],
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk(&s, fd, DEPTH_MAX);
	}
	if (s.count != 0)
		confined_say(report, CONFINED_NOTE,
		    "%zu programs run as another user or group for %s (%.*s%s"
		    "): the unit's NoNewPrivileges takes that away",
		    s.count, account->name, (int)s.names.len, s.names.data,
		    s.count > SHOWN ? ", ..." : "");
	buf_free(&s.names);
}

/*
 * Other numbers, other rights.
 */
static void
look_at_numbers(
    const struct confined *account, const struct confined_report *report)
{
	static const char *const files[] = {"/etc/subuid", "/etc/subgid"};
	char number[24];
	struct span rest;
	struct buf text;

	(void)snprintf(
	    number, sizeof number, "%lu", (unsigned long)account->uid);
	for (size_t i = 0; i < 2; i++) {
		buf_init(&text, FILE_BYTES);
		if (read_whole(files[i], &text) == 0 &&
		    (find_entry(&text, account->name, &rest) ||
			find_entry(&text, number, &rest)))
			confined_say(report, CONFINED_FAULT,
			    "account %s has other numbers in %s, of which no "
			    "rule speaks: take its line out",
			    account->name, files[i]);
		buf_free(&text);
	}
}

/* What sudo itself says. */
static void
look_at_sudo(
    const struct confined *account, const struct confined_report *report)
{
	char path[128];
	const char *const argv[] = {
	    path, "-n", "-l", "-U", account->name, NULL};
	struct buf out, err;
	int status = 0;

	if (!run_find(run_folders, "sudo", path, sizeof path))
		return;
	buf_init(&out, 65536);
	buf_init(&err, 65536);
	if (run_program(argv, SPAN(""), &out, &err, TOOL_MS, &status) == 0 &&
	    buf_add_byte(&out, '\0') == 0 &&
	    strstr(out.data, "may run the following") != NULL)
		confined_say(report, CONFINED_FAULT,
		    "account %s may use sudo: take it out of sudoers",
		    account->name);
	buf_free(&out);
	buf_free(&err);
}

/* Packets that this machine passes on belong to no user of it. */
static void
look_at_forwarding(
    const struct confined *account, const struct confined_report *report)
{
	static const char *const files[] = {"/proc/sys/net/ipv4/ip_forward",
	    "/proc/sys/net/ipv6/conf/all/forwarding"};
	bool forwards = false;
	struct buf text;

	for (size_t i = 0; i < 2; i++) {
		buf_init(&text, 16);
		if (read_whole(files[i], &text) == 0 && text.len != 0 &&
		    text.data[0] == '1')
			forwards = true;
		buf_free(&text);
	}
	if (forwards)
		confined_say(report, CONFINED_NOTE,
		    "this machine forwards packets, which have no owner: what "
		    "%s starts in a container or machine is not held by its "
		    "rules; keep engines from it, or close theirs: nft add "
		    "rule inet FILTER forward iifname \"BRIDGE\" drop",
		    account->name);
}

static void
look_at_linger(
    const struct confined *account, const struct confined_report *report)
{
	char path[128];

	(void)snprintf(
	    path, sizeof path, "/var/lib/systemd/linger/%s", account->name);
	if (access(path, F_OK) == 0)
		confined_say(report, CONFINED_FAULT,
		    "account %s has a systemd of its own, which starts what it "
		    "likes: loginctl disable-linger %s",
		    account->name, account->name);
}

void
confined_helpers(
    const struct confined *account, const struct confined_report *report)
{
	look_at_sockets(account, report);
	look_at_numbers(account, report);
	look_at_sudo(account, report);
	look_at_linger(account, report);
	look_at_programs(account, report);
	look_at_setuid(account, report);
	look_at_forwarding(account, report);
}
