/*
 * The units of systemd; other systems get the line for their own scripts.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/firewall_impl.h"
#include "executor/command.h"
#include "executor/firewall_boot.h"

#define UNIT "trizone-firewall.service"
#define SERVICE "trizone-executor.service"
#define DROP_IN "/etc/systemd/system/" SERVICE ".d/firewall.conf"
#define SHARED "share/trizone/agent/executor.conf" /* beside our "bin" */
#define DROP_IN_BYTES 65536
#define SAID_BYTES 8192

/* Whether there is systemd, and its units take this configuration. */
static bool
has_units(const char *config)
{
	return strcmp(config, CONFIG_DEFAULT_PATH) == 0 &&
	       access("/run/systemd/system", F_OK) == 0;
}

static void
say_by_hand(const char *config)
{
	printf("to do: have the system run `trizone-executor firewall apply "
	       "--boot%s%s` before its network is up\n",
	    strcmp(config, CONFIG_DEFAULT_PATH) == 0 ? "" : " --config ",
	    strcmp(config, CONFIG_DEFAULT_PATH) == 0 ? "" : config);
}

void
firewall_boot_enable(const char *config)
{
	static const char *const words[] = {
	    "systemctl", "--quiet", "enable", UNIT, NULL};
	char why[FIREWALL_WHY_BYTES];

	if (!has_units(config)) {
		say_by_hand(config);
		return;
	}
	if (firewall_tool(words, SPAN(""), NULL, why, sizeof why) == 0)
		printf("at boot: " UNIT " is enabled\n");
	else
		printf("to do: install " UNIT " and enable it, or nothing "
		       "loads the rules at boot (%s)\n",
		    why);
}

void
firewall_boot_disable(const char *config)
{
	static const char *const words[] = {
	    "systemctl", "--quiet", "disable", UNIT, NULL};
	char why[FIREWALL_WHY_BYTES];

	if (has_units(config))
		(void)firewall_tool(words, SPAN(""), NULL, why, sizeof why);
}

/*
 * The service.
 */

/* What its unit needs for accounts, as it was installed with this program. */
static int
read_shared(struct buf *out, char *why, size_t room)
{
	char self[PATH_MAX], path[PATH_MAX + sizeof SHARED + 1];

	if (realpath("/proc/self/exe", self) == NULL) {
		(void)snprintf(why, room, "/proc/self/exe cannot be followed");
		return -1;
	}
	(void)snprintf(path, sizeof path, "%s/" SHARED, dirname(dirname(self)));
	return config_read_file(path, out, why, room);
}

static int
take_text(void *data, struct span old, struct buf *out)
{
	const struct buf *text = data;

	(void)old;
	return buf_add(out, text->data, text->len);
}

static int
install_drop_in(char *why, size_t room)
{
	struct buf text, said;
	int rc;

	buf_init(&text, DROP_IN_BYTES);
	buf_init(&said, SAID_BYTES);
	rc = read_shared(&text, why, room);
	if (rc == 0)
		rc = firewall_edit(
		    "", DROP_IN, take_text, &text, &said, why, room);
	if (rc == 0 && !span_starts((struct span){said.data, said.len}, "un"))
		printf("%.*s", (int)said.len, said.data);
	buf_free(&text);
	buf_free(&said);
	return rc;
}

/* The unit with what it needs for accounts, at each start from now on, and
 * now. */
static int
install(bool *ran_out, char *why, size_t room)
{
	static const char *const reread[] = {"systemctl", "--quiet",
	    "daemon-reload", NULL},
				 *const active[] = {"systemctl", "--quiet",
				     "is-active", SERVICE, NULL},
				 *const start[] = {"systemctl", "--quiet",
				     "--no-block", "enable", "--now", SERVICE,
				     NULL};
	char unused[FIREWALL_WHY_BYTES];
	int rc = install_drop_in(why, room);

	if (rc == 0)
		rc = firewall_tool(reread, SPAN(""), NULL, why, room);
	if (rc != 0)
		return rc;
	*ran_out =
	    firewall_tool(active, SPAN(""), NULL, unused, sizeof unused) == 0;
	return firewall_tool(start, SPAN(""), NULL, why, room);
}

void
firewall_boot_serve(const char *config)
{
	char why[PATH_MAX + FIREWALL_WHY_BYTES];
	bool ran = false;

	if (!has_units(config)) {
		puts("names work once the service knows them: start it, or "
		     "`trizone-executor reload`");
		return;
	}
	if (install(&ran, why, sizeof why) != 0)
		printf("to do: names work once " SERVICE " runs with " DROP_IN
		       " (%s)\n",
		    why);
	else if (ran)
		puts("names work once the service knows them: "
		     "`trizone-executor reload`; an account that is new to it, "
		     "or a first one: `systemctl restart " SERVICE "`");
	else
		puts("started " SERVICE ", which looks names up");
}
