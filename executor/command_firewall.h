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
int command_firewall_status(int argc, char **argv);
int command_firewall_watch(int argc, char **argv);

/* `check NAME --exec -- COMMAND`, for command_firewall_check to call when it
 * finds the option: wait, at most a minute, until the rules of the account are
 * in force, become it, and execute the NULL-ended command in our place, with
 * its environment but for HOME, USER, LOGNAME and PATH. Ends the process with a
 * message if it cannot. */
int command_firewall_exec(const char *config, const char *name, char **command);

#endif
