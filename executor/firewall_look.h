/*
 * What the kernel has of each account, for status and doctor. Needs root;
 * changes nothing.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_LOOK_H
#define TRIZONE_EXECUTOR_FIREWALL_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/command.h"
#include "executor/firewall/applied.h"
#include "executor/firewall/reached.h"
#include "executor/firewall/set.h"

#define LOOK_GUARDS 4
#define LOOK_REASON_BYTES 600

struct look_account {
	const struct model_account *account;
	bool applied; /* its rules are to be there */
	struct reached reached;
	bool guards_known;	  /* this system has them, and tells */
	bool guards[LOOK_GUARDS]; /* UDP, TCP of IPv4; of IPv6 */
	struct set_item *items;	  /* of `fresh` */
	size_t item_count;
	int error; /* of listing them */
};

struct look {
	struct setup setup;
	struct applied applied;
	struct model model;		    /* as it has to be loaded now */
	enum firewall_backend backend;	    /* _COUNT: nothing was applied */
	char difference[LOOK_REASON_BYTES]; /* "": rules are as applied */
	char pending[MODEL_NAME_BYTES];	    /* that waits for confirm, or "" */
	int64_t pending_s;
	bool running; /* the service */
	struct look_account accounts[2 * MODEL_ACCOUNTS_MAX];
	size_t count; /* applied ones, then those of the policy alone */
};

/* Ends the process with a message if configuration or policy cannot be
 * read. */
void look_read(struct look *look, const char *config);
void look_done(struct look *look);

/* Everything is as it should be, for every account of the policy. */
bool look_is_good(const struct look *look);

/* Whether the element is there for that host. */
bool look_is_of(const struct set_item *item, const struct model_host *host);

/* Somebody has every socket of the account's guard. */
bool look_guarded(const struct look_account *a);

#endif
