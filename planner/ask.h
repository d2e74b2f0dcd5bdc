/*
 * What a planner asks of the executor, one function for each method.
 */
#ifndef TRIZONE_PLANNER_ASK_H
#define TRIZONE_PLANNER_ASK_H

#include "proto/client.h"

/* Each returns what client_ask returned; the answer lives until the next. */
int ask_next(
    struct client *client, int64_t wait_ms, struct client_answer *answer_out);
int ask_read(struct client *client, struct span handle,
    struct client_answer *answer_out);
int ask_done(struct client *client, struct span handle, struct span outcome,
    struct client_answer *answer_out);

/* `arguments` is the JSON text of an object. */
int ask_call(struct client *client, struct span name, struct span arguments,
    struct client_answer *answer_out);

#endif
