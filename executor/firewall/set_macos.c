/*
 * Sets of addresses: pf's tables in our anchor, by pfctl. Runs in the parent,
 * as root. A table knows no times, so what has to end is kept here until
 * set_expire takes it out. `known` is pf's states: an established connection
 * lives until set_remove kills the states to its address.
 */
#include "executor/firewall/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/run.h"
#include "executor/firewall/model.h"
#include "executor/firewall/text.h"

#define TABLE_BYTES 32u /* pf's PF_TABLE_NAME_SIZE */
#define OUTPUT_BYTES                                                           \
	(4u << 20)	 /* a table of SET_BATCH addresses is 200 KiB          \
			  */
#define FIRST_WORD 4	 /* of pfctl's, behind those that name the anchor */
#define WORDS_MAX 6	 /* "-t TABLE -T add -f -" */
#define KEPT_MAX 16384u	 /* that end; more are refused */
#define ALL_TABLES 1024u /* ports and protocols of one account */

struct kept {
	uid_t uid;
	struct set_item item;
	int64_t end_ms;
};

struct set {
	char pfctl[128];
	struct kept *kept;
	size_t count, room;
};

struct set *
set_open(enum firewall_backend backend, char *reason, size_t room)
{
	struct set *set;

	if (backend != FIREWALL_PF) {
		(void)snprintf(reason, room, "%s has no sets on this system",
		    firewall_backend_name(backend));
		return NULL;
	}
	set = alloc_bytes(sizeof *set);
	if (!run_find(run_folders, "pfctl", set->pfctl, sizeof set->pfctl)) {
		(void)snprintf(reason, room, "pfctl is not installed");
		free(set);
		return NULL;
	}
	return set;
}

int
set_descriptor(const struct set *set)
{
	(void)set;
	return -1;
}

void
set_close(struct set *set)
{
	if (set == NULL)
		return;
	free(set->kept);
	free(set);
}

static void
table_name(uid_t uid, const struct set_item *item, char out[TABLE_BYTES])
{
	(void)snprintf(out, TABLE_BYTES, "trizone_%lu_%u_%s",
	    (unsigned long)uid, (unsigned)item->port,
	    item->protocol == MODEL_UDP ? "udp" : "tcp");
}

/* pfctl -a ANCHOR and these words; `out` is added to. */
static int
pfctl(const struct set *set, const char *const words[], struct span input,
    struct buf *out)
{
	const char *argv[FIRST_WORD + WORDS_MAX + 1] = {
	    set->pfctl, "-q", "-a", TEXT_TABLE};
	struct buf errors;
	int status = 0, rc;

	for (size_t i = 0; words[i] != NULL; i++) {
		if (i == WORDS_MAX)
			bug("too many words for pfctl");
		argv[FIRST_WORD + i] = words[i];
	}
	buf_init(&errors, OUTPUT_BYTES);
	rc = run_program(argv, input, out, &errors, SET_MS, &status);
	buf_free(&errors);
	if (rc == 0 && status != 0)
		rc = -ERR_UNAVAILABLE;
	return rc;
}

static int
pfctl_quiet(const struct set *set, const char *const words[], struct span input)
{
	struct buf out;
	int rc;

	buf_init(&out, OUTPUT_BYTES);
	rc = pfctl(set, words, input, &out);
	buf_free(&out);
	return rc;
}

static bool
same_table(const struct set_item *a, const struct set_item *b)
{
	return a->port == b->port && a->protocol == b->protocol;
}

/* Those of the items that belong into the table of items[at]; `done` marks
 * them. */
static void
collect(const struct set_item *items, size_t count, size_t at, bool *done,
    struct buf *out)
{
	for (size_t i = at; i < count; i++) {
		char text[ADDRESS_TEXT_BYTES];

		if (!same_table(&items[i], &items[at]))
			continue;
		done[i] = true;
		address_format(&items[i].address, text);
		(void)buf_add_format(out, "%s\n", text);
	}
}

/* "add" or "delete", a table after another. */
static int
change(const struct set *set, uid_t uid, const char *verb,
    const struct set_item *items, size_t count)
{
	bool *done = alloc_array(count, sizeof *done);
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		char name[TABLE_BYTES];
		const char *words[] = {"-t", name, "-T", verb, "-f", "-", NULL};
		struct buf list;

		if (done[i])
			continue;
		table_name(uid, &items[i], name);
		buf_init(&list, OUTPUT_BYTES);
		collect(items, count, i, done, &list);
		rc =
		    pfctl_quiet(set, words, (struct span){list.data, list.len});
		buf_free(&list);
	}
	free(done);
	return rc;
}

