/*
 * The unit of systemd; other systems get the line for their own scripts.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/firewall_impl.h"
#include "executor/command.h"
#include "executor/firewall_boot.h"

#define UNIT "trizone-firewall.service"

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

	if (strcmp(config, CONFIG_DEFAULT_PATH) != 0 ||
	    access("/run/systemd/system", F_OK) != 0) {
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

	if (strcmp(config, CONFIG_DEFAULT_PATH) == 0 &&
	    access("/run/systemd/system", F_OK) == 0)
		(void)firewall_tool(words, SPAN(""), NULL, why, sizeof why);
}
