/*
 * Who could speak for a confined account on macOS. Not tried on a Mac.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/run.h"
#include "common/text.h"
#include "executor/confined.h"

#define TOOL_MS 10000
#define OUTPUT_BYTES 65536

void
confined_home(const char *name, char *out, size_t room)
{
	(void)snprintf(
	    out, room, "/usr/local/var/%s", name[0] == '_' ? name + 1 : name);
}

/* A user without a way to authenticate has no such attribute. */
int
confined_locked(const char *name)
{
	char path[128], user[128];
	const char *const argv[] = {
	    path, ".", "-read", user, "AuthenticationAuthority", NULL};
	struct buf out, err;
	int status = 0, rc;

	if (!run_find(run_folders, "dscl", path, sizeof path))
		return -ERR_UNAVAILABLE;
	(void)snprintf(user, sizeof user, "/Users/%s", name);
	buf_init(&out, OUTPUT_BYTES);
	buf_init(&err, OUTPUT_BYTES);
	rc = run_program(argv, SPAN(""), &out, &err, TOOL_MS, &status);
	if (rc == 0 && buf_add_byte(&out, '\0') == 0)
		rc = strstr(out.data, ";ShadowHash;") != NULL ? -ERR_WRONG_STATE
							      : 0;
	buf_free(&out);
	buf_free(&err);
	return rc;
}

void
confined_helpers(
    const struct confined *account, const struct confined_report *report)
{
	static const char *const engines[] = {
	    "/var/run/docker.sock", "/usr/local/var/run/docker.sock"};

	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
		if (confined_may_write(account, engines[i]))
			confined_say(report, CONFINED_FAULT,
			    "account %s may use %s: it is root of a machine "
			    "with a network of its own",
			    account->name, engines[i]);
	confined_say(report, CONFINED_NOTE,
	    "mDNSResponder asks any name for %s, which can carry words out: "
	    "`apply --close-dns`, or a sandbox without its socket",
	    account->name);
	confined_say(report, CONFINED_NOTE,
	    "pf knows the owner of TCP and UDP alone: ICMP datagram sockets of "
	    "%s are not held; a sandbox closes them",
	    account->name);
	confined_say(report, CONFINED_NOTE,
	    "Internet Sharing and virtual machines pass packets on, which have "
	    "no owner: `block drop in on bridge100 all` closes theirs (%s)",
	    account->name);
}