static struct kept *
find(struct set *set, uid_t uid, const struct set_item *item)
{
	for (size_t i = 0; i < set->count; i++) {
		struct kept *kept = &set->kept[i];

		if (kept->uid == uid && same_table(&kept->item, item) &&
		    address_equal(&kept->item.address, &item->address))
			return kept;
	}
	return NULL;
}

static void
forget(struct set *set, struct kept *kept)
{
	if (kept != NULL)
		*kept = set->kept[--set->count];
}

static void
keep(struct set *set, uid_t uid, const struct set_item *item)
{
	struct kept *kept = find(set, uid, item);

	if (item->timeout_s == 0) {
		forget(set, kept);
		return;
	}
	if (kept == NULL) {
		if (set->count == set->room) {
			set->room = set->room * 2 + 64;
			set->kept = alloc_resize(
			    set->kept, set->room, sizeof *set->kept);
		}
		kept = &set->kept[set->count++];
	}
	*kept = (struct kept){
	    uid, *item, clock_ms() + (int64_t)item->timeout_s * 1000};
}

int
set_add(struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	int rc;

	if (count > SET_BATCH || set->count + count > KEPT_MAX)
		return -ERR_LIMIT;
	if (count == 0)
		return 0;
	rc = change(set, uid, "add", items, count);
	if (rc != 0) { /* none rather than some */
		(void)change(set, uid, "delete", items, count);
		return rc;
	}
	for (size_t i = 0; i < count; i++)
		keep(set, uid, &items[i]);
	return 0;
}

int
set_load(struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	return set_add(set, uid, items, count);
}

/* Of all users: a state does not say whose it is. */
static int
kill_states(const struct set *set, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];
	const char *words[] = {"-k",
	    a->family == ADDRESS_4 ? "0.0.0.0/0" : "::/0", "-k", text, NULL};

	address_format(a, text);
	return pfctl_quiet(set, words, SPAN(""));
}

int
set_remove(
    struct set *set, uid_t uid, const struct set_item *items, size_t count)
{
	int rc, killed = 0;

	if (count > SET_BATCH)
		return -ERR_LIMIT;
	if (count == 0)
		return 0;
	rc = change(set, uid, "delete", items, count);
	for (size_t i = 0; i < count; i++) {
		int one = kill_states(set, &items[i].address);

		forget(set, find(set, uid, &items[i]));
		killed = killed == 0 ? one : killed;
	}
	return rc != 0 ? rc : killed;
}

int
set_expire(struct set *set)
{
	int64_t now = clock_ms();
	int rc = 0;

	for (size_t i = 0; i < set->count && rc == 0;) {
		struct kept *kept = &set->kept[i];

		if (kept->end_ms > now) {
			i++;
			continue;
		}
		rc = change(set, kept->uid, "delete", &kept->item, 1);
		if (rc == 0)
			forget(set, kept);
	}
	return rc;
}

static bool
next_line(struct span *text, struct span *line)
{
	const char *end;

	while (text->n != 0 && (*text->p == ' ' || *text->p == '\n')) {
		text->p++;
		text->n--;
	}
	if (text->n == 0)
		return false;
	end = memchr(text->p, '\n', text->n);
	line->p = text->p;
	line->n = end == NULL ? text->n : (size_t)(end - text->p);
	text->p += line->n;
	text->n -= line->n;
	return true;
}

/* "trizone_4242_443_tcp": the port and protocol of the account's table. */
static bool
read_name(struct span line, uid_t uid, struct set_item *out)
{
	char name[TABLE_BYTES], back[TABLE_BYTES], protocol[4];
	unsigned long number;
	unsigned port;

	if (span_copy(line, name, sizeof name) != 0 ||
	    sscanf(name, "trizone_%lu_%u_%3s", &number, &port, protocol) != 3 ||
	    number != (unsigned long)uid || port > 65535)
		return false;
	*out = (struct set_item){.port = (uint16_t)port};
	out->protocol = strcmp(protocol, "udp") == 0 ? MODEL_UDP : MODEL_TCP;
	table_name(uid, out, back);
	return strcmp(back, name) == 0;
}

