/*
 * How many packets of an account the rules have refused, since they were
 * loaded.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_REACHED_H
#define TRIZONE_EXECUTOR_FIREWALL_REACHED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/firewall.h"
#include "common/text.h"
#include "executor/firewall/model.h"

struct reached {
	bool known;
	uint64_t packets, bytes;
};

/* Ask the kernel by the backend's program, as root. What cannot be told is not
 * known. */
struct reached reached_read(
    enum firewall_backend backend, const struct model_account *account);

/* Add what a listing of the program says about the user. Pure. */
void reached_parse(enum firewall_backend backend, struct span listing,
    uid_t uid, struct reached *out);

#endif
