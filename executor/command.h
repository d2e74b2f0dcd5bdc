/*
 * The operator's commands. Each takes its own arguments (argv[0] is the
 * command's name) and returns an exit status.
 */
#ifndef TRIZONE_EXECUTOR_COMMAND_H
#define TRIZONE_EXECUTOR_COMMAND_H

#include <stdbool.h>

#include "executor/config.h"
#include "executor/policy.h"
#include "proto/client.h"

#define CONFIG_DEFAULT_PATH "/etc/trizone/config.json"

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_init(int argc, char **argv);
int command_deliver(int argc, char **argv);
int command_attach(int argc, char **argv);
int command_zones(int argc, char **argv);
int command_inbox(int argc, char **argv);
int command_review(int argc, char **argv);
int command_session(int argc, char **argv);
int command_task(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_status(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_firewall(int argc, char **argv);

/* The parent of the service that has the state folder; 0: nobody has. */
pid_t service_find(const struct config *config);

/* A service without zones: whether it is one, and `reload` there. Its exit
 * status. command_reload_alone.c. */
bool reload_is_alone(const struct config *config);
int reload_alone(const struct config *config, bool json);

/* What a service starts from, read and checked. */
struct setup {
	struct buf config_text, policy_text;
	struct config *config;
	struct policy *policy;
};

/* Read both files. 0, or -ERR_CONFIG and words in `reason`, place included
 * ("policy.json: line 3, column 7: ..."). */
int setup_load(const char *path, struct setup *out, char *reason, size_t room);
void setup_free(struct setup *setup);

/* Only config.json; ends the process with `status` if it is not good. */
struct config *config_or_die(const char *path, int status);

/* Options most commands share. */
struct common_options {
	const char *config;
	bool json; /* and --receipts, which receipt_keep knows */
};

/* Read --config, --json and --help from argv; optind is then at the first
 * other argument. False: print `usage` and end with *status_out. */
bool common_options(int argc, char **argv, const char *usage,
    struct common_options *out, int *status_out);
/* The same for a command that takes nothing besides. */
bool options_only(int argc, char **argv, const char *usage,
    struct common_options *out, int *status_out);

/* The whole of a command that takes an archive's name, and of the options only
 * --config: its exit status, that of `run` if all is well. */
int command_of_archive(int argc, char **argv, const char *usage,
    int (*run)(const struct config *config, const char *path));

/* What a client is told without having asked; see proto/client.h. */
typedef int client_notice(
    struct client *client, void *context, const struct message *message);

/* Connect to the operator's or the deliver socket. 0; -ERR_PATH for one whose
 * path is too long; or what client_open says. */
int connect_to(const struct config *config, enum side self, const char *socket,
    client_notice *notice, void *context, struct client **client_out);
/* The same; ends the process with a message that says what to do if there is no
 * service. */
struct client *connect_or_die(const struct config *config, enum side self,
    const char *socket, client_notice *notice, void *context);

/* If the answer has a receipt and --receipts names a file, append it there,
 * durably; ends the process with a message, the receipt in it, if it cannot. */
void receipt_keep_in(const char *path); /* --receipts */
void receipt_keep(const struct client_answer *answer);

/* Ask and return the answer's result; an error answer or none ends the
 * process with a message. */
void ask_or_die(struct client *client, struct client_answer *answer_out);

/* Print hostile text on one line: control characters and all that is not
 * printable ASCII become escapes. */
void print_inert(struct span text);

/* Make the file `name` in `dir` with that mode, whatever our umask, and sync
 * it; ends the process if it cannot or if there is one. */
void write_new_file(
    const char *dir, const char *name, struct span text, mode_t mode);

/* "2026-01-02 03:04:05" of milliseconds since 1970, UTC. */
void format_time(int64_t ms, char out[32]);

#endif