/* Each table of the account. */
static int
each_table(const struct set *set, uid_t uid,
    int (*each)(void *data, struct set_item *of), void *data)
{
	const char *words[] = {"-s", "Tables", NULL};
	struct span text, line;
	struct buf names;
	int rc;

	buf_init(&names, OUTPUT_BYTES);
	rc = pfctl(set, words, SPAN(""), &names);
	text = (struct span){names.data, names.len};
	for (size_t i = 0;
	     rc == 0 && i < ALL_TABLES && next_line(&text, &line);) {
		struct set_item of;

		if (!read_name(line, uid, &of))
			continue;
		rc = each(data, &of);
		i++;
	}
	buf_free(&names);
	return rc;
}

struct listing {
	struct set *set;
	uid_t uid;
	int (*each)(void *data, const struct set_item *item);
	void *data;
};

static int
list_one(const struct listing *l, struct span line, struct set_item item)
{
	const struct kept *kept;

	if (!address_parse(line, &item.address))
		return 0;
	kept = find(l->set, l->uid, &item);
	if (kept != NULL) {
		int64_t left = (kept->end_ms - clock_ms()) / 1000;

		item = kept->item;
		item.left_s = left < 0 ? 0 : (uint32_t)left;
	}
	return l->each(l->data, &item);
}

/* What is in the table, an address a line. */
static int
read_table(const struct set *set, uid_t uid, const struct set_item *of,
    struct buf *out)
{
	char name[TABLE_BYTES];
	const char *words[] = {"-t", name, "-T", "show", NULL};

	table_name(uid, of, name);
	return pfctl(set, words, SPAN(""), out);
}

static int
list_table(void *data, struct set_item *of)
{
	const struct listing *l = data;
	struct span text, line;
	struct buf out;
	int rc;

	buf_init(&out, OUTPUT_BYTES);
	rc = read_table(l->set, l->uid, of, &out);
	text = (struct span){out.data, out.len};
	while (rc == 0 && next_line(&text, &line)) {
		rc = list_one(l, line, *of);
		rc = rc < 0 ? rc : 0;
	}
	buf_free(&out);
	return rc;
}

int
set_list(struct set *set, uid_t uid, bool known,
    int (*each)(void *data, const struct set_item *item), void *data)
{
	struct listing listing = {set, uid, each, data};

	(void)known; /* states, which are not asked for */
	return each_table(set, uid, list_table, &listing);
}

struct adopting {
	struct set *set;
	uid_t uid;
	uint32_t timeout_s;
};

static int
adopt_table(void *data, struct set_item *of)
{
	const struct adopting *a = data;
	struct span text, line;
	struct buf out;
	int rc;

	buf_init(&out, OUTPUT_BYTES);
	rc = read_table(a->set, a->uid, of, &out);
	text = (struct span){out.data, out.len};
	while (rc == 0 && next_line(&text, &line)) {
		struct set_item item = *of;

		item.timeout_s = a->timeout_s;
		if (!address_parse(line, &item.address) ||
		    find(a->set, a->uid, &item) != NULL)
			continue;
		if (a->set->count == KEPT_MAX)
			rc = -ERR_LIMIT;
		else
			keep(a->set, a->uid, &item);
	}
	buf_free(&out);
	return rc;
}

int
set_adopt(struct set *set, uid_t uid, uint32_t timeout_s)
{
	struct adopting adopting = {set, uid, timeout_s};

	return each_table(set, uid, adopt_table, &adopting);
}

struct clearing {
	struct set *set;
	uid_t uid;
};

/* Empty the table, then kill the states to what was in it. */
static int
flush_table(void *data, struct set_item *of)
{
	const struct clearing *c = data;
	char name[TABLE_BYTES];
	const char *words[] = {"-t", name, "-T", "flush", NULL};
	struct address address;
	struct span text, line;
	struct buf was;
	int rc;

	table_name(c->uid, of, name);
	buf_init(&was, OUTPUT_BYTES);
	rc = read_table(c->set, c->uid, of, &was);
	if (rc == 0)
		rc = pfctl_quiet(c->set, words, SPAN(""));
	text = (struct span){was.data, was.len};
	while (rc == 0 && next_line(&text, &line))
		if (address_parse(line, &address))
			rc = kill_states(c->set, &address);
	buf_free(&was);
	return rc;
}

int
set_clear(struct set *set, uid_t uid)
{
	struct clearing clearing = {set, uid};
	int rc = each_table(set, uid, flush_table, &clearing);

	for (size_t i = 0; i < set->count;)
		if (set->kept[i].uid == uid)
			forget(set, &set->kept[i]);
		else
			i++;
	return rc;
}
