/*
 * What the subcommands of `policy` share. Each takes its own arguments
 * (argv[0] is its name) and returns an exit status.
 */
#ifndef TRIZONE_EXECUTOR_COMMAND_POLICY_H
#define TRIZONE_EXECUTOR_COMMAND_POLICY_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/policy.h"

int policy_init_main(int argc, char **argv);
int policy_lint_main(int argc, char **argv);
int policy_explain_main(int argc, char **argv);
int policy_test_main(int argc, char **argv);

/* Usage of each, one text; `policy --help` shows them all. */
extern const char policy_init_usage[], policy_lint_usage[],
    policy_explain_usage[], policy_test_usage[];

/* The policy in the file `path`, or, if that is NULL, the one that the
 * configuration names; ends the process with 78 and a place if it cannot be
 * read. Free with policy_free. */
struct policy *policy_load(const char *path, const char *config);

/* A document of the operator's: `text` gets the bytes of the file (or what it
 * has, if `path` is NULL), `doc` its nodes. Ends the process with 65, or 78 if
 * somebody else could have written it. `name` is for messages. */
void document_load(const char *path, const char *name, size_t max,
    struct buf *text, struct json_doc *doc);
/* "name: line 3, column 7: ..." on standard error; ends with 65. */
_Noreturn void document_die(const char *name, const struct json_error *where);

#endif
