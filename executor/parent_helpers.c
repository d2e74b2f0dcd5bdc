/*
 * Resolver and listener: what is opened for them while the parent may, their
 * start, and their lives. One that dies is started again alone, later each
 * time; what is in the kernel's sets stays meanwhile. Runs in the parent.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/firewall/applied.h"
#include "executor/firewall/capture.h"
#include "executor/firewall/load.h"
#include "executor/firewall_job.h"
#include "executor/parent_impl.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define BACKOFF_LAST_MS 30000
#define DEATHS_MS 600000
#define CLEAN_MS 5000
#define SETTLE_MS 50 /* a change is some messages */
#define REASON_BYTES 400

_Static_assert(
    2 + MODEL_ACCOUNTS_MAX * GUARD_SOCKETS_MAX + 2 < ROLE_DESCRIPTORS_MAX,
    "the resolver's descriptors");

/*
 * Before the parent's locks.
 */

/* What was applied says which; before the first apply it is what this system
 * has. */
static enum firewall_backend
backend_of(const struct parent *p)
{
	char *folder = job_folder(p->setup->config_path);
	enum firewall_backend backend = FIREWALL_BACKEND_COUNT;
	struct applied applied;
	char reason[REASON_BYTES];
	int fd = applied_open(folder, false, reason, sizeof reason);

	free(folder);
	if (fd >= 0 && applied_read(fd, &applied, reason, sizeof reason) == 0) {
		backend = applied.backend;
		applied_free(&applied);
	}
	if (fd >= 0)
		close(fd);
	if (backend == FIREWALL_BACKEND_COUNT)
		backend = load_backend();
	if (backend == FIREWALL_BACKEND_COUNT)
		die(EXIT_UNAVAILABLE,
		    "none of nft, iptables with ipset, and pf is here: "
		    "install nftables");
	return backend;
}

static void
open_guards(struct wall *wall)
{
	char reason[REASON_BYTES];

	for (size_t i = 0; i < wall->model.count; i++) {
		int count = guard_sockets_open(
		    wall->model.accounts[i].guard_port,
		    wall->guards + wall->guard_count, reason, sizeof reason);

		if (count < 0)
			die(EXIT_UNAVAILABLE, "%s", reason);
		wall->guard_count += (size_t)count;
	}
}

static void
list_servers(struct wall *wall, const struct config *config)
{
	struct config_server servers[CONFIG_MAX_SERVERS];
	size_t count = config_servers(config, RESOLV_CONF, servers);
	char text[CONFIG_SERVER_BYTES];

	if (count == 0)
		die(EXIT_CONFIG,
		    "no name server: %s names none, so add \"resolver\": "
		    "{\"servers\": [\"192.0.2.53\"]} to the configuration",
		    RESOLV_CONF);
	buf_init(&wall->servers, CONFIG_MAX_SERVERS * CONFIG_SERVER_BYTES);
	for (size_t i = 0; i < count; i++) {
		config_server_format(&servers[i], text);
		buf_add_format(&wall->servers, "%s\n", text);
	}
}

