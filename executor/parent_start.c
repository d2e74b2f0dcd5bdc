/*
 * Starting the executor's processes: their links, what each has to become, and
 * the parent's own locks. Runs in the parent.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cgroup.h"
#include "common/clock.h"
#include "common/err.h"
#include "executor/auditor.h"
#include "executor/inputs_store.h"
#include "executor/order.h"
#include "executor/parent_impl.h"
#include "executor/profile.h"
#include "executor/role.h"

/* Of all that may be kept one segment is at most this part, and begins at
 * least once a day: what is dropped is a segment. */
#define SEGMENTS_LEAST 16
#define DAY_MS UINT64_C(86400000)
#define SEGMENT_MS DAY_MS

void
parent_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		die_errno("pipe");
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
			die_errno("fcntl");
}

void
parent_socket_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		die_errno("socketpair");
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
			die_errno("fcntl");
}

/* What a role has to become: `name` is that of its profile. */
void
parent_lock_for(const struct parent *p, const char *name, struct lock *out)
{
	lock_init(out, profile_find(span_of(name)));
	if (out->profile == NULL)
		bug("no profile for %s", name);
	out->account = p->accounts[account_role_find(name)];
	out->cgroup = p->cgroup;
	out->interfaces = (int)p->own.report.interfaces;
}

/* Start one role. fds[0] is left free for its control socket, texts[0] for its
 * setting. */
void
parent_start_child(struct child *child, enum role role, const struct lock *lock,
    int *fds, size_t fd_count, struct span *texts, size_t text_count)
{
	struct buf setting;
	int control[2];

	buf_init(&setting, START_TEXT_MAX_BYTES);
	role_setting_write(lock, &setting);
	texts[0] = (struct span){setting.data, setting.len};
	parent_socket_pair(control);
	fds[0] = control[1];
	child->pid = role_start(role, fds, fd_count, texts, text_count);
	buf_free(&setting);
	close(control[1]);
	if (child->pid < 0)
		die(EXIT_SYSTEM, "%s cannot be started: %s", role_name(role),
		    err_text((int)child->pid));
	child->control = control[0];
	set_nonblocking(&control[0], 1);
	child->deadline_ms = clock_ms() + READY_MS;
}

void
parent_start_auditor(struct parent *p)
{
	const struct config *config = p->setup->config;
	struct inputs_limits limits = {
	    .total_bytes = config->audit_inputs.total_bytes,
	    .segment_bytes = config->audit_inputs.total_bytes / SEGMENTS_LEAST,
	    .segment_ms = SEGMENT_MS,
	    .keep_ms = config->audit_inputs.keep_days * DAY_MS};
	struct auditor_start begin = {.keep = {config->audit_keep.bytes,
					  config->audit_keep.days * DAY_MS},
	    .quiet = pause_is_told(p),
	    .alone = p->alone};
	size_t fd_count = 4 + p->plan.couriers, text_count = 5;
	int fds[6 + COURIERS_MAX + ANCHORS_MAX];
	struct span texts[6];
	struct buf anchors;
	struct lock lock;

	parent_lock_for(p, "auditor", &lock);
	lock_add_path(&lock, config->audit, true, false);
	fds[1] = p->entry_ends[0];
	fds[2] = p->receipt_ends[1];
	fds[3] = p->refusal_ends[0];
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		fds[4 + i] = p->couriers[i].order_ends[0];
	texts[1] = span_of(config->audit);
	texts[2] = (struct span){(const char *)&p->plan, sizeof p->plan};
	texts[3] = (struct span){(const char *)&begin, sizeof begin};
	buf_init(&anchors, START_TEXT_MAX_BYTES);
	anchors_write(&p->anchors, &anchors);
	texts[4] = (struct span){anchors.data, anchors.len};
	for (size_t i = 0; i < p->anchors.count; i++)
		if (p->anchors.row[i].fd >= 0)
			fds[fd_count++] = p->anchors.row[i].fd;
	if (p->inputs_keys[0] >= 0) {
		fds[fd_count++] = p->inputs_keys[0];
		fds[fd_count++] = p->inputs_keys[1];
		texts[text_count++] =
		    (struct span){(const char *)&limits, sizeof limits};
	}
	parent_start_child(
	    &p->auditor, ROLE_AUDITOR, &lock, fds, fd_count, texts, text_count);
	buf_free(&anchors);
	lock_done(&lock);
}

void
parent_start_broker(struct parent *p)
{
	int fds[ROLE_DESCRIPTORS_MAX];
	struct span texts[4] = {{0}, p->setup->config_text,
	    p->setup->policy_text, {(const char *)p->peers, 0}};
	char *inbox = inbox_folder(p->setup->config);
	struct lock lock;
	size_t count = 2;

	if (p->own_policy != NULL) /* what a reload brought holds on */
		texts[2] = (struct span){p->own_text.data, p->own_text.len};
	texts[3].n = sizeof p->peers[0] * config_peers_pack(p->setup->config,
					      p->peers, LISTENERS_MAX);
	parent_lock_for(p, "broker", &lock);
	lock_add_path(&lock, inbox, true, false);
	fds[1] = p->entry_ends[1];
	for (size_t i = 0; i < p->listeners.count; i++)
		fds[count++] = p->listeners.fd[i];
	for (uint32_t i = 0; i < p->plan.couriers; i++)
		fds[count++] = p->couriers[i].result_ends[0];
	fds[count++] = p->receipt_ends[0];
	parent_start_child(
	    &p->broker, ROLE_BROKER, &lock, fds, count, texts, 4);
	lock_done(&lock);
	free(inbox);
}

