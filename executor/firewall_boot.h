/*
 * Rules at the next start of the system: the unit that runs `firewall apply
 * --boot` before there is a network; and the service that looks names up.
 * Needs root. firewall_boot_linux.c and so on.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_BOOT_H
#define TRIZONE_EXECUTOR_FIREWALL_BOOT_H

/* Have it run from now on, or not any more, if `config` is the configuration
 * that the unit takes; say what was done, or is left to do. */
void firewall_boot_enable(const char *config);
void firewall_boot_disable(const char *config);

/* The same of the service: with the rights that accounts need of its unit, from
 * now on. One that runs is not stopped. */
void firewall_boot_serve(const char *config);

#endif