void
wall_open(struct parent *p)
{
	struct wall *wall = &p->wall;
	char reason[REASON_BYTES];

	wall->link = wall->capture = wall->keeper.fd = -1;
	wall->changes[0] = wall->changes[1] = -1;
	wall->resolver.child.control = wall->listener.child.control = -1;
	if (!wall->on)
		return;
	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED,
		    "the policy has a firewall, which only root can serve: "
		    "start as root, or take \"firewall\" out of the policy");
	if (model_resolve(&wall->model, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	list_servers(wall, p->setup->config);
	wall->set = set_open(backend_of(p), reason, sizeof reason);
	if (wall->set == NULL)
		die(EXIT_UNAVAILABLE, "%s", reason);
	for (size_t i = 0; i < wall->model.count; i++) /* may not be there */
		(void)set_adopt(wall->set, wall->model.accounts[i].uid,
		    WALL_TIMEOUT_MOST_S);
	wall->port = change_port(set_descriptor(wall->set));
	if (change_open(wall->changes, reason, sizeof reason) != 0)
		die(EXIT_UNAVAILABLE, "%s", reason);
	wall->capture = capture_open(reason, sizeof reason);
	if (wall->capture < 0 && wall->capture != -ERR_NOT_FOUND)
		die(EXIT_UNAVAILABLE, "%s", reason);
	if (wall->capture < 0)
		log_event(LOG_WARN, "no-packets", "reason=%s", reason);
	open_guards(wall);
	keeper_start(p);
}

void
wall_links(struct parent *p)
{
	if (!p->wall.on)
		return;
	for (int i = 0; i < 2; i++)
		if (p->wall.note_ends[i] > 0)
			close(p->wall.note_ends[i]);
	parent_pipe(p->wall.note_ends);
}

/*
 * Starting.
 */
static void
start_resolver(struct parent *p)
{
	struct wall *wall = &p->wall;
	int fds[ROLE_DESCRIPTORS_MAX], link[2];
	struct span texts[4];
	struct lock lock;
	struct buf model;
	char count[16];

	parent_socket_pair(link);
	set_nonblocking(link, 1);
	wall->link = link[0];
	wall->order_bytes = 0;
	wall->models = 0;
	fds[1] = link[1];
	fds[2] = wall->note_ends[1];
	memcpy(fds + 3, wall->guards, wall->guard_count * sizeof fds[0]);
	buf_init(&model, MODEL_PACK_BYTES);
	model_pack(&wall->model, &model);
	(void)snprintf(count, sizeof count, "%zu", wall->guard_count);
	texts[1] = (struct span){model.data, model.len};
	texts[2] = (struct span){wall->servers.data, wall->servers.len};
	texts[3] = span_of(count);
	parent_lock_for(p, "resolver", &lock);
	parent_start_child(&wall->resolver.child, ROLE_RESOLVER, &lock, fds,
	    3 + wall->guard_count, texts, 4);
	lock_done(&lock);
	close(link[1]);
	buf_free(&model);
}

static void
start_listener(struct parent *p)
{
	struct wall *wall = &p->wall;
	bool captures = wall->capture >= 0;
	struct span texts[3];
	struct lock lock;
	struct buf model;
	int fds[4];

	fds[1] = captures ? wall->capture : wall->note_ends[0];
	fds[2] = wall->note_ends[0];
	fds[3] = p->refusal_ends[1];
	buf_init(&model, MODEL_PACK_BYTES);
	model_pack(&wall->model, &model);
	texts[1] = (struct span){model.data, model.len};
	texts[2] = captures ? SPAN("capture") : SPAN("notes");
	parent_lock_for(p, "blocked", &lock);
	parent_start_child(
	    &wall->listener.child, ROLE_BLOCKED, &lock, fds, 4, texts, 3);
	lock_done(&lock);
	buf_free(&model);
}

void
wall_start(struct parent *p)
{
	if (!p->wall.on)
		return;
	start_listener(p);
	start_resolver(p);
}

bool
wall_is_up(const struct parent *p)
{
	const struct wall *wall = &p->wall;

	return !wall->on || (wall->resolver.child.pid > 0 &&
				wall->resolver.child.deadline_ms == 0 &&
				wall->listener.child.pid > 0 &&
				wall->listener.child.deadline_ms == 0);
}

/*
 * Living.
 */
static void
helper_died(struct parent *p, struct helper *h)
{
	int64_t now = clock_ms(), delay = BACKOFF_FIRST_MS;

	close(h->child.control);
	h->child = (struct child){.control = -1};
	if (p->stopping)
		return;
	if (!h->been_up) {
		parent_stop(p, EXIT_CONFIG);
		return;
	}
	if (h->deaths == 0 || now - h->first_death_ms > DEATHS_MS) {
		h->deaths = 0;
		h->first_death_ms = now;
	}
	h->deaths++;
	for (unsigned i = 1; i < h->deaths && delay < BACKOFF_LAST_MS; i++)
		delay *= 4;
	if (delay > BACKOFF_LAST_MS)
		delay = BACKOFF_LAST_MS;
	h->child.deadline_ms = now + delay;
}

const char *
wall_died(struct parent *p, pid_t pid)
{
	struct wall *wall = &p->wall;

	if (!wall->on)
		return NULL;
	if (pid == wall->resolver.child.pid) {
		close(wall->link);
		wall->link = -1;
		helper_died(p, &wall->resolver);
		return "resolver";
	}
	if (pid == wall->listener.child.pid) {
		parent_tell(&p->auditor, CONTROL_LISTENER, 0);
		helper_died(p, &wall->listener);
		return "blocked";
	}
	if (pid != wall->keeper.pid)
		return NULL;
	/* there can be no other, and without one nobody mends the wall */
	wall->keeper.pid = 0;
	parent_stop(p, EXIT_SYSTEM);
	return "keeper";
}

static void
take_control(struct parent *p, struct helper *h, const char *role)
{
	struct control record;
	int rc = control_receive(h->child.control, &record);

	if (rc < 0 && h->child.pid > 0) /* it dies, or closed it and lives on */
		kill(h->child.pid, SIGKILL);
	if (rc != 1)
		return;
	if (record.what != CONTROL_READY ||
	    !parent_may_be_ready(&h->child, role, &record))
		return;
	h->child.deadline_ms = 0;
	h->been_up = true;
	parent_tell_report(&p->auditor, &record.report);
	parent_tell_report(&p->broker, &record.report);
}

void
wall_set_watches(const struct parent *p, struct pollfd *watch)
{
	const struct wall *wall = &p->wall;
	const int fds[WALL_WATCHES] = {
	    wall->resolver.child.pid > 0 ? wall->resolver.child.control : -1,
	    wall->listener.child.pid > 0 ? wall->listener.child.control : -1,
	    wall->link, wall->keeper.pid > 0 ? wall->keeper.fd : -1,
	    wall->changes[0], wall->changes[1]};

	for (size_t i = 0; i < WALL_WATCHES; i++)
		watch[i] = (struct pollfd){
		    .fd = wall->on ? fds[i] : -1, .events = POLLIN};
}

void
wall_take(struct parent *p, const struct pollfd *watch)
{
	struct wall *wall = &p->wall;
	unsigned changed = 0;

	if (watch[0].revents != 0)
		take_control(p, &wall->resolver, "resolver");
	if (watch[1].revents != 0)
		take_control(p, &wall->listener, "blocked");
	if (watch[2].revents != 0)
		wall_take_orders(p);
	if (watch[3].revents != 0)
		keeper_hear(p);
	for (int i = 0; i < CHANGE_FDS; i++)
		if (watch[4 + i].revents != 0)
			changed |= change_read(wall->changes[i], wall->port);
	if ((changed & CHANGE_RULES) != 0 && !wall->look) {
		wall->look = true;
		wall->look_ms = clock_ms() + SETTLE_MS;
	} else if ((changed & CHANGE_ELEMENTS) != 0) {
		wall_fill(p);
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a == 0 ? b : a;
	return a < b ? a : b;
}

int64_t
wall_deadline(const struct parent *p)
{
	const struct wall *wall = &p->wall;
	int64_t first = wall->resolver.child.deadline_ms;

	if (!wall->on)
		return 0;
	first = earlier(first, wall->listener.child.deadline_ms);
	first = earlier(first, wall->keeper.deadline_ms);
	first = earlier(first, wall->clean_ms);
	return wall->keeper.busy ? first : earlier(first, wall->look_ms);
}

static void
helper_tick(struct parent *p, struct helper *h, const char *role,
    void (*start)(struct parent *p))
{
	if (h->child.deadline_ms == 0 || clock_ms() < h->child.deadline_ms)
		return;
	h->child.deadline_ms = 0;
	if (h->child.pid <= 0) {
		if (!p->stopping)
			start(p);
		return;
	}
	log_event(LOG_ERROR, "not-ready", "what=%s", role);
	kill(h->child.pid, SIGKILL);
}

void
wall_tick(struct parent *p)
{
	struct wall *wall = &p->wall;

	if (!wall->on)
		return;
	helper_tick(p, &wall->resolver, "resolver", start_resolver);
	helper_tick(p, &wall->listener, "blocked", start_listener);
	if (p->stopping)
		return;
	keeper_tick(p);
	if (clock_ms() < wall->clean_ms)
		return;
	wall->clean_ms = clock_ms() + CLEAN_MS;
	(void)set_expire(wall->set);
}

bool
wall_signal(const struct parent *p, int signal)
{
	const pid_t pids[] = {
	    p->wall.resolver.child.pid, p->wall.listener.child.pid};
	bool any = false;

	for (size_t i = 0; i < 2; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], signal);
		any = true;
	}
	return any;
}
