/*
 * attach, towards the executor: what is said of an instance before it connects,
 * on a link to the operator's socket that stays; and the connection itself.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/attach.h"
#include "executor/command.h"
#include "executor/parent_files.h"
#include "proto/endpoint.h"
#include "proto/frame.h"

#define ANSWER_MS 9000	  /* more than the executor waits for its record */
#define WORDS_MS 9000	  /* until the executor says hello, or why not */
#define WORDS_BYTES 32768 /* a hello */
#define LOOK_MS 20

int
attach_read_machine(
    const char *path, struct buf *text, char *reason, size_t room)
{
	struct json_error where = {0};
	struct machine machine;
	struct json_doc doc;
	int rc;

	buf_init(text, MACHINE_FILE_MAX_BYTES);
	rc = config_read_file(path, text, reason, room);
	if (rc != 0)
		return rc;
	json_init(&doc);
	rc = json_parse(
	    &doc, (struct span){text->data, text->len}, NULL, &where);
	if (rc == 0)
		rc = machine_read(&doc, json_root(&doc), &machine, &where);
	if (rc != 0)
		config_error_text(path, &where, reason, room);
	json_done(&doc);
	return rc;
}

static int
open_client(struct attach *a)
{
	if (a->client != NULL)
		return 0;
	return connect_to(
	    a->config, SIDE_OPERATOR, "operator", NULL, NULL, &a->client);
}

/* Send what was begun. A link that is only slow stays, with all that was
 * announced on it. */
static int
ask(struct attach *a, const char *what, struct client_answer *answer_out)
{
	int rc = client_ask(a->client, ANSWER_MS, answer_out);

	if (rc == 0 && answer_out->result != NULL) {
		receipt_keep(answer_out);
		return 0;
	}
	if (client_channel(a->client) == NULL)
		attach_done(a);
	if (rc != 0) {
		log_event(LOG_WARN, what, "zone=%s reason=%s", a->zone->name,
		    err_text(rc));
		return rc;
	}
	log_event(LOG_WARN, what, "zone=%s reason=%.*s", a->zone->name,
	    (int)answer_out->text.n, answer_out->text.p);
	return answer_out->error;
}

/* Our next connection is a new instance. Without that it is the zone's standing
 * session, which is safe and asks more: so a failure is told and no more. */
static void
vouch(struct attach *a)
{
	struct client_answer answer = {0};
	int rc = open_client(a);

	if (rc != 0) {
		log_event(LOG_WARN, "not-vouched",
		    "zone=%s reason=%s; its sessions count as one",
		    a->zone->name, err_text(rc));
		return;
	}
	json_put_text(
	    client_begin(a->client, METHOD_SESSION_NEW), "zone", a->zone->name);
	(void)ask(a, "not-vouched", &answer);
}

/* Machines in a row that were of no use, as the executor counts. */
static uint64_t
failed_of(const struct client_answer *answer)
{
	const struct json_node *node =
	    json_get(answer->doc, answer->result, "failed");

	return node != NULL && node->type == JSON_INTEGER &&
		       node->value.integer > 0
		   ? (uint64_t)node->value.integer
		   : 0;
}

int
attach_announce(struct attach *a)
{
	struct client_answer answer = {0};
	struct json_writer *w;
	int rc;

	if (a->machine.n == 0)
		return 0;
	rc = open_client(a);
	if (rc != 0) {
		log_event(LOG_WARN, "not-announced",
		    "zone=%s reason=%s: is the executor running, and are we "
		    "its operator?",
		    a->zone->name, err_text(rc));
		return rc;
	}
	w = client_begin(a->client, METHOD_ZONE_ATTACH);
	json_put_text(w, "zone", a->zone->name);
	json_put_raw(w, "machine", a->machine);
	rc = ask(a, "not-announced", &answer);
	if (rc == 0)
		a->failed = failed_of(&answer);
	return rc;
}

/* What lies at the front of the socket: 0, the executor's hello; the error that
 * came in place of one. */
static int
judge_words(const struct attach *a, struct span frame)
{
	struct json_doc doc;
	struct message message;
	int rc;

	json_init(&doc);
	rc = message_parse(frame, SIDE_EXECUTOR,
	    a->zone->kind == ZONE_PLANNER ? SIDE_PLANNER : SIDE_READER, &doc,
	    &message, NULL);
	if (rc == 0 && message.type == MESSAGE_ERROR) {
		log_event(LOG_WARN, "turned-away", "zone=%s reason=%.*s",
		    a->zone->name, (int)message.text.n, message.text.p);
		rc = message.code > 0 ? -(int)message.code : -ERR_FAILED;
	} else if (rc == 0 && (message.type != MESSAGE_CALL ||
				  message.method != METHOD_HELLO)) {
		rc = -ERR_PHASE;
	}
	json_done(&doc);
	return rc;
}

/* Look at what has come, and leave it there. 1: not yet a whole frame. */
static int
look(const struct attach *a, int fd)
{
	struct frame_reader reader;
	struct span frame;
	ssize_t got;
	char *to;
	int rc;

	frame_reader_init(&reader);
	to = frame_reader_room(&reader, WORDS_BYTES);
	got = recv(fd, to, WORDS_BYTES, MSG_PEEK | MSG_DONTWAIT);
	if (got > 0) {
		reader.in.len = (size_t)got;
		rc = frame_next(&reader, &frame);
		rc = rc == 1 ? judge_words(a, frame) : rc == 0 ? 1 : rc;
	} else {
		rc = got < 0 && (errno == EAGAIN || errno == EINTR)
			 ? 1
			 : -ERR_CLOSED;
	}
	frame_reader_done(&reader);
	return rc;
}

bool
attach_is_untouched(const struct attach *a, int fd)
{
	return look(a, fd) == 0;
}

/* An instance is dear: none is started for a connection that is turned away.
 * The announcement has been used by then. */
static int
await_words(const struct attach *a, int fd)
{
	int64_t end = clock_ms() + WORDS_MS;
	int rc;

	while ((rc = look(a, fd)) == 1) {
		struct pollfd watch = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_ms();

		if (left <= 0)
			return -ERR_HELLO_TIMEOUT;
		/* more of a frame that has begun gives no other sign */
		(void)poll(&watch, 1, left < LOOK_MS ? (int)left : LOOK_MS);
		if ((watch.revents & POLLIN) != 0)
			(void)poll(NULL, 0, LOOK_MS);
	}
	return rc;
}

static int
connect_zone(struct attach *a)
{
	char path[SOCKET_PATH_BYTES];
	int fd, rc;

	if (socket_path(a->config, a->zone->name, path, sizeof path) != 0)
		return -ERR_PATH;
	fd = endpoint_connect(path);
	if (fd < 0)
		return fd;
	rc = await_words(a, fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int
attach_connect(struct attach *a)
{
	int fd;

	if (a->zone->kind == ZONE_PLANNER)
		vouch(a);
	fd = connect_zone(a);
	if (fd < 0)
		log_event(LOG_WARN, "not-attached", "zone=%s reason=%s",
		    a->zone->name, err_text(fd));
	return fd;
}

void
attach_done(struct attach *a)
{
	client_close(a->client);
	a->client = NULL;
}

void
attach_become(int fd, char **command)
{
	/* the socket is close-on-exec; its two copies are not */
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		die_errno("dup2");
	execvp(command[0], command);
	die_errno("cannot start %s", command[0]);
}
