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

#endif