/* Labels go by the name of a place, so it has one only. Of what is not there
 * the courier complains. */
static void
refuse_alias(const struct capability *c, const char *path)
{
	char *real = realpath(path, NULL);

	if (real != NULL && strcmp(real, path) != 0)
		die(EXIT_CONFIG,
		    "capability %s: a symbolic link leads to %s: write %s, as "
		    "what is kept there is known by that name",
		    c->name, path, real);
	free(real);
}

/* The places one capability needs; the same one once. */
static void
add_paths(struct lock *lock, const struct capability *c)
{
	struct lock_path paths[KIND_PATHS_MAX];
	size_t count = c->kind->paths(c->settings, c->method, paths);

	for (size_t i = 0; i < count; i++) {
		if (c->kind->place != NULL)
			refuse_alias(c, paths[i].path);
		lock_add_path(
		    lock, paths[i].path, paths[i].write, paths[i].shown);
	}
}

void
parent_share(const struct parent *p, const struct policy *policy,
    uint32_t index, struct buf *out)
{
	size_t capabilities = policy_capability_count(policy);

	for (uint32_t i = 0; i < capabilities; i++) {
		const struct capability *c = policy_capability(policy, i);
		uint32_t length;
		char *text;

		if (p->plan.courier_of[i] != index)
			continue;
		text = alloc_format("%u\n%s", i, c->source);
		length = (uint32_t)strlen(text);
		buf_add(out, &length, sizeof length);
		buf_add(out, text, length);
		free(text);
	}
	if (out->overflow)
		bug("a courier's share of the policy");
}

/* A courier gets only its own capabilities: "number\n" and the instance. */
void
parent_start_courier(struct parent *p, uint32_t index)
{
	struct courier *courier = &p->couriers[index];
	size_t capabilities = policy_capability_count(p->policy);
	struct span texts[POLICY_MAX_CAPABILITIES + 1];
	struct lock lock;
	int fds[3];
	size_t count = 1;

	parent_lock_for(p, p->plan.kind[index]->name, &lock);
	for (uint32_t i = 0; i < capabilities; i++) {
		const struct capability *c = policy_capability(p->policy, i);

		if (p->plan.courier_of[i] != index)
			continue;
		texts[count++] = span_of(alloc_format("%u\n%s", i, c->source));
		add_paths(&lock, c);
	}
	fds[1] = courier->order_ends[1];
	fds[2] = courier->result_ends[1];
	parent_start_child(
	    &courier->child, ROLE_COURIER, &lock, fds, 3, texts, count);
	courier->state = COURIER_STARTING;
	for (size_t i = 1; i < count; i++)
		free((char *)(uintptr_t)texts[i].p);
	lock_done(&lock);
}

void
parent_record(const struct parent *p, enum record_kind kind, const char *why,
    int error, const char *detail)
{
	struct control record = {.what = CONTROL_RECORD,
	    .number = (uint64_t)kind,
	    .error = (uint32_t)-error};
	char *text = alloc_format("%s\n%s", why, detail);

	if (p->auditor.pid > 0 && control_tell(p->auditor.control, record,
				      span_of(text)) == -ERR_DEADLINE)
		kill(p->auditor.pid, SIGKILL);
	free(text);
}

void
parent_record_text(const struct parent *p, enum record_kind kind,
    const char *why, struct span text)
{
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], detail[sizeof hex + 8];

	sha256_of(text.p, text.n, hash);
	hex_encode(hash, sizeof hash, hex);
	(void)snprintf(detail, sizeof detail, "sha256 %s", hex);
	parent_record(p, kind, why, 0, detail);
}

void
parent_record_texts(const struct parent *p)
{
	struct span policy = p->setup->policy_text;

	if (p->own_policy != NULL)
		policy = (struct span){p->own_text.data, p->own_text.len};
	parent_record_text(
	    p, RECORD_CONFIG, "configuration", p->setup->config_text);
	parent_record_text(p, RECORD_CONFIG, "policy", policy);
}

void
parent_links(struct parent *p)
{
	parent_pipe(p->entry_ends);
	parent_pipe(p->receipt_ends);
	parent_pipe(p->refusal_ends);
	wall_links(p);
	for (uint32_t i = 0; i < p->plan.couriers; i++) {
		parent_socket_pair(p->couriers[i].order_ends);
		parent_pipe(p->couriers[i].result_ends);
		p->couriers[i].child.control = -1;
	}
}

void
parent_open_anchors(struct parent *p)
{
	const struct config *config = p->setup->config;

	for (size_t i = 0; i < config->audit_anchor_count; i++) {
		const struct config_anchor *row = &config->audit_anchors[i];

		const struct capability *c =
		    policy_find(p->setup->policy, span_of(row->place));

		p->anchors.row[p->anchors.count++] = (struct anchor){
		    .kind = anchor_kind_find(span_of(row->kind)),
		    .capability = c == NULL ? NO_CAPABILITY : c->number,
		    .minutes = row->minutes,
		    .place = alloc_string(row->place)};
	}
	anchors_open(&p->anchors);
}

void
parent_lock_in(struct parent *p)
{
	char reason[200];

	if (cgroup_base(p->cgroup, sizeof p->cgroup, reason, sizeof reason) !=
	    0)
		(void)snprintf(p->cgroup, sizeof p->cgroup, "%s", reason);
	lock_init(&p->own, profile_parent(p->wall.on));
	lock_enter(&p->own);
	lock_seal(&p->own);
}
