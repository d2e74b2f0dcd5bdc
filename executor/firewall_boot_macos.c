/*
 * pf's main file names our anchor and its file; launchd loads both, and the
 * service's own plist enables pf. Nothing is left to do but to start it.
 */
#include <stdio.h>

#include "executor/firewall_boot.h"

void
firewall_boot_enable(const char *config)
{
	(void)config;
}

void
firewall_boot_disable(const char *config)
{
	(void)config;
}

void
firewall_boot_serve(const char *config)
{
	(void)config;
	puts("names work once the service knows them: start it (its plist: "
	     "trizone.executor), or `trizone-executor reload`");
}
