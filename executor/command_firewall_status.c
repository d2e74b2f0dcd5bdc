/*
 * firewall status: what the kernel has of each account, read now. Runs as
 * root; changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/command_firewall.h"
#include "executor/firewall/load.h"
#include "executor/firewall/reached.h"
#include "executor/firewall/set.h"
#include "executor/firewall_job.h"
#include "executor/firewall_look.h"

static const char usage[] =
    "usage: trizone-executor firewall status [--config FILE] [--json]\n"
    "What the kernel has of each account: whether its rules are as they were\n"
    "applied, how many packets they refused, its DNS guard, and for each host\n"
    "the addresses it may reach now, how old they are and how long they stay.\n"
    "Needs root. Exit status: 0 all stands and the service runs; 1 not.\n";

#define DNS_STAYS                                                              \
	"whatever an account asks, this system's resolver looks up and sends " \
	"to a name server: names can carry words out; see firewall apply "     \
	"--close-dns"

struct status {
	struct look look;
	struct json_writer w;
	struct buf out;
	bool json, good;
};

/*
 * Words.
 */
static void
print_address(const struct set_item *item)
{
	char address[ADDRESS_TEXT_BYTES];

	address_format(&item->address, address);
	if (item->timeout_s == 0)
		printf("    %-39s stays\n", address);
	else
		printf("    %-39s %5" PRIu32 " s left, %5" PRIu32 " s old\n",
		    address, item->left_s, item->timeout_s - item->left_s);
}

static void
print_host(const struct look_account *a, const struct model_host *host)
{
	char text[MODEL_HOST_TEXT];
	size_t count = 0;

	model_host_format(host, text);
	printf("  %s\n", text);
	for (size_t i = 0; i < a->item_count; i++)
		if (look_is_of(&a->items[i], host)) {
			print_address(&a->items[i]);
			count++;
		}
	if (count == 0)
		puts("    no address now");
}

static void
print_guard(const struct look_account *a)
{
	static const char *const names[LOOK_GUARDS] = {
	    "udp4", "tcp4", "udp6", "tcp6"};
	bool any = false;

	if (!a->guards_known)
		return;
	printf("  guard on port %u:", a->account->guard_port);
	for (int i = 0; i < LOOK_GUARDS; i++) {
		if (!a->guards[i])
			continue;
		printf(" %s", names[i]);
		any = true;
	}
	puts(any ? "" : " nobody is there: no name is looked up");
}

static void
print_account(const struct status *s, const struct look_account *a)
{
	const struct model_account *account = a->account;

	printf("%s", account->name);
	if (account->uid != (uid_t)-1)
		printf(" (user %lu)", (unsigned long)account->uid);
	if (!a->applied)
		puts(": NOT behind the firewall: run firewall apply for it");
	else if (account->blocked)
		puts(": blocked, it reaches nothing");
	else
		puts(s->look.difference[0] == '\0'
			 ? ": behind the firewall"
			 : ": behind the firewall, but see above");
	if (a->reached.known)
		printf("  %" PRIu64 " packets refused (%" PRIu64 " bytes)\n",
		    a->reached.packets, a->reached.bytes);
	if (!a->applied || account->blocked)
		return;
	print_guard(a);
	for (size_t i = 0; i < account->host_count; i++)
		print_host(a, &account->hosts[i]);
	if (a->error != 0)
		printf("  its addresses cannot be listed: %s\n",
		    err_text(a->error));
}

static void
print_words(const struct status *s)
{
	const struct look *look = &s->look;

	if (look->backend == FIREWALL_BACKEND_COUNT)
		puts("rules: none were applied");
	else if (look->difference[0] == '\0')
		printf("rules: as applied (%s)\n",
		    firewall_backend_name(look->backend));
	else
		printf("rules: NOT as applied (%s): %s\n",
		    firewall_backend_name(look->backend), look->difference);
	if (look->pending[0] != '\0')
		printf("waits: firewall confirm %s, for %" PRId64
		       " s; then it is blocked\n",
		    look->pending, look->pending_s);
	puts(look->running ? "service: runs"
			   : "service: does not run: no name is looked up, and "
			     "rules that somebody takes away stay away");
	if (look->backend == FIREWALL_PF)
		puts("names: " DNS_STAYS);
	for (size_t i = 0; i < look->count; i++)
		print_account(s, &look->accounts[i]);
}

