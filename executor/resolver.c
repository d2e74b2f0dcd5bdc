/*
 * Resolver: the DNS guards of confined accounts. It asks the configured name
 * servers for the names that an account may have, and for no other; what comes
 * back goes to the parent, who checks it against its own model before it
 * changes a set. It has the network and no files, credentials or sets.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/firewall/resolve.h"
#include "executor/order.h"
#include "executor/role.h"

enum { FD_LINK = FD_FIRST, FD_NOTES, FD_GUARDS };

#define GUARDS_MAX (ROLE_DESCRIPTORS_MAX - FD_GUARDS)

/* How many sockets of guards there are. */
static size_t
read_count(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || count > GUARDS_MAX)
			bug("resolver start text");
		count = count * 10 + (size_t)(text.p[i] - '0');
	}
	if (count > GUARDS_MAX)
		bug("%zu sockets of guards", count);
	return count;
}

/* Whoever started us is gone: nothing else is said on this line. */
static void
on_control(void *context)
{
	loop_stop(context);
}

int
resolver_main(void)
{
	int guards[GUARDS_MAX];
	struct model model = {.count = 0};
	struct resolve *resolve;
	struct loop *loop;
	struct span texts[3];
	struct watch *control;
	struct buf store;
	size_t count;

	if (role_begin(&store, texts, 3) != 3)
		bug("resolver start texts");
	model_unpack(texts[0], &model);
	count = read_count(texts[2]);
	for (size_t i = 0; i < count; i++)
		guards[i] = FD_GUARDS + (int)i;
	set_nonblocking((const int[]){FD_CONTROL, FD_LINK, FD_NOTES}, 3);
	loop = loop_new();
	resolve = resolve_new(
	    loop, &model, texts[1], FD_LINK, FD_NOTES, guards, count);
	buf_free(&store);
	control = loop_watch_read(loop, FD_CONTROL, on_control, loop);
	watch_set(control, true);
	role_seal();
	role_ready();
	loop_run(loop);
	loop_unwatch(control);
	resolve_free(resolve);
	loop_free(loop);
	return EXIT_DONE;
}
