/*
 * Tries of `firewall test`. The child does one thing with blocking calls and
 * ends; who waits for it holds the clock.
 */
#include "executor/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"

#define ANSWER_MS 300 /* for an echo, or an error about a datagram */
#define QUESTION_BYTES 512

union endpoint {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t
endpoint_of(const struct address *address, uint16_t port, union endpoint *out)
{
	*out = (union endpoint){.any.sa_family = AF_UNSPEC};
	if (address->family == ADDRESS_6) {
		out->six.sin6_family = AF_INET6;
		out->six.sin6_port = htons(port);
		memcpy(&out->six.sin6_addr, address->bytes, 16);
		return sizeof out->six;
	}
	out->four.sin_family = AF_INET;
	out->four.sin_port = htons(port);
	memcpy(&out->four.sin_addr, address->bytes, 4);
	return sizeof out->four;
}

static int
socket_for(const struct address *address, int type, int protocol)
{
	return socket(
	    address->family == ADDRESS_6 ? AF_INET6 : AF_INET, type, protocol);
}

static void
failed(struct attempt_result *out)
{
	out->outcome = ATTEMPT_FAILED;
	out->error = errno;
}

static void
try_connection(
    const struct address *address, uint16_t port, struct attempt_result *out)
{
	union endpoint to;
	socklen_t bytes = endpoint_of(address, port, &to);
	int fd = socket_for(address, SOCK_STREAM, 0);

	out->address = *address;
	if (fd < 0 || connect(fd, &to.any, bytes) != 0)
		failed(out);
	else
		out->outcome = ATTEMPT_WORKED;
	(void)close(fd);
}

/* Send the bytes on a connected socket; whether an answer came, its length in
 * *bytes. An error that comes back counts as the answer to the sending. */
static bool
send_and_wait(int fd, const void *message, size_t length, void *answer,
    size_t *bytes, struct attempt_result *out)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (send(fd, message, length, 0) < 0) {
		failed(out);
		return false;
	}
	out->outcome = ATTEMPT_SILENT;
	if (poll(&wait, 1, ANSWER_MS) <= 0)
		return false;
	n = recv(fd, answer, *bytes, 0);
	if (n < 0) {
		failed(out);
		return false;
	}
	*bytes = (size_t)n;
	out->outcome = ATTEMPT_WORKED;
	return true;
}

/* A socket for datagrams that is connected there, or -1. */
static int
datagrams_to(const struct address *address, uint16_t port, int protocol,
    struct attempt_result *out)
{
	union endpoint to;
	socklen_t bytes = endpoint_of(address, port, &to);
	int fd = socket_for(address, SOCK_DGRAM, protocol);

	out->address = *address;
	if (fd >= 0 && connect(fd, &to.any, bytes) == 0)
		return fd;
	failed(out);
	(void)close(fd);
	return -1;
}

static void
try_datagram(
    const struct address *address, uint16_t port, struct attempt_result *out)
{
	static const char message[] = "trizone firewall test";
	char answer[512];
	size_t bytes = sizeof answer;
	int fd = datagrams_to(address, port, 0, out);

	if (fd < 0)
		return;
	(void)send_and_wait(fd, message, sizeof message, answer, &bytes, out);
	(void)close(fd);
}

static void
try_echo(const struct address *address, struct attempt_result *out)
{
	bool six = address->family == ADDRESS_6;
	unsigned char request[16] = {six ? 128 : 8}, answer[512];
	size_t bytes = sizeof answer;
	int fd =
	    datagrams_to(address, 0, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, out);

	if (fd < 0)
		return;
	(void)send_and_wait(fd, request, sizeof request, answer, &bytes, out);
	(void)close(fd);
}

