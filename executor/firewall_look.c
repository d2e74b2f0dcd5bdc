/*
 * Looking at the kernel's rules, sets and sockets of accounts.
 */
#include "executor/firewall_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/firewall/load.h"
#include "executor/firewall_job.h"

#define LINE_BYTES 512
#define ITEMS_MAX (1u << 20)
#define LIST_TRIES 5
#define TCP_LISTENS 10

/*
 * Guards, where the system tells who is bound to which port.
 */
static const struct {
	const char *path;
	bool tcp;
} tables[LOOK_GUARDS] = {{"/proc/net/udp", false}, {"/proc/net/tcp", true},
    {"/proc/net/udp6", false}, {"/proc/net/tcp6", true}};

/* A line is "  1: ADDRESS:PORT ADDRESS:PORT STATE ...", in hex. */
static bool
is_bound(FILE *table, unsigned port, bool tcp)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof line, table) != NULL) {
		unsigned own, state;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x",
			&own, &state) == 2 &&
		    own == port && (!tcp || state == TCP_LISTENS))
			return true;
	}
	return false;
}

static void
find_guards(struct look_account *a)
{
	for (int i = 0; i < LOOK_GUARDS; i++) {
		FILE *table = fopen(tables[i].path, "re");

		/* without IPv6 there is no table of it, and no way round */
		a->guards[i] = table == NULL && i >= 2;
		if (table == NULL)
			continue;
		a->guards_known = true;
		a->guards[i] =
		    is_bound(table, a->account->guard_port, tables[i].tcp);
		(void)fclose(table);
	}
}

bool
look_guarded(const struct look_account *a)
{
	for (int i = 0; i < LOOK_GUARDS; i++)
		if (a->guards_known && !a->guards[i])
			return false;
	return true;
}

/*
 * Addresses.
 */
struct list {
	struct look_account *to;
	size_t room;
};

static int
add_item(void *data, const struct set_item *item)
{
	struct list *list = data;
	struct look_account *a = list->to;

	if (a->item_count == ITEMS_MAX)
		return -ERR_LIMIT;
	if (a->item_count == list->room) {
		size_t room = list->room == 0 ? 64 : 2 * list->room;
		struct set_item *more = alloc_array(room, sizeof *more);

		if (a->item_count != 0)
			memcpy(more, a->items, a->item_count * sizeof *more);
		free(a->items);
		a->items = more;
		list->room = room;
	}
	a->items[a->item_count++] = *item;
	return 0;
}

static void
list_items(struct set *set, struct look_account *a)
{
	struct list list = {.to = a};

	a->error = -ERR_BUSY;
	for (int i = 0; i < LIST_TRIES && a->error == -ERR_BUSY; i++) {
		a->item_count = 0;
		a->error =
		    set_list(set, a->account->uid, false, add_item, &list);
	}
}

bool
look_is_of(const struct set_item *item, const struct model_host *host)
{
	if (item->port != host->port || item->protocol != host->protocol)
		return false;
	if (host->address.family != ADDRESS_NONE)
		return address_equal(&item->address, &host->address);
	return strncmp(item->name, host->name, sizeof item->name - 1) == 0;
}

/*
 * The whole.
 */
static void
look_at_account(
    struct look *look, struct set *set, const struct model_account *account)
{
	struct look_account *a = &look->accounts[look->count++];

	*a = (struct look_account){.account = account, .applied = true};
	a->reached = reached_read(look->backend, account);
	if (account->blocked)
		return;
	find_guards(a);
	if (set == NULL)
		a->error = -ERR_UNAVAILABLE;
	else
		list_items(set, a);
}

static void
look_at_rules(struct look *look)
{
	struct set *set;

	look->backend = look->applied.backend;
	if (look->backend == FIREWALL_BACKEND_COUNT)
		return;
	if (load_check(look->backend, &look->model, look->difference,
		sizeof look->difference) == 0)
		look->difference[0] = '\0';
	set = set_open(
	    look->backend, (char[LOOK_REASON_BYTES]){0}, LOOK_REASON_BYTES);
	for (size_t i = 0; i < look->model.count; i++)
		look_at_account(look, set, &look->model.accounts[i]);
	set_close(set);
}

/* Accounts of the policy that nobody has applied. */
static void
add_missing(struct look *look)
{
	const struct model *policy = policy_firewall(look->setup.policy);

	for (size_t i = 0; i < policy->count; i++)
		if (model_find(&look->model,
			span_of(policy->accounts[i].name)) == NULL)
			look->accounts[look->count++] = (struct look_account){
			    .account = &policy->accounts[i]};
}

static void
read_applied(struct look *look, const char *config)
{
	char *folder = job_folder(config);
	int fd = applied_open(
	    folder, false, look->difference, sizeof look->difference);
	int rc = fd < 0 ? fd
			: applied_read(fd, &look->applied, look->difference,
			      sizeof look->difference);

	if (fd >= 0)
		close(fd);
	free(folder);
	if (fd == -ERR_NOT_FOUND) {
		look->applied.backend = FIREWALL_BACKEND_COUNT;
		return;
	}
	if (rc == 0)
		rc = applied_refresh(&look->applied,
		    policy_firewall(look->setup.policy), look->difference,
		    sizeof look->difference);
	if (rc != 0)
		die(EXIT_CONFIG, "%s", look->difference);
	look->difference[0] = '\0';
	applied_effective(&look->applied, clock_utc_ms(), &look->model);
}

void
look_read(struct look *look, const char *config)
{
	*look = (struct look){.count = 0};
	if (setup_load(config, &look->setup, look->difference,
		sizeof look->difference) != 0)
		die(EXIT_CONFIG, "%s", look->difference);
	look->difference[0] = '\0';
	read_applied(look, config);
	look->running = service_find(look->setup.config) != 0;
	look_at_rules(look);
	add_missing(look);
	(void)snprintf(
	    look->pending, sizeof look->pending, "%s", look->applied.pending);
	if (look->pending[0] != '\0')
		look->pending_s =
		    (look->applied.until_ms - clock_utc_ms()) / 1000;
	if (look->pending_s < 0)
		look->pending_s = 0;
}

bool
look_is_good(const struct look *look)
{
	bool good = look->backend != FIREWALL_BACKEND_COUNT &&
		    look->difference[0] == '\0' && look->running;

	for (size_t i = 0; i < look->count && good; i++) {
		const struct look_account *a = &look->accounts[i];

		good = a->applied && a->error == 0 &&
		       (a->account->blocked || look_guarded(a));
	}
	return good;
}

void
look_done(struct look *look)
{
	for (size_t i = 0; i < look->count; i++)
		free(look->accounts[i].items);
	model_free(&look->model);
	applied_free(&look->applied);
	setup_free(&look->setup);
}
