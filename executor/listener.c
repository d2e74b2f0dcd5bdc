/*
 * Listener: reads packets that the kernel refused and what the resolver notes,
 * and has the auditor put on record who wanted to go where. Believes neither:
 * whoever is shut in writes the packets, and the resolver reads what strangers
 * answer. It has no network, no files, and nobody to talk to but the auditor.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "executor/firewall/blocked.h"
#include "executor/firewall/capture.h"
#include "executor/firewall/link.h"
#include "executor/firewall/model.h"
#include "executor/listener.h"
#include "executor/order.h"
#include "executor/record.h"
#include "executor/role.h"

#define READS_MAX 64   /* of one source, before the other gets its turn */
#define NOTES_MAX 256  /* the same */
#define NAMES_MAX 4096 /* addresses whose name is remembered */
#define RETRY_MS 1000  /* for an auditor that takes nothing */

_Static_assert(
    sizeof(struct note) <= PIPE_BUF, "a pipe takes a note whole or not at all");

/* Which name the account was told for that address, last. */
struct known_name {
	bool used;
	uint32_t account;
	struct address address;
	char name[MODEL_HOST_BYTES];
};

struct listener {
	struct model model;
	struct capture capture;
	bool captures; /* false: this system has no way to hear of packets */
	struct blocked *blocked;
	struct known_name *names; /* NAMES_MAX rows */
	uint64_t lost, bad;	  /* of the capture, as far as it was told */
	struct buf out; /* of an entry: what the auditor has not taken */
	struct blocked_record record; /* it is of */
	int64_t retry_ms;
	uint64_t unsaid; /* notes that cannot be */
};

/*
 * Names.
 */
static size_t
place_of(uint32_t account, const struct address *a)
{
	uint32_t hash = 2166136261u ^ account;

	for (size_t i = 0; i < sizeof a->bytes; i++)
		hash = (hash ^ a->bytes[i]) * 16777619u;
	return hash % NAMES_MAX;
}

/* Two that share a place push each other out: a name less on record. */
static void
remember(struct listener *l, const struct note *note)
{
	struct known_name *row =
	    &l->names[place_of(note->account, &note->address)];

	row->used = true;
	row->account = note->account;
	row->address = note->address;
	memcpy(row->name, note->name, sizeof row->name);
}

static const char *
name_of(const struct listener *l, uint32_t account, const struct address *a)
{
	const struct known_name *row = &l->names[place_of(account, a)];

	if (row->used && row->account == account &&
	    address_equal(&row->address, a))
		return row->name;
	return "";
}

/*
 * What was refused.
 */
static bool
find_account(const struct listener *l, uint32_t uid, uint32_t *account_out)
{
	for (size_t i = 0; i < l->model.count; i++) {
		if ((uint32_t)l->model.accounts[i].uid != uid)
			continue;
		*account_out = (uint32_t)i;
		return true;
	}
	return false;
}

