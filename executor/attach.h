/*
 * Attaching zones: saying on the operator's socket which instance comes next,
 * connecting it, and keeping instances attached. On the host, by whoever starts
 * zones: he may use the operator's socket, and a zone may not.
 */
#ifndef TRIZONE_EXECUTOR_ATTACH_H
#define TRIZONE_EXECUTOR_ATTACH_H

#include "executor/config.h"
#include "executor/machine.h"
#include "proto/client.h"

/* Our side of the executor, for one zone. The link to the operator's socket
 * stays: the executor closes the connections that were announced on it when it
 * ends, so none of them outlives us. */
struct attach {
	const struct config *config;
	const struct config_zone *zone;
	struct span machine;   /* what is announced; empty: nothing */
	struct client *client; /* NULL: not connected */
	uint64_t failed;       /* machines in a row that were of no use, as the
				  executor said to the last announcement */
};

/* Read a provider's file into `text` and check it. 0, or an error with words
 * in `reason`. */
int attach_read_machine(
    const char *path, struct buf *text, char *reason, size_t room);

/* Announce which machine connects next, if one is named. 0, or a negative
 * error, of which a log line has told. */
int attach_announce(struct attach *attach);
/* Connect to the zone: a descriptor on which the executor has said hello, which
 * nobody has read yet. Or an error as above. */
int attach_connect(struct attach *attach);
/* Whether the executor's hello is still in that socket: nobody has read it. */
bool attach_is_untouched(const struct attach *attach, int fd);
/* Give the link up; announced connections end. */
void attach_done(struct attach *attach);

/* Put `fd` on descriptors 0 and 1 and become the command. */
_Noreturn void attach_become(int fd, char **command);

/* Keep `count` instances of the command attached, or with `again` false run one
 * to its end. Returns after SIGTERM or SIGINT, when all have ended; or with the
 * status of the one, 128 and the signal if it was killed. */
int attach_keep(
    struct attach *attach, char **command, uint32_t count, bool again);

#endif