/* A question for the addresses of `name` (RFC 1035, 4.1); its bytes. */
static size_t
question(const char *name, unsigned char out[QUESTION_BYTES])
{
	static const unsigned char head[12] = {0x74, 0x7a, 1, 0, 0, 1};
	static const unsigned char tail[5] = {0, 0, 1, 0, 1};
	size_t at = sizeof head;

	memcpy(out, head, sizeof head);
	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		if (label == 0 || label > 63 ||
		    at + 1 + label + sizeof tail > QUESTION_BYTES)
			bug("a name that cannot be asked for");
		out[at++] = (unsigned char)label;
		memcpy(out + at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	memcpy(out + at, tail, sizeof tail);
	return at + sizeof tail;
}

static void
try_question(const struct attempt *a, struct attempt_result *out)
{
	unsigned char message[QUESTION_BYTES], answer[QUESTION_BYTES];
	size_t bytes = sizeof answer;
	int fd = datagrams_to(&a->address, 53, 0, out);

	if (fd < 0)
		return;
	if (send_and_wait(fd, message, question(a->host.name, message), answer,
		&bytes, out)) {
		out->outcome = bytes > 3 ? ATTEMPT_ANSWERED : ATTEMPT_SILENT;
		out->error = bytes > 3 ? answer[3] & 15 : 0;
	}
	(void)close(fd);
}

static void
try_socket(const struct attempt *a, struct attempt_result *out)
{
	int fd = socket(a->domain, a->type, a->protocol);

	if (fd < 0)
		failed(out);
	else
		out->outcome = ATTEMPT_WORKED;
	(void)close(fd);
}

static void
try_address(const struct model_host *host, const struct address *address,
    struct attempt_result *out)
{
	if (host->protocol == MODEL_TCP) {
		try_connection(address, host->port, out);
		return;
	}
	try_datagram(address, host->port, out);
	if (out->outcome == ATTEMPT_SILENT)
		out->outcome = ATTEMPT_WORKED; /* nobody has to answer that */
}

static void
try_host(const struct model_host *host, struct attempt_result *out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all, *at;
	int rc;

	if (host->address.family != ADDRESS_NONE) {
		try_address(host, &host->address, out);
		return;
	}
	rc = getaddrinfo(host->name, NULL, &hints, &all);
	out->outcome = ATTEMPT_NO_NAME;
	out->error = rc;
	if (rc != 0)
		return;
	for (at = all; at != NULL && out->outcome != ATTEMPT_WORKED;
	     at = at->ai_next) {
		const union endpoint *found = (const void *)at->ai_addr;
		struct address address = {.family = ADDRESS_NONE};

		if (at->ai_family == AF_INET) {
			address.family = ADDRESS_4;
			memcpy(address.bytes, &found->four.sin_addr, 4);
		} else if (at->ai_family == AF_INET6) {
			address.family = ADDRESS_6;
			memcpy(address.bytes, &found->six.sin6_addr, 16);
		} else {
			continue;
		}
		try_address(host, &address, out);
	}
	freeaddrinfo(all);
}

static void
try_it(const struct attempt *a, struct attempt_result *out)
{
	switch (a->kind) {
	case ATTEMPT_HOST:
		try_host(&a->host, out);
		break;
	case ATTEMPT_TCP:
		try_connection(&a->address, a->port, out);
		break;
	case ATTEMPT_UDP:
		try_datagram(&a->address, a->port, out);
		break;
	case ATTEMPT_ECHO:
		try_echo(&a->address, out);
		break;
	case ATTEMPT_ASK:
		try_question(a, out);
		break;
	case ATTEMPT_SOCKET:
		try_socket(a, out);
		break;
	}
}

/* Become the account in a child; there it returns 0, with the writing end of a
 * pipe whose reading end the parent has. */
static pid_t
fork_as(const struct account *as, int *fd_out)
{
	char reason[256];
	int fds[2];
	pid_t pid;

	(void)fflush(stdout);
	if (pipe(fds) != 0)
		die_errno("pipe");
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	(void)close(fds[pid == 0 ? 0 : 1]);
	*fd_out = fds[pid == 0 ? 1 : 0];
	if (pid != 0)
		return pid;
	if (account_become(as, reason, sizeof reason) != 0)
		die(EXIT_SYSTEM, "%s", reason);
	return 0;
}

/* Read exactly that, before the deadline. */
static bool
read_within(int fd, void *out, size_t bytes, int deadline_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t end = clock_ms() + deadline_ms;
	int rc;

	do {
		int64_t left = end - clock_ms();

		rc = poll(&wait, 1, left > 0 ? (int)left : 0);
	} while (rc < 0 && errno == EINTR);
	/* one write of a few bytes comes as one */
	return rc == 1 && read(fd, out, bytes) == (ssize_t)bytes;
}

void
attempt_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void
attempt_run(const struct attempt *attempt, const struct account *as,
    int deadline_ms, struct attempt_result *out)
{
	struct attempt_result result = {.outcome = ATTEMPT_HUNG};
	int64_t began = clock_ms();
	pid_t pid;
	int fd;

	pid = fork_as(as, &fd);
	if (pid == 0) {
		began = clock_ms();
		try_it(attempt, &result);
		result.ms = (int)(clock_ms() - began);
		_exit(write(fd, &result, sizeof result) !=
		      (ssize_t)sizeof result);
	}
	if (!read_within(fd, &result, sizeof result, deadline_ms))
		result = (struct attempt_result){.outcome = ATTEMPT_HUNG,
		    .address = attempt->address,
		    .ms = (int)(clock_ms() - began)};
	(void)close(fd);
	attempt_end(pid);
	*out = result;
}

/* Listen on loopback; the port, or 0. */
static uint16_t
listen_on_loopback(enum address_family family)
{
	struct address address = {.family = ADDRESS_4, .bytes = {127, 0, 0, 1}};
	union endpoint here;
	socklen_t bytes;
	int fd;

	if (family == ADDRESS_6)
		address =
		    (struct address){.family = ADDRESS_6, .bytes = {[15] = 1}};
	bytes = endpoint_of(&address, 0, &here);
	fd = socket_for(&address, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &here.any, bytes) != 0 || listen(fd, 8) != 0 ||
	    getsockname(fd, &here.any, &bytes) != 0)
		return 0;
	return ntohs(
	    family == ADDRESS_6 ? here.six.sin6_port : here.four.sin_port);
}

