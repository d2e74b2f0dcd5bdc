/*
 * One try to reach something, made by a child as another account: for
 * `firewall test`. Every try has a deadline; a child that has not ended by
 * then is killed.
 */
#ifndef TRIZONE_EXECUTOR_ATTEMPT_H
#define TRIZONE_EXECUTOR_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/account.h"
#include "executor/firewall/address.h"
#include "executor/firewall/model.h"

enum attempt_kind {
	ATTEMPT_HOST,  /* the host as in "allow": its name looked up by the
			  system's resolver, the first address that works */
	ATTEMPT_TCP,   /* a connection to address and port */
	ATTEMPT_UDP,   /* a datagram there */
	ATTEMPT_ECHO,  /* ICMP or ICMPv6 echo, by a socket anybody may have */
	ATTEMPT_ASK,   /* a question for `host` to port 53 of the address */
	ATTEMPT_SOCKET /* a socket of that domain, type and protocol */
};

struct attempt {
	enum attempt_kind kind;
	struct model_host host; /* of a question only the name is used */
	struct address address;
	uint16_t port;
	int domain, type, protocol;
};

enum attempt_outcome {
	ATTEMPT_WORKED,	  /* it connected, was sent, or was made */
	ATTEMPT_ANSWERED, /* the question, with the code `error` */
	ATTEMPT_FAILED,	  /* with `error` */
	ATTEMPT_SILENT,	  /* it was sent and nothing came back */
	ATTEMPT_HUNG,	  /* nothing had come of it at the deadline */
	ATTEMPT_NO_NAME, /* the host has no address; `error` is getaddrinfo's */
};

struct attempt_result {
	enum attempt_outcome outcome;
	int error;
	int ms;
	struct address address; /* that it worked with, or was tried last */
};

/* Fork, become `as`, try, report. Needs root. Ends the process with a message
 * if no child can be had. */
void attempt_run(const struct attempt *attempt, const struct account *as,
    int deadline_ms, struct attempt_result *out);

/* Let a child listen as `as` on the loopback address of the family, at a port
 * of the kernel's choice, until attempt_end. Its process id, or -1: it could
 * not listen. */
pid_t attempt_serve(
    const struct account *as, enum address_family family, uint16_t *port_out);
void attempt_end(pid_t pid);

/* "ECONNREFUSED"; "error 123" of what has no name here. */
void attempt_error_name(int error, char *out, size_t room);

/* Sockets the account should not have, because no rule for accounts sees what
 * they send; what differs between systems is in attempt_linux.c and
 * attempt_macos.c. */
struct attempt_socket {
	const char *name;
	int domain, type, protocol;
	const char *remedy;
};
const struct attempt_socket *attempt_sockets(size_t *count_out);
/* Whether port 53 of the account leads to a guard; whether ICMP is refused. */
bool attempt_has_guard(void);
bool attempt_refuses_echo(void);

#endif
