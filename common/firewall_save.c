/*
 * Rules for the next start, by the system's own means. Runs as root in the
 * `firewall` command. It believes nothing of what is in the files but where
 * our own part begins and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/firewall_impl.h"
#include "common/io.h"

#define PATH_BYTES 256
#define NAME_BYTES 80
#define FILE_BYTES ((size_t)1 << 20) /* longest file of an operator */

#define OLD ".trizone-old" /* what was there before us */
#define NEW ".trizone-new" /* until it is renamed */

/* How a system loads rules when it starts. Each backend has one or two files
 * of others, and commands that enable who reads them. */
struct place {
	enum firewall_backend backend;
	const char *files[2];
	const char *enable[2][TOOL_WORDS];
};

static const struct system {
	const char *sign; /* a file only this system has */
	struct place places[2];
} systems[] = {
    {"/etc/alpine-release",
	{{FIREWALL_NFT, {"/etc/nftables.nft"},
	     {{"rc-update", "add", "nftables", "boot"}}},
	    {FIREWALL_IPTABLES,
		{"/etc/iptables/rules-save", "/etc/iptables/rules6-save"},
		{{"rc-update", "add", "iptables", "boot"},
		    {"rc-update", "add", "ip6tables", "boot"}}}}},
    {"/etc/debian_version", /* Ubuntu has it too */
	{{FIREWALL_NFT, {"/etc/nftables.conf"},
	     {{"systemctl", "enable", "nftables.service"}}},
	    {FIREWALL_IPTABLES,
		{"/etc/iptables/rules.v4", "/etc/iptables/rules.v6"},
		{{"systemctl", "enable", "netfilter-persistent.service"}}}}},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Not /etc, which is a symbolic link there. */
#define PF_FILE "/private/etc/pf.anchors/trizone"

struct save {
	const char *root;
	struct buf *said;
	char *reason;
	size_t room;
};

static int fail(struct save *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct save *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(s->reason, s->room, format, ap);
	va_end(ap);
	return -ERR_UNAVAILABLE;
}

static int
fail_errno(struct save *s, const char *path)
{
	return fail(s, "%s%s: %s", s->root, path,
	    errno == ELOOP ? "a symbolic link" : strerror(errno));
}

/* A file that is going to be replaced. */
struct file {
	const char *path;
	int folder;
	char name[NAME_BYTES];
	bool exists;
	struct stat status;
	struct buf text;
};

/* The folder of the path below the root, made if need be; no component may be
 * a link. The rest of the path is the name. */
static int
open_folder(struct save *s, struct file *f)
{
	const char *at = f->path + 1, *end;
	char name[NAME_BYTES];

	f->folder = open(s->root[0] == '\0' ? "/" : s->root,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (f->folder >= 0 && (end = strchr(at, '/')) != NULL) {
		int next;

		(void)snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
		(void)mkdirat(f->folder, name, 0755);
		next = openat(f->folder, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			break;
		close(f->folder);
		f->folder = next;
		at = end + 1;
	}
	if (f->folder < 0 || strchr(at, '/') != NULL)
		return fail(s,
		    "%s%s: a folder on the way cannot be opened "
		    "or is a symbolic link",
		    s->root, f->path);
	(void)snprintf(f->name, sizeof f->name, "%s", at);
	return 0;
}

/* What is there now; nothing is fine, but a link or a device is not. */
static int
read_file(struct save *s, struct file *f)
{
	int fd = openat(
	    f->folder, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &f->status) != 0)
		rc = fail_errno(s, f->path);
	else if (!S_ISREG(f->status.st_mode))
		rc = fail(s, "%s%s: not a file", s->root, f->path);
	else if (io_read_all(fd, &f->text) != 0)
		rc = fail(s, "%s%s: cannot be read, or is larger than 1 MiB",
		    s->root, f->path);
	if (fd >= 0)
		close(fd);
	f->exists = rc == 0;
	return rc;
}

static int
file_open(struct save *s, const char *path, struct file *out)
{
	int rc;

	*out = (struct file){.path = path, .folder = -1};
	out->status.st_mode = 0644;
	buf_init(&out->text, FILE_BYTES);
	rc = open_folder(s, out);
	return rc != 0 ? rc : read_file(s, out);
}

static void
file_close(struct file *f)
{
	if (f->folder >= 0)
		close(f->folder);
	buf_free(&f->text);
}

/* The new file has mode and owner of the old one, and is on the disk. */
static int
write_new(const struct file *f, const char *name, struct span text)
{
	int fd, rc = -1;

	(void)unlinkat(f->folder, name, 0); /* of one that was killed */
	fd = openat(f->folder, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (io_write_all(fd, text) == 0 &&
	    (!f->exists ||
		fchown(fd, f->status.st_uid, f->status.st_gid) == 0) &&
	    fchmod(fd, f->status.st_mode & 0777) == 0 && fsync(fd) == 0)
		rc = 0;
	return close(fd) == 0 ? rc : -1;
}

/* By rename. The old file stays under another name, unless there is one from
 * the first time. */
static int
replace(struct save *s, const struct file *f, struct span text)
{
	char old[NAME_BYTES + sizeof OLD], new[NAME_BYTES + sizeof NEW];

	(void)snprintf(old, sizeof old, "%s" OLD, f->name);
	(void)snprintf(new, sizeof new, "%s" NEW, f->name);
	if (f->exists && linkat(f->folder, f->name, f->folder, old, 0) != 0 &&
	    errno != EEXIST)
		return fail_errno(s, f->path);
	if (write_new(f, new, text) != 0 ||
	    renameat(f->folder, new, f->folder, f->name) != 0) {
		int rc = fail_errno(s, f->path);

		(void)unlinkat(f->folder, new, 0);
		return rc;
	}
	return fsync(f->folder) == 0 ? 0 : fail_errno(s, f->path);
}

/* Replace a file by what `edit` makes of it. */
static int
put_edited(struct save *s, const char *path,
    int (*edit)(void *data, struct span old, struct buf *out), void *data)
{
	struct file f;
	struct buf text;
	int rc = file_open(s, path, &f);

	buf_init(&text, 2 * FILE_BYTES);
	if (rc == 0 &&
	    (edit(data, (struct span){f.text.data, f.text.len}, &text) != 0 ||
		text.overflow))
		rc = fail(s,
		    "%s%s: our part has no place in it, or the marks around "
		    "it do not fit: mend it by hand",
		    s->root, path);
	if (rc == 0 && f.exists && text.len == f.text.len &&
	    memcmp(text.data, f.text.data, text.len) == 0) {
		buf_add_format(s->said, "unchanged %s%s\n", s->root, path);
	} else if (rc == 0) {
		rc = replace(s, &f, (struct span){text.data, text.len});
		if (rc == 0)
			buf_add_format(s->said, "wrote %s%s\n", s->root, path);
	}
	buf_free(&text);
	file_close(&f);
	return rc;
}

/* What stands from `begin` to `end`, and what comes in its place, last. */
struct part {
	const char *begin, *end; /* NULL: the whole file */
	struct span text;
};

static int
put_part(void *data, struct span old, struct buf *out)
{
	const struct part *part = data;
	int rc = 0;

	if (part->begin != NULL)
		rc = firewall_without(old, part->begin, part->end, out);
	(void)buf_add(out, part->text.p, part->text.n);
	return rc;
}

static int
put(struct save *s, const char *path, const char *begin, const char *end,
    struct span text)
{
	struct part part = {begin, end, text};

	return put_edited(s, path, put_part, &part);
}

/* Our file, and in the main file one line that includes it, last: what stands
 * before it, such as "flush ruleset", cannot take it back. */
static int
save_nft(struct save *s, const struct place *place, struct span text)
{
	static const char include[] = FIREWALL_MARK_BEGIN
	    "\ninclude \"" FIREWALL_FILE "\"\n" FIREWALL_MARK_END "\n";
	int rc = put(s, FIREWALL_FILE, NULL, NULL, text);

	if (rc == 0)
		rc = put(s, place->files[0], FIREWALL_MARK_BEGIN,
		    FIREWALL_MARK_END, SPAN(include));
	return rc;
}

/* The filter table of both families; other tables in the files stay. */
static int
save_iptables(struct save *s, const struct place *place, struct span text)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(place->files) && rc == 0; i++)
		rc = put(s, place->files[i], "*filter", "COMMIT", text);
	return rc;
}

static void
say_words(struct save *s, const char *const words[])
{
	for (size_t i = 0; words[i] != NULL; i++)
		buf_add_format(s->said, " %s", words[i]);
	buf_add_text(s->said, "\n");
}

static int
enable(struct save *s, const struct place *place)
{
	char why[FIREWALL_WHY_BYTES];

	for (size_t i = 0; i < COUNT(place->enable); i++) {
		const char *const *words = place->enable[i];

		if (words[0] == NULL)
			continue;
		if (s->root[0] == '\0' &&
		    firewall_tool(words, SPAN(""), NULL, why, sizeof why) != 0)
			return fail(s,
			    "rules are written, but nothing loads them at "
			    "boot: install the service's package and try "
			    "again; %s",
			    why);
		buf_add_text(s->said, s->root[0] == '\0' ? "done" : "to do");
		say_words(s, words);
	}
	return 0;
}

static const struct system *
find_system(const char *root)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < COUNT(systems); i++) {
		int n =
		    snprintf(path, sizeof path, "%s%s", root, systems[i].sign);

		if (n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0)
			return &systems[i];
	}
	return NULL;
}

