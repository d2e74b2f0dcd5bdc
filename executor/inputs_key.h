/*
 * Keys of decision inputs and the operator's age key: sealing runs once at the
 * start of the service in a helper, opening in the operator's own command.
 * Keys pass through pipes of these processes, never through arguments, the
 * environment or a file.
 */
#ifndef TRIZONE_EXECUTOR_INPUTS_KEY_H
#define TRIZONE_EXECUTOR_INPUTS_KEY_H

#include "executor/inputs_store.h"

/* A new random key, and what age (or rage) makes of it for `recipient`. 0;
 * -ERR_UNAVAILABLE: there is neither, -ERR_FAILED: it did not take it; with
 * words for the operator. */
int inputs_key_make(
    const char *recipient, struct inputs_key *out, char *reason, size_t room);

/* What was sealed, by the identity file at `identity`. 0; -ERR_DENIED: it is
 * not for that identity, or no identity; else as above. */
int inputs_key_open(const char *identity, struct span wrapped,
    unsigned char key_out[SEAL_KEY_BYTES], char *reason, size_t room);

#endif
