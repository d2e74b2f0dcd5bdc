/*
 * The text of a Seatbelt profile. Pure; runs in every role at its start on
 * macOS, and in tests everywhere.
 *
 * Nothing says network-outbound, network-bind, mach-lookup, sysctl-read or
 * file-map-executable: sockets that are open go on working, and the C library
 * has asked what it wants before.
 */
#include "common/seatbelt.h"

static const char always[] = "(version 1)\n"
			     "(deny default)\n"
			     "(allow signal (target self))\n";

static const char forks[] = "(allow process-fork)\n"
			    "(allow signal (target same-sandbox))\n";

/* accept(2) on the sockets it was given; it can make none. */
static const char sees[] = "(allow network-inbound (local unix-socket))\n";

/*
 * The parent of roles, for as long as it runs:
 * - a role is this program executed anew; outside the sandbox, as it could not
 *   take one of its own otherwise. Who has taken the parent over can start the
 *   program with any words, so this wall is thin;
 * - a role that is stuck is killed, whatever its user;
 * - each gets a new socket pair, and at the end the listening sockets go,
 *   which are where the configuration says.
 */
static const char keeps[] =
    "(allow process-fork)\n"
    "(allow process-exec (literal (param \"" SEATBELT_PROGRAM "\"))"
    " (with no-sandbox))\n"
    "(allow file-read* (literal (param \"" SEATBELT_PROGRAM "\")))\n"
    "(allow file-read-metadata (path-ancestors (param \"" SEATBELT_PROGRAM
    "\")))\n"
    "(allow signal (target children))\n"
    "(allow system-socket (socket-domain AF_UNIX))\n"
    "(allow file-write-unlink (vnode-type SOCKET))\n";

/* Who fills pf's tables runs pfctl, which a sandbox would keep from pf. */
static const char rules[] =
    "(allow process-exec (literal \"/sbin/pfctl\") (with no-sandbox))\n"
    "(allow file-read* (literal \"/sbin/pfctl\"))\n"
    "(allow file-read* file-write-data (literal \"/dev/null\"))\n";

/* The system's resolver, and nothing of the network itself. */
static const char talks[] =
    "(allow system-socket (socket-domain AF_UNIX))\n"
    "(allow network-outbound (literal \"/private/var/run/mDNSResponder\"))\n";

/* Files below a folder, and what its own path is made of. */
static const char reads[] =
    "(allow file-read-metadata (path-ancestors (param \"" SEATBELT_PATH
    "\")))\n"
    "(allow file-read* file-test-existence (subpath (param \"" SEATBELT_PATH
    "\")))\n";

/* As Landlock has it: no folders, devices, sockets, FIFOs or links. */
static const char writes[] =
    "(allow file-write-data file-write-mode file-write-times file-write-unlink"
    " (subpath (param \"" SEATBELT_PATH "\")))\n"
    "(allow file-write-create (require-all (vnode-type REGULAR-FILE)"
    " (subpath (param \"" SEATBELT_PATH "\"))))\n";

static void
add_path(const struct lock_path *path, size_t i, struct buf *out)
{
	if (path->shown) /* all in it is open already */
		return;
	buf_add_format(out, reads, i, i);
	if (path->write)
		buf_add_format(out, writes, i, i);
}

void
seatbelt_text(const struct lock_profile *profile, const struct lock_path *paths,
    size_t count, struct buf *out)
{
	buf_add_text(out, always);
	if ((profile->flags & LOCK_KEEPS) != 0)
		buf_add_text(out, keeps);
	else if ((profile->flags & LOCK_FORKS) != 0)
		buf_add_text(out, forks);
	if ((profile->flags & LOCK_SEES) != 0)
		buf_add_text(out, sees);
	if ((profile->flags & LOCK_RULES) != 0)
		buf_add_text(out, rules);
	if ((profile->flags & LOCK_TALKS) != 0)
		buf_add_text(out, talks);
	for (size_t i = 0; i < count; i++)
		add_path(&paths[i], i, out);
}
