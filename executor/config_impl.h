/*
 * What the files of the configuration share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_CONFIG_IMPL_H
#define TRIZONE_EXECUTOR_CONFIG_IMPL_H

#include "executor/config.h"

/* Read the object "peers" into the sockets it names; the others get root and
 * our own user, a zone's also its account where we are root. Without `look_up`
 * a name is passed over. */
int config_read_peers(struct config *config, const struct json_doc *doc,
    const struct json_node *peers, bool look_up, struct json_error *where);

/* The name or number of an account, a word, into `out`, which is freed first.
 */
int config_read_account(const struct json_doc *doc,
    const struct json_node *node, char **out, struct json_error *where);

/* Read the object "accounts"; roles it does not name have the usual ones. */
int config_read_accounts(struct config *config, const struct json_doc *doc,
    const struct json_node *accounts, struct json_error *where);

/* Read "reviewer" when peers and accounts are known: nobody else may run as
 * that user. He may use the operator's socket. */
int config_read_reviewer(struct config *config, const struct json_doc *doc,
    const struct json_node *reviewer, bool look_up, struct json_error *where);

/* An absolute path without `.`, `..`, empty parts or a slash at its end. */
int config_read_absolute(const struct json_doc *doc,
    const struct json_node *node, const char *key, char **path_out,
    struct json_error *where);

/* Read the list "anchors" of the audit; NULL is fine. */
int config_read_anchors(struct config *config, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where);

/* A zone's keys about its machines, as they stand there; rows for the table of
 * a zone's keys, whose struct has this as `machine`. config_machine.c */
struct config_machine_text {
	const struct json_node *provider, *isolation;
	int64_t memory_mb, cpus, warm, recycle_after, recycle_minutes;
};
/* clang-format off */
#define CONFIG_MACHINE_ROWS(type)					\
	{"provider", JSON_WANT_ANY, false,				\
	    offsetof(type, machine.provider), 0, 0},			\
	{"isolation", JSON_WANT_ANY, false,				\
	    offsetof(type, machine.isolation), 0, 0},			\
	{"memory_mb", JSON_WANT_INTEGER, false,				\
	    offsetof(type, machine.memory_mb), MACHINE_MEMORY_MIN_MB,	\
	    MACHINE_MEMORY_MAX_MB},					\
	{"cpus", JSON_WANT_INTEGER, false,				\
	    offsetof(type, machine.cpus), 1, MACHINE_CPUS_MAX},		\
	{"warm", JSON_WANT_INTEGER, false,				\
	    offsetof(type, machine.warm), 1, MACHINE_WARM_MAX},		\
	{"recycle_after", JSON_WANT_INTEGER, false,			\
	    offsetof(type, machine.recycle_after), 1, MACHINE_RECYCLE_MAX},\
	{"recycle_minutes", JSON_WANT_INTEGER, false,			\
	    offsetof(type, machine.recycle_minutes), 1,			\
	    MACHINE_RECYCLE_MAX_MINUTES}
/* clang-format on */

/* What a zone of that kind has if nothing is said. */
struct config_machine_text config_machine_usual(enum zone_kind kind);
/* Take them into `zone`, whose other keys are read and stand in `node`; how
 * many connections it may have follows. */
int config_take_machine(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, const struct config_machine_text *text,
    struct json_error *where);

/* Read the object "zones". */
int config_read_zones(struct config *config, const struct json_doc *doc,
    const struct json_node *zones, struct json_error *where);

/* The channel `node` names has to be one that messages are delivered to. */
int config_require_channel(const struct json_doc *doc,
    const struct json_node *node, struct json_error *where);

/* Read the object "resolver"; NULL is fine. config_resolver.c */
int config_read_resolver(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where);

/* config_people.c */
int config_read_operator(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where);
/* An age recipient; absent is fine. */
int config_read_recipient(const struct json_doc *doc,
    const struct json_node *node, char **out, struct json_error *where);
void config_people_free(struct config_people *people);

#endif
