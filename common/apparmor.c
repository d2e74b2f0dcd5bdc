/*
 * The text of an AppArmor profile. Pure; runs when the tree is built and in
 * tests.
 */
#include "common/apparmor.h"

#include <string.h>

#include "common/err.h"
#include "common/privilege.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* By their numbers, which are the kernel's for good. */
static const char *const capabilities[] = {"chown", "dac_override",
    "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast",
    "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
    "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin"};

/* What a role needs until it has become its user. */
enum {
	SETGID = 1 << 6,
	SETUID = 1 << 7,
	SETPCAP = 1 << 8,
	SYS_ADMIN = 1 << 21
};

static const struct {
	uint32_t bit;
	const char *name;
} namespaces[] = {
    {LOCK_NET, "net"},
    {LOCK_MOUNT, "mount"},
    {LOCK_IPC, "ipc"},
    {LOCK_UTS, "uts"},
    {LOCK_PID, "pid"},
};

static const char head[] =
    "# Made from the tables of the program: do not edit it. What this machine\n"
    "# needs besides goes into local/%s.\n"
    "#\n"
    "# No new privileges are to be had, so nothing that it starts can leave, and\n"
    "# no other program may be executed. Commands that change the machine (init,\n"
    "# firewall) run outside: aa-exec -p unconfined -- %s ...\n"
    "#\n";

static const char network[] = "\n"
			      "  # no network but Unix sockets\n"
			      "  network unix,\n"
			      "  unix,\n";

static const char links[] =
    "  # a role that stays in the machine's network says what it sees of it\n"
    "  network netlink raw,\n";

/* As root, or by way of a user namespace, in which it stays who it is. */
static const char spaces[] =
    "\n"
    "  # namespaces of its own, and a small root directory\n"
    "  @{PROC}/@{pid}/{setgroups,gid_map,uid_map} w,\n"
    "  mount options=(rw, rprivate) -> /,\n"
    "  mount fstype=tmpfs options=(rw, nosuid, nodev, noexec) trizone ->"
    " /{tmp,run,var,usr}/,\n"
    "  /{tmp,run,var,usr}/old/ w,\n"
    "  pivot_root oldroot=/{tmp,run,var,usr}/old/ /{tmp,run,var,usr}/,\n"
    "  umount /old/,\n"
    "  /old/ w,\n"
    "  mount options=(ro, remount, bind, nosuid, nodev, noexec) -> /,\n";

static const char files[] =
    "\n"
    "  # who is who; limits of its group; sockets, which have no path from /\n"
    "  # any more once the root directory is another one\n"
    "  /etc/{passwd,group,nsswitch.conf} r,\n"
    "  @{PROC}/@{pid}/{cgroup,fd/} r,\n"
    "  @{sys}/fs/cgroup/** rw,\n"
    "  /{,run/}trizone/*.sock rw,\n"
    "  /etc/trizone/ r,\n"
    "  /etc/trizone/*.json r,\n"
    "\n"
    "  # commands: what their user names, or redirects; of another file that\n"
    "  # is redirected nothing is read, and what is written to it is lost\n"
    "  owner @{HOME}/** rw,\n"
    "  owner /tmp/** rw,\n";

static bool
is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-";

	return path[0] == '/' && path[strspn(path, plain)] == '\0';
}

static void
add_roles(const struct apparmor *program, struct buf *out)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct lock_profile *p = &program->profiles[i];

		buf_add_format(out, "# %s: namespaces", p->role);
		for (size_t n = 0; n < COUNT(namespaces); n++)
			if ((p->namespaces & namespaces[n].bit) != 0)
				buf_add_format(out, " %s", namespaces[n].name);
		buf_add_text(out, p->namespaces == 0 ? " -\n" : "\n");
	}
}

/* Of all roles: one profile is for the whole program. */
static uint64_t
needed_capabilities(const struct apparmor *program)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < program->count; i++) {
		const struct lock_profile *p = &program->profiles[i];

		if ((p->flags & LOCK_KEEPS) != 0)
			bits |= privilege_parent();
		else
			bits |= SETGID | SETUID | SETPCAP;
		if ((p->flags & LOCK_RULES) != 0)
			bits |= privilege_rules();
		if (p->namespaces != 0)
			bits |= SYS_ADMIN;
	}
	return bits;
}

static void
add_capabilities(const struct apparmor *program, struct buf *out)
{
	uint64_t bits = needed_capabilities(program);

	buf_add_text(out, "\n  # until the user is another one and the root "
			  "directory is made\n");
	for (size_t i = 0; i < COUNT(capabilities); i++)
		if ((bits & (UINT64_C(1) << i)) != 0)
			buf_add_format(
			    out, "  capability %s,\n", capabilities[i]);
	if ((bits >> COUNT(capabilities)) != 0)
		bug("a capability without a name");
}

static bool
any(const struct apparmor *program, uint32_t flags, uint32_t without)
{
	for (size_t i = 0; i < program->count; i++)
		if ((program->profiles[i].flags & flags) == flags &&
		    (program->profiles[i].namespaces & without) == 0)
			return true;
	return false;
}

int
apparmor_text(const struct apparmor *program, struct buf *out)
{
	if (!is_plain(program->path))
		return -ERR_PATH;
	buf_add_format(out, head, program->name, program->name);
	add_roles(program, out);
	buf_add_format(out,
	    "\nabi <abi/%s>,\n"
	    "include <tunables/global>\n\n"
	    "profile %s %s flags=(attach_disconnected) {\n"
	    "  include <abstractions/base>\n"
	    "  include <abstractions/consoles>\n\n"
	    "  %s %s,\n",
	    program->userns ? "4.0" : "3.0", program->name, program->path,
	    program->path, any(program, LOCK_KEEPS, 0) ? "mrix" : "mr");
	add_capabilities(program, out);
	buf_add_text(out, network);
	if (any(program, 0, LOCK_NET))
		buf_add_text(out, links);
	buf_add_text(out, spaces);
	if (program->userns)
		buf_add_text(out, "  userns,\n");
	buf_add_text(out, files);
	if (program->rules != NULL)
		buf_add_format(out, "\n%s", program->rules);
	buf_add_format(
	    out, "\n  include if exists <local/%s>\n}\n", program->name);
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
