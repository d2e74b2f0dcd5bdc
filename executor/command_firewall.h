/*
 * `firewall NAME`: each takes its own arguments (argv[0] is its name) and
 * returns an exit status.
 */
#ifndef TRIZONE_EXECUTOR_COMMAND_FIREWALL_H
#define TRIZONE_EXECUTOR_COMMAND_FIREWALL_H

int command_firewall_test(int argc, char **argv);

#endif
