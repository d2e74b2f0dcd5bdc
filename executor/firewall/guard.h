/*
 * DNS guards: an account's only resolver on Linux. One for each account, which
 * is told apart by the sockets that it comes by. They read questions, keep to
 * their bounds, and write answers; what is answered, others decide.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_GUARD_H
#define TRIZONE_EXECUTOR_FIREWALL_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/firewall/guard_message.h"
#include "executor/firewall/guard_path.h"
#include "executor/firewall/guard_socket.h"
#include "proto/loop.h"

#define GUARD_WAITING_MAX 64u	 /* questions of an account without an answer */
#define GUARD_CONNECTIONS_MAX 8u /* of an account, by TCP */
#define GUARD_CONNECTION_MS 10000 /* from one question to the next */
#define GUARD_RATE 500u		  /* questions of an account in a second */
#define GUARD_BURST 1000u	  /* and at once; what is above is lost */

struct guard;
struct connection;

/* A question that waits for its answer; the last fields are its user's. */
struct guard_question {
	struct guard *guard;
	uint32_t account;
	struct guard_query query;
	int fd;
	struct guard_path path;
	struct connection *connection; /* by TCP; NULL: UDP, or it has ended */
	bool tcp;
	uint32_t row;
	unsigned char family; /* enum address_family */
	int64_t end_ms;
	struct guard_question *next;
};

/* fds: GUARD_SOCKETS_MAX for each account, in order, as guard_sockets_open
 * gives them; they stay the caller's. `asked` is called with each sound
 * question, and has to see to it that guard_answer follows, then or later;
 * broken ones are answered here. */
struct guard *guard_new(struct loop *loop, const int *fds, size_t count,
    void (*asked)(void *context, struct guard_question *question),
    void *context);
void guard_free(struct guard *guard); /* no question may be waiting */

/* Answer and forget the question. */
void guard_answer(
    struct guard_question *question, const struct guard_answer *answer);

#endif
