/*
 * What was refused, gathered for the audit: the same attempt again within some
 * seconds is a number and no record of its own, and no account can have more
 * than so many records a minute. Pure.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_BLOCKED_H
#define TRIZONE_EXECUTOR_FIREWALL_BLOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/firewall/address.h"
#include "executor/firewall/model.h"

#define BLOCKED_WINDOW_MS 10000 /* the same again within is counted */
#define BLOCKED_ROWS 64u	/* different attempts at a time, an account */
#define BLOCKED_BURST 20u	/* records of an account at once, */
#define BLOCKED_EVERY_MS 500	/* and one more every so often */

enum blocked_what {
	BLOCKED_PACKET, /* it is not in the sets */
	BLOCKED_ANSWER, /* TCP: it answers who connects to it */
	BLOCKED_CUT,	/* TCP: of a connection that it may not have any more */
	BLOCKED_NAME,	/* a name it may not ask for */
	BLOCKED_SPECIAL, /* its name has an address that is not public */
	BLOCKED_WHAT_COUNT
};

struct blocked_attempt {
	enum blocked_what what;
	uint32_t account;
	struct address address; /* family ADDRESS_NONE: none */
	uint16_t port;		/* 0: none */
	unsigned char protocol; /* of IP; 0: none */
	char name[MODEL_HOST_BYTES];
};

struct blocked_record {
	struct blocked_attempt attempt;
	uint64_t count;	   /* how often, since the record before */
	uint64_t left_out; /* attempts of the account that are in no record */
};

struct blocked;

struct blocked *blocked_new(void);
void blocked_free(struct blocked *blocked);

/* It happened, now or (`count`) so often. */
void blocked_take(struct blocked *blocked,
    const struct blocked_attempt *attempt, uint64_t count, int64_t now_ms);

/* So many were not even seen. */
void blocked_miss(struct blocked *blocked, uint32_t account, uint64_t count);

/* A record that is due, taken out: true. */
bool blocked_next(
    struct blocked *blocked, int64_t now_ms, struct blocked_record *out);

/* When one may be due; 0: nothing is waited for. */
int64_t blocked_due(const struct blocked *blocked, int64_t now_ms);

#endif