/*
 * JSON.
 */
static void
put_address(struct json_writer *w, const struct set_item *item)
{
	char address[ADDRESS_TEXT_BYTES];

	address_format(&item->address, address);
	json_open(w, '{');
	json_put_text(w, "address", address);
	if (item->timeout_s != 0) {
		json_put_integer(w, "left_s", item->left_s);
		json_put_integer(w, "age_s",
		    (int64_t)item->timeout_s - (int64_t)item->left_s);
	}
	json_close(w, '}');
}

static void
put_host(struct json_writer *w, const struct look_account *a,
    const struct model_host *host)
{
	char text[MODEL_HOST_TEXT];

	model_host_format(host, text);
	json_open(w, '{');
	json_put_text(w, "host", text);
	json_key(w, "addresses");
	json_open(w, '[');
	for (size_t i = 0; i < a->item_count; i++)
		if (look_is_of(&a->items[i], host))
			put_address(w, &a->items[i]);
	json_close(w, ']');
	json_close(w, '}');
}

static void
put_account(struct json_writer *w, const struct look_account *a)
{
	json_open(w, '{');
	json_put_text(w, "account", a->account->name);
	if (a->account->uid != (uid_t)-1)
		json_put_integer(w, "uid", (int64_t)a->account->uid);
	json_put_boolean(w, "applied", a->applied);
	json_put_boolean(w, "blocked", a->account->blocked);
	if (a->reached.known) {
		json_put_integer(
		    w, "refused_packets", (int64_t)a->reached.packets);
		json_put_integer(w, "refused_bytes", (int64_t)a->reached.bytes);
	}
	if (a->guards_known) {
		json_put_integer(w, "guard_port", a->account->guard_port);
		json_put_boolean(w, "guard", look_guarded(a));
	}
	json_key(w, "hosts");
	json_open(w, '[');
	for (size_t i = 0; i < a->account->host_count; i++)
		put_host(w, a, &a->account->hosts[i]);
	json_close(w, ']');
	json_close(w, '}');
}

static void
print_json(struct status *s)
{
	const struct look *look = &s->look;
	struct json_writer *w = &s->w;

	buf_init(&s->out, (size_t)64 << 20);
	json_write_init(w, &s->out);
	json_open(w, '{');
	json_put_boolean(w, "good", s->good);
	if (look->backend != FIREWALL_BACKEND_COUNT)
		json_put_text(
		    w, "backend", firewall_backend_name(look->backend));
	json_put_boolean(w, "as_applied",
	    look->backend != FIREWALL_BACKEND_COUNT &&
		look->difference[0] == '\0');
	if (look->difference[0] != '\0')
		json_put_text(w, "difference", look->difference);
	if (look->pending[0] != '\0')
		json_put_text(w, "pending", look->pending);
	json_put_boolean(w, "service", look->running);
	if (look->backend == FIREWALL_PF)
		json_put_text(w, "names", DNS_STAYS);
	json_key(w, "accounts");
	json_open(w, '[');
	for (size_t i = 0; i < look->count; i++)
		put_account(w, &look->accounts[i]);
	json_close(w, ']');
	json_close(w, '}');
	if (s->out.overflow)
		die(EXIT_SYSTEM, "the status is too large");
	printf("%.*s\n", (int)s->out.len, s->out.data);
	buf_free(&s->out);
}

int
command_firewall_status(int argc, char **argv)
{
	static struct status s;
	struct common_options options;
	int status;

	if (!options_only(argc, argv, usage, &options, &status))
		return status;
	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED,
		    "only root may ask the kernel for its rules");
	s.json = options.json;
	look_read(&s.look, options.config);
	s.good = look_is_good(&s.look);
	if (s.json)
		print_json(&s);
	else
		print_words(&s);
	look_done(&s.look);
	return s.good ? EXIT_DONE : EXIT_FOUND;
}