static int
save_text(struct save *s, enum firewall_backend backend, struct span text)
{
	const struct system *system = find_system(s->root);
	const struct place *place;
	int rc;

	if (backend == FIREWALL_PF)
		return put(s, PF_FILE, NULL, NULL, text);
	if (system == NULL)
		return fail(s,
		    "how this system loads rules at boot is not known here: "
		    "save what `firewall print` says by its own means");
	place = &system->places[0];
	if (place->backend != backend)
		place = &system->places[1];
	rc = backend == FIREWALL_NFT ? save_nft(s, place, text)
				     : save_iptables(s, place, text);
	return rc != 0 ? rc : enable(s, place);
}

int
firewall_save(enum firewall_backend backend, const struct firewall *want,
    const char *root, struct buf *said, char *reason, size_t room)
{
	struct save s = {root, said, reason, room};
	mode_t mask = umask(022); /* folders that others may need */
	struct buf text;
	int rc;

	buf_init(&text, FIREWALL_TEXT_BYTES);
	if (firewall_text(backend, want, &text) != 0)
		bug("rules longer than a buffer");
	rc = save_text(&s, backend, (struct span){text.data, text.len});
	buf_free(&text);
	(void)umask(mask);
	return rc;
}

int
firewall_edit(const char *root, const char *path,
    int (*edit)(void *data, struct span old, struct buf *out), void *data,
    struct buf *said, char *reason, size_t room)
{
	struct save s = {root, said, reason, room};
	mode_t mask = umask(022);
	int rc = put_edited(&s, path, edit, data);

	(void)umask(mask);
	return rc;
}
