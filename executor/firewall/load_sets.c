/*
 * What is in the sets, against the model: literal addresses stay there for
 * good, what a name of the model had stays until it ends, all else goes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/firewall/load_impl.h"
#include "executor/firewall/set.h"

#define LINE_BYTES 256
#define TRIES 5 /* a set that changes while it is listed */

/* The elements of one account's set. */
struct elements {
	struct set_item *items;
	size_t count, room;
};

static int
take(void *data, const struct set_item *item)
{
	struct elements *e = data;

	if (e->count == e->room) {
		e->room = e->room == 0 ? 64 : 2 * e->room;
		e->items = alloc_resize(e->items, e->room, sizeof *e->items);
	}
	e->items[e->count++] = *item;
	return 0;
}

static int
list(struct set *set, uid_t uid, bool known, struct elements *out)
{
	int rc = -ERR_BUSY;

	*out = (struct elements){NULL, 0, 0};
	for (unsigned i = 0; i < TRIES && rc == -ERR_BUSY; i++) {
		out->count = 0;
		rc = set_list(set, uid, known, take, out);
	}
	return rc;
}

/* Of the network that we are in; there also where nothing but processes is in
 * /proc, as for the service's unit. */
#define ADDRESSES6 "/proc/self/net/if_inet6"

bool
load_has_ipv6(void)
{
	return access(ADDRESSES6, F_OK) == 0;
}

/* Whether loopback has an address: its name is the last word of a line. */
static bool
loopback_has_address(void)
{
	FILE *f = fopen(ADDRESSES6, "re");
	char line[LINE_BYTES];
	bool has = false;

	while (f != NULL && !has && fgets(line, sizeof line, f) != NULL) {
		const char *name = strrchr(line, ' ');

		has = name != NULL && strcmp(name, " lo\n") == 0;
	}
	if (f != NULL)
		(void)fclose(f);
	return has;
}

bool
load_has_loopback6(void)
{
	FILE *f = fopen("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "re");
	bool has;

	if (f == NULL)
		return loopback_has_address();
	has = fgetc(f) == '0';
	(void)fclose(f);
	return has;
}

static struct set_item
item_of(const struct model_host *host)
{
	struct set_item item = {.address = host->address,
	    .port = host->port,
	    .protocol = host->protocol};

	memcpy(
	    item.name, host->name, strnlen(host->name, sizeof item.name - 1));
	return item;
}

/* Whether an element is there because of the host. pf keeps no names. */
static bool
is_of(const struct set_item *item, const struct model_host *host)
{
	if (item->port != host->port || item->protocol != host->protocol)
		return false;
	if (item->name[0] == '\0' || host->address.family == ADDRESS_NONE)
		return strncmp(item->name, host->name, sizeof item->name - 1) ==
		       0;
	return address_equal(&item->address, &host->address);
}

static bool
is_wanted(const struct model_account *account, const struct set_item *item,
    bool named)
{
	for (size_t i = 0; i < account->host_count; i++) {
		const struct model_host *host = &account->hosts[i];

		if (is_of(item, host) || (!named && item->port == host->port &&
					     item->protocol == host->protocol))
			return true;
	}
	return false;
}

/* In batches; set_remove and set_add take no more. */
static int
in_batches(int (*change)(struct set *set, uid_t uid,
	       const struct set_item *items, size_t count),
    struct set *set, uid_t uid, const struct elements *e)
{
	int rc = 0;

	for (size_t at = 0; at < e->count && rc == 0; at += SET_BATCH) {
		size_t n = e->count - at;

		rc = change(
		    set, uid, e->items + at, n < SET_BATCH ? n : SET_BATCH);
	}
	return rc;
}

static bool
stays(const struct elements *e, const struct model_host *host)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->items[i].port == host->port &&
		    e->items[i].protocol == host->protocol &&
		    e->items[i].timeout_s == 0 &&
		    address_equal(&e->items[i].address, &host->address))
			return true;
	return false;
}

/* What is in the set and should not be, and the literal addresses that are not
 * there for good. By one listing, which takes the kernel a second where a set
 * is full. */
struct faults {
	struct elements unwanted, missing;
};

static int
find_faults(struct set *set, const struct model_account *account, bool known,
    bool named, struct faults *out)
{
	struct elements is;
	int rc = list(set, account->uid, known, &is);

	*out = (struct faults){{NULL, 0, 0}, {NULL, 0, 0}};
	for (size_t i = 0; i < is.count && rc == 0; i++)
		if (!is_wanted(account, &is.items[i], named))
			(void)take(&out->unwanted, &is.items[i]);
	for (size_t i = 0; i < account->host_count && rc == 0; i++) {
		const struct model_host *host = &account->hosts[i];
		struct set_item item;

		if (host->address.family == ADDRESS_NONE || stays(&is, host))
			continue;
		item = item_of(host);
		(void)take(&out->missing, &item);
	}
	free(is.items);
	return rc;
}

static void
free_faults(struct faults *faults)
{
	free(faults->unwanted.items);
	free(faults->missing.items);
}

static int
mend(struct set *set, const struct model_account *account, bool known,
    bool named)
{
	struct faults faults;
	int rc;

	if (account->blocked) /* no rule asks them */
		return set_clear(set, account->uid);
	rc = find_faults(set, account, known, named, &faults);
	if (rc == 0)
		rc =
		    in_batches(set_remove, set, account->uid, &faults.unwanted);
	if (rc == 0)
		rc = in_batches(set_add, set, account->uid, &faults.missing);
	free_faults(&faults);
	return rc;
}

static int
look(struct set *set, const struct model_account *account, bool known,
    bool named)
{
	struct faults faults;
	int rc;

	if (account->blocked)
		return 0;
	rc = find_faults(set, account, known, named, &faults);
	if (rc == 0 &&
	    (faults.missing.count != 0 || faults.unwanted.count != 0))
		rc = -ERR_WRONG_STATE;
	free_faults(&faults);
	return rc;
}

static int
each_set(enum firewall_backend backend, const struct model *want,
    int (*fn)(struct set *set, const struct model_account *account, bool known,
	bool named),
    struct load *l)
{
	struct set *set = set_open(backend, l->reason, l->room);
	bool pf = backend == FIREWALL_PF;
	int rc = 0;

	if (set == NULL)
		return -ERR_UNAVAILABLE;
	for (size_t i = 0; i < want->count && rc == 0; i++) {
		rc = fn(set, &want->accounts[i], false, !pf);
		if (rc == 0 && !pf) /* there it is the states */
			rc = fn(set, &want->accounts[i], true, true);
		if (rc != 0)
			(void)snprintf(l->reason, l->room,
			    "the sets of account %s do not hold what they "
			    "should: %s",
			    want->accounts[i].name, err_text(rc));
	}
	set_close(set);
	return rc == 0 ? 0 : -ERR_UNAVAILABLE;
}

int
load_sets(
    enum firewall_backend backend, const struct model *want, struct load *l)
{
	return each_set(backend, want, mend, l);
}

int
load_sets_check(
    enum firewall_backend backend, const struct model *want, struct load *l)
{
	return each_set(backend, want, look, l);
}