static enum blocked_what
what_of(const struct packet *packet)
{
	unsigned char flags = packet->flags;

	if (packet->protocol != MODEL_TCP || !packet->has_port ||
	    (flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN)
		return BLOCKED_PACKET;
	return (flags & PACKET_SYN) != 0 ? BLOCKED_ANSWER : BLOCKED_CUT;
}

static void
on_packet(void *context, const struct packet *packet)
{
	struct listener *l = context;
	struct blocked_attempt attempt = {.what = what_of(packet),
	    .address = packet->to,
	    .port = packet->port,
	    .protocol = packet->protocol};

	/* rules log by the owner, so one that has none is not theirs */
	if (!packet->has_uid ||
	    !find_account(l, packet->uid, &attempt.account)) {
		l->capture.bad++;
		return;
	}
	(void)snprintf(attempt.name, sizeof attempt.name, "%s",
	    name_of(l, attempt.account, &packet->to));
	blocked_take(l->blocked, &attempt, 1, clock_ms());
}

static bool
note_is_sound(const struct listener *l, const struct note *note)
{
	const char *end = memchr(note->name, '\0', sizeof note->name);
	const struct address *a = &note->address;

	if (end == NULL || end == note->name ||
	    note->account >= l->model.count ||
	    note->what > NOTE_ADDRESS_REFUSED)
		return false;
	for (const char *c = note->name; c < end; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	if (note->what == NOTE_NAME_REFUSED)
		return true;
	return a->family == ADDRESS_4 || a->family == ADDRESS_6;
}

static void
take_note(struct listener *l, const struct note *note)
{
	struct blocked_attempt attempt = {.what = BLOCKED_NAME};

	if (!note_is_sound(l, note)) {
		if (l->unsaid++ == 0)
			log_event(LOG_ERROR, "bad-note",
			    "reason=the resolver says what cannot be; such "
			    "notes are passed over");
		return;
	}
	if (note->lost != 0)
		blocked_miss(l->blocked, note->account, note->lost);
	if (note->what == NOTE_ANSWERED) {
		remember(l, note);
		return;
	}
	attempt.account = note->account;
	memcpy(attempt.name, note->name, strlen(note->name));
	if (note->what == NOTE_ADDRESS_REFUSED) {
		attempt.what = BLOCKED_SPECIAL;
		attempt.address = note->address;
	}
	blocked_take(l->blocked, &attempt, 1, clock_ms());
}

/* False when there is no resolver any more, and none to come. */
static bool
take_notes(struct listener *l)
{
	struct note note;

	for (int i = 0; i < NOTES_MAX; i++) {
		ssize_t got = read(FD_NOTES, &note, sizeof note);

		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		if (got != sizeof note) /* never: it is written whole */
			die(EXIT_BUG, "a note is cut");
		take_note(l, &note);
	}
	return true;
}

/* What the capture has lost is of all accounts; the first stands for them. */
static bool
take_packets(struct listener *l)
{
	int rc = 1;

	for (int i = 0; i < READS_MAX && rc == 1; i++)
		rc = capture_read(&l->capture, on_packet, l);
	if (l->capture.lost != l->lost)
		blocked_miss(l->blocked, 0, l->capture.lost - l->lost);
	l->lost = l->capture.lost;
	if (l->capture.bad != l->bad && l->bad == 0)
		log_event(LOG_WARN, "bad-packet",
		    "reason=what was logged for group 53 is no packet of an "
		    "account; such are passed over");
	l->bad = l->capture.bad;
	return rc >= 0;
}

/*
 * To the auditor.
 */
static const char *const reasons[BLOCKED_WHAT_COUNT] = {
    [BLOCKED_PACKET] = "not among the hosts of its account",
    [BLOCKED_ANSWER] = "it would answer who connects to it",
    [BLOCKED_CUT] = "a connection it may not have any more",
    [BLOCKED_NAME] = "the name is not among the hosts of its account",
    [BLOCKED_SPECIAL] = "its name leads to an address that is not public",
};

/* "example.org:443", "[::1]:443"; its length before it was cut. */
static void
put_destination(const struct blocked_attempt *a, struct entry_head *out)
{
	char address[ADDRESS_TEXT_BYTES];
	struct buf text;

	buf_init(&text, MODEL_HOST_BYTES + ADDRESS_TEXT_BYTES);
	if (a->name[0] == '\0') {
		bool six = a->address.family == ADDRESS_6;

		address_format(&a->address, address);
		buf_add_format(
		    &text, "%s%s%s", six ? "[" : "", address, six ? "]" : "");
	} else {
		buf_add_text(&text, a->name);
	}
	if (a->port != 0)
		buf_add_format(&text, ":%u", a->port);
	out->destination_full = (uint32_t)text.len;
	memcpy(out->destination, text.data,
	    text.len < ENTRY_DESTINATION_MAX ? text.len
					     : ENTRY_DESTINATION_MAX);
	buf_free(&text);
}

static void
put_detail(const struct listener *l, struct buf *out)
{
	const struct blocked_attempt *a = &l->record.attempt;
	const struct model_account *account = &l->model.accounts[a->account];
	const char *protocol = packet_protocol_name(a->protocol);
	char address[ADDRESS_TEXT_BYTES];
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "user", account->name);
	json_put_integer(&w, "uid", (int64_t)account->uid);
	json_put_integer(&w, "count", (int64_t)l->record.count);
	if (a->address.family != ADDRESS_NONE) {
		address_format(&a->address, address);
		json_put_text(&w, "address", address);
	}
	if (a->port != 0)
		json_put_integer(&w, "port", a->port);
	if (protocol != NULL)
		json_put_text(&w, "protocol", protocol);
	else if (a->protocol != 0)
		json_put_integer(&w, "protocol", a->protocol);
	if (a->name[0] != '\0')
		json_put_text(&w, "name", a->name);
	if (l->record.left_out != 0)
		json_put_integer(&w, "left_out", (int64_t)l->record.left_out);
	json_close(&w, '}');
}

static void
put_record(struct listener *l)
{
	struct entry_head head = {.magic = ORDER_MAGIC,
	    .kind = RECORD_BLOCKED,
	    .capability = NO_CAPABILITY};
	struct buf detail;

	buf_init(&detail, LISTENER_DETAIL_BYTES);
	put_detail(l, &detail);
	if (detail.overflow)
		bug("detail of a blocked record");
	head.detail_bytes = (uint32_t)detail.len;
	put_destination(&l->record.attempt, &head);
	(void)snprintf(
	    head.why, sizeof head.why, "%s", reasons[l->record.attempt.what]);
	buf_add(&l->out, &head, sizeof head);
	buf_add(&l->out, detail.data, detail.len);
	buf_free(&detail);
}

/* What the auditor takes now of the entry. False: there is none any more. */
static bool
write_record(struct listener *l)
{
	ssize_t put = write(FD_BLOCKED, l->out.data, l->out.len);

	if (put > 0)
		buf_consume(&l->out, (size_t)put);
	return put > 0 || errno == EAGAIN || errno == EINTR;
}

static bool
tell(struct listener *l)
{
	int64_t now = clock_ms();

	l->retry_ms = 0;
	for (;;) {
		if (l->out.len == 0) {
			if (!blocked_next(l->blocked, now, &l->record))
				return true;
			put_record(l);
		}
		if (!write_record(l))
			return false;
		if (l->out.len == 0)
			continue;
		l->retry_ms = now + RETRY_MS;
		return true;
	}
}

static int
poll_timeout(const struct listener *l)
{
	int64_t now = clock_ms();
	int64_t at =
	    l->retry_ms != 0 ? l->retry_ms : blocked_due(l->blocked, now);

	if (at == 0)
		return -1;
	return at > now ? (int)(at - now) : 0;
}

/* False when it is time to end: whoever started us is gone. */
static bool
serve_once(struct listener *l)
{
	struct pollfd watch[] = {
	    {.fd = FD_CONTROL, .events = POLLIN},
	    {.fd = l->captures ? FD_CAPTURE : -1, .events = POLLIN},
	    {.fd = FD_NOTES, .events = POLLIN},
	};

	if (poll(watch, 3, poll_timeout(l)) < 0 && errno != EINTR)
		die_errno("poll");
	if (watch[0].revents != 0)
		return false;
	if (watch[2].revents != 0 && !take_notes(l))
		return false;
	if (watch[1].revents != 0 && !take_packets(l))
		die(EXIT_UNAVAILABLE, "blocked packets cannot be read");
	return tell(l);
}

int
listener_main(void)
{
	static struct listener l;
	struct span texts[2];
	struct buf store;

	if (role_begin(&store, texts, 2) != 2)
		bug("listener start texts");
	model_unpack(texts[0], &l.model);
	l.captures = span_is(texts[1], "capture");
	buf_free(&store);
	buf_init(&l.out, sizeof(struct entry_head) + LISTENER_DETAIL_BYTES);
	l.blocked = blocked_new();
	l.names = alloc_array(NAMES_MAX, sizeof *l.names);
	capture_init(&l.capture, FD_CAPTURE);
	set_nonblocking((const int[]){FD_CONTROL, FD_NOTES, FD_BLOCKED}, 3);
	role_seal();
	role_ready();
	while (serve_once(&l))
		continue;
	model_free(&l.model);
	blocked_free(l.blocked);
	buf_free(&l.out);
	free(l.names);
	return EXIT_DONE;
}
