/*
 * The planner's loop: take a message, think by rules, act by calls, finish.
 */
#ifndef TRIZONE_PLANNER_THINK_H
#define TRIZONE_PLANNER_THINK_H

#include "planner/rules.h"
#include "proto/client.h"

/* Work until the executor says the session is over or the channel closes.
 * Returns an exit status. */
int think_run(struct client *client, const struct rules *rules);

#endif