pid_t
attempt_serve(
    const struct account *as, enum address_family family, uint16_t *port_out)
{
	uint16_t port = 0;
	pid_t pid;
	int fd;

	pid = fork_as(as, &fd);
	if (pid == 0) {
		port = listen_on_loopback(family);
		if (write(fd, &port, sizeof port) != (ssize_t)sizeof port)
			_exit(1);
		for (;;)
			(void)pause();
	}
	if (!read_within(fd, &port, sizeof port, 5000) || port == 0) {
		attempt_end(pid);
		pid = -1;
	}
	(void)close(fd);
	*port_out = port;
	return pid;
}

void
attempt_error_name(int error, char *out, size_t room)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {{ECONNREFUSED, "ECONNREFUSED"}, {EPERM, "EPERM"},
	    {EACCES, "EACCES"}, {EHOSTUNREACH, "EHOSTUNREACH"},
	    {ENETUNREACH, "ENETUNREACH"}, {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	    {ETIMEDOUT, "ETIMEDOUT"}, {ECONNRESET, "ECONNRESET"},
	    {EAFNOSUPPORT, "EAFNOSUPPORT"}, {EINVAL, "EINVAL"},
	    {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
	    {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT"}, {ENETDOWN, "ENETDOWN"},
	    {ENOPROTOOPT, "ENOPROTOOPT"}, {EMFILE, "EMFILE"}};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error) {
			(void)snprintf(out, room, "%s", names[i].name);
			return;
		}
	(void)snprintf(out, room, "error %d", error);
}
