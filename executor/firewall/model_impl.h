/*
 * What the files of the model share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_MODEL_IMPL_H
#define TRIZONE_EXECUTOR_FIREWALL_MODEL_IMPL_H

#include "executor/firewall/model.h"

/* "moltbot": as useradd(8) takes it; none of our own. */
bool model_name_fits(struct span name);

/* One more account, in its place by name; its port and those of others are
 * given by model_number. NULL: it is there twice, or there are too many. */
struct model_account *model_add(struct model *model, struct span name);
void model_number(struct model *model);

/* What model_pack wrote, from a disk: -ERR_CORRUPT if it is not that. */
extern const struct json_limits model_pack_limits;
int model_unpack_node(const struct json_doc *doc, const struct json_node *list,
    struct model *out);

/* One more account with a copy of the lists of `from`, in its place. */
struct model_account *model_add_copy(
    struct model *model, const struct model_account *from);

#endif
