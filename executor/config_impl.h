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
