/*
 * Telling anchors. Opened by the parent, written by the auditor, which believes
 * them nothing: what they say is whether they took a line.
 */
#include "executor/anchor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/audit_proof.h"
#include "executor/notify.h"
#include "executor/order.h"
#include "executor/record.h"

#define PRIORITY "<85>" /* authpriv.notice, RFC 3164 */

static int
open_file(const char *place)
{
	int fd, rc = notify_file_open(place, &fd);

	return rc != 0 ? rc : fd;
}

/* A file that is too long to be read by `audit verify` takes no more. */
static int
send_file(int fd, const char *line)
{
	char text[ANCHOR_LINE_MAX + 1];

	(void)snprintf(text, sizeof text, "%s\n", line);
	return notify_file_add(fd, span_of(text), PROOFS_FILE_MAX);
}

static int
open_syslog(const char *place)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)place;
	if (fd < 0)
		return -ERR_SYSTEM;
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s",
	    notify_syslog_socket());
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		close(fd);
		return -ERR_UNAVAILABLE;
	}
	set_nonblocking(&fd, 1);
	return fd;
}

static int
send_syslog(int fd, const char *line)
{
	char text[ANCHOR_LINE_MAX + 32];
	int bytes = snprintf(
	    text, sizeof text, PRIORITY PROOFS_SYSLOG_TAG ": %s", line);
	ssize_t put;

	do {
		put = write(fd, text, (size_t)bytes);
	} while (put < 0 && errno == EINTR);
	return put == bytes ? 0 : -ERR_UNAVAILABLE;
}

static const struct anchor_kind kinds[] = {
    {"file", open_file, send_file},
    {"syslog", open_syslog, send_syslog},
    {"notify", NULL, NULL},
};

const struct anchor_kind *
anchor_kind_find(struct span name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (span_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static void
log_failure(const struct anchor *anchor)
{
	log_event(LOG_ERROR, "anchor-failed", "kind=%s place=%s reason=%s",
	    anchor->kind->name, anchor->place, err_text(anchor->error));
}

void
anchors_open(struct anchors *anchors)
{
	for (size_t i = 0; i < anchors->count; i++) {
		struct anchor *anchor = &anchors->row[i];
		int fd;

		anchor->fd = -1;
		if (anchor->kind->open == NULL)
			continue;
		fd = anchor->kind->open(anchor->place);
		anchor->fd = fd < 0 ? -1 : fd;
		anchor->error = fd < 0 ? fd : 0;
		if (fd < 0)
			log_failure(anchor);
	}
}

void
anchors_write(const struct anchors *anchors, struct buf *out)
{
	for (size_t i = 0; i < anchors->count; i++) {
		const struct anchor *anchor = &anchors->row[i];

		buf_add_format(out, "%s %d %u %u %s\n", anchor->kind->name,
		    -anchor->error, anchor->capability, anchor->minutes,
		    anchor->place);
	}
	if (out->overflow)
		bug("names of anchors");
}

/* "kind error capability minutes place" */
static void
read_row(struct anchor *anchor, char *line)
{
	char *words[4];

	for (int i = 0; i < 4; i++) {
		words[i] = strsep(&line, " ");
		if (line == NULL)
			bug("an anchor's start text");
	}
	anchor->kind = anchor_kind_find(span_of(words[0]));
	anchor->error = -atoi(words[1]);
	anchor->capability = (uint32_t)strtoul(words[2], NULL, 10);
	anchor->minutes = (uint32_t)strtoul(words[3], NULL, 10);
	anchor->place = alloc_string(line);
	if (anchor->kind == NULL)
		bug("anchor of kind \"%s\"", words[0]);
}

size_t
anchors_read(struct anchors *anchors, struct span text, int fd)
{
	char *copy = alloc_text(text.p, text.n), *rest = copy, *line;
	size_t open = 0;

	anchors->count = 0;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		struct anchor *anchor = &anchors->row[anchors->count];

		if (anchors->count++ == ANCHORS_MAX)
			bug("too many anchors");
		read_row(anchor, line);
		anchor->fd = anchor->error == 0 && anchor->kind->open != NULL
				 ? fd + (int)open++
				 : -1;
	}
	free(copy);
	return open;
}

void
anchors_done(struct anchors *anchors)
{
	for (size_t i = 0; i < anchors->count; i++) {
		if (anchors->row[i].fd >= 0)
			close(anchors->row[i].fd);
		free(anchors->row[i].place);
	}
	anchors->count = 0;
}

void
anchor_write_line(const struct anchored *what, char line[ANCHOR_LINE_MAX])
{
	char hash[RECORD_HASH_DIGITS + 1], key[SIGN_KEY_DIGITS + 1];

	hex_encode(what->hash, SHA256_BYTES, hash);
	hex_encode(what->key, SIGN_KEY_BYTES, key);
	(void)snprintf(line, ANCHOR_LINE_MAX, "%s %016llx %s %s",
	    what->lineage ? "lineage" : "head", (unsigned long long)what->seq,
	    hash, key);
}

size_t
anchors_send(struct anchors *anchors, const struct anchored *what,
    void (*changed)(void *context, const struct anchor *anchor), void *context)
{
	char line[ANCHOR_LINE_MAX];
	size_t taken = 0;

	anchor_write_line(what, line);
	for (size_t i = 0; i < anchors->count; i++) {
		struct anchor *anchor = &anchors->row[i];
		int before = anchor->error;

		if (anchor->fd < 0)
			continue;
		anchor->error = anchor->kind->send(anchor->fd, line);
		taken += anchor->error == 0;
		if ((anchor->error == 0) == (before == 0))
			continue;
		if (anchor->error != 0)
			log_failure(anchor);
		if (changed != NULL)
			changed(context, anchor);
	}
	return taken;
}
