/*
 * Rules at the next start of the system: the unit that runs `firewall apply
 * --boot` before there is a network. firewall_boot_linux.c and so on.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_BOOT_H
#define TRIZONE_EXECUTOR_FIREWALL_BOOT_H

/* Have it run from now on, or not any more, if `config` is the configuration
 * that the unit takes; say what was done, or is left to do. */
void firewall_boot_enable(const char *config);
void firewall_boot_disable(const char *config);

#endif
