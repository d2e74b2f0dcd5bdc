/*
 * The command `firewall` of the programs of zones: print, apply, check.
 */
#ifndef TRIZONE_COMMON_FIREWALL_COMMAND_H
#define TRIZONE_COMMON_FIREWALL_COMMAND_H

/* argv[0] is "firewall", `program` the name in messages. Returns an exit
 * status. */
int firewall_command(const char *program, int argc, char **argv);

#endif
