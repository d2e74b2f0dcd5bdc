/*
 * `firewall NAME`: each takes its own arguments (argv[0] is its name) and
 * returns an exit status.
 */
#ifndef TRIZONE_EXECUTOR_COMMAND_FIREWALL_H
#define TRIZONE_EXECUTOR_COMMAND_FIREWALL_H

int command_firewall_account(int argc, char **argv);
int command_firewall_print(int argc, char **argv);
int command_firewall_check(int argc, char **argv);
int command_firewall_apply(int argc, char **argv);
int command_firewall_confirm(int argc, char **argv);
int command_firewall_test(int argc, char **argv);

#endif
