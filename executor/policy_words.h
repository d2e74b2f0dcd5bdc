/*
 * Sets of effects, origins, legs and hours in words and as lists of JSON, for
 * all that shows a policy to a person or a client.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_WORDS_H
#define TRIZONE_EXECUTOR_POLICY_WORDS_H

#include "executor/policy_impl.h"

/* "leaves or changes", with `between` in the place of " or ". */
void words_add_effects(struct buf *out, unsigned effects, const char *between);
void words_add_origins(struct buf *out, unsigned origins, const char *between);
void words_add_legs(struct buf *out, unsigned legs, const char *between);
/* "08:00 to 18:00 mon tue" */
void words_add_hours(struct buf *out, const struct rule *rule);

/* A member of the open object: a list of names. */
void words_put_effects(
    struct json_writer *w, const char *key, unsigned effects);
void words_put_origins(
    struct json_writer *w, const char *key, unsigned origins);
void words_put_legs(struct json_writer *w, const char *key, unsigned legs);

#endif
