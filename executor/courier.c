/*
 * Courier: performs one kind of effect. It believes the auditor that an order
 * is on record, and nobody about what the order says: each is checked against
 * the courier's own copy of its capabilities. It decides nothing, and talks to
 * nobody but auditor (orders, outcomes) and broker (results, one way).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/kind.h"
#include "executor/order.h"
#include "executor/policy.h"
#include "executor/quota.h"
#include "executor/role.h"
#include "executor/schema.h"

enum { FD_ORDERS = FD_FIRST, FD_RESULTS, FD_END };

#define PEER_MS 30000 /* auditor or broker not taking our answer that long */

struct instance {
	struct capability *capability;
	struct quota quota;
};

struct courier {
	struct instance *instances;
	size_t count;
	struct json_doc doc;
	struct buf body, result, content;
	struct sha256 *digest;
};

/* "number\n{instance}". */
static void
load_instance(struct instance *instance, struct span text)
{
	struct json_error where;
	char reason[400], *end;
	unsigned long number = strtoul(text.p, &end, 10);
	size_t head = (size_t)(end - text.p) + 1;

	if (head >= text.n || *end != '\n' || number >= POLICY_MAX_CAPABILITIES)
		bug("courier start text");
	text.p += head;
	text.n -= head;
	if (capability_parse(
		text, (uint32_t)number, &instance->capability, &where) != 0) {
		json_error_text(&where, reason, sizeof reason);
		die(EXIT_CONFIG, "capability: %s", reason);
	}
}

static void
courier_load(struct courier *courier)
{
	static struct span texts[START_TEXTS_MAX];
	struct buf store;

	courier->count = role_begin(&store, texts, START_TEXTS_MAX);
	courier->instances =
	    alloc_array(courier->count, sizeof *courier->instances);
	for (size_t i = 0; i < courier->count; i++)
		load_instance(&courier->instances[i], texts[i]);
	buf_free(&store);
	json_init(&courier->doc);
	buf_init(&courier->body, ORDER_BODY_MAX);
	buf_init(&courier->result, RESULT_BODY_MAX);
	buf_init(&courier->content, RESULT_CONTENT_MAX);
	courier->digest = sha256_new();
}

/* Open what the effects need; then there is no more to be had. */
static void
courier_open(struct courier *courier)
{
	for (size_t i = 0; i < courier->count; i++) {
		struct capability *c = courier->instances[i].capability;

		c->kind->open(c->settings, c->method);
	}
}

static struct instance *
find_instance(struct courier *courier, uint32_t number)
{
	for (size_t i = 0; i < courier->count; i++)
		if (courier->instances[i].capability->number == number)
			return &courier->instances[i];
	return NULL;
}

/* Everything the broker should have checked, once more. */
static int
check_order(struct courier *courier, const struct order_head *order,
    struct instance **instance_out, char *detail)
{
	unsigned char hash[SHA256_BYTES];
	struct instance *instance = find_instance(courier, order->capability);
	struct capability *c;
	struct span body = {courier->body.data, courier->body.len};
	int rc;

	if (instance == NULL) {
		snprintf(detail, DETAIL_BYTES, "not a capability of mine");
		return -ERR_REFUSED;
	}
	sha256_of(body.p, body.n, hash);
	if (memcmp(hash, order->body_hash, sizeof hash) != 0) {
		snprintf(
		    detail, DETAIL_BYTES, "the body is not the one on record");
		return -ERR_REFUSED;
	}
	c = instance->capability;
	if (quota_used(&instance->quota, clock_ms()) >= c->per_hour) {
		snprintf(detail, DETAIL_BYTES,
		    "ceiling of %u calls an hour is reached", c->per_hour);
		return -ERR_LIMIT;
	}
	rc = json_parse(&courier->doc, body, NULL, NULL);
	if (rc == 0)
		rc = schema_check(c->arguments, &courier->doc,
		    json_root(&courier->doc), detail, DETAIL_BYTES);
	if (rc == 0)
		rc = c->kind->check(c->settings, c->method, &courier->doc,
		    json_root(&courier->doc), detail, DETAIL_BYTES);
	if (rc == 0)
		*instance_out = instance;
	return rc;
}

static enum outcome
outcome_of(int rc)
{
	switch (-rc) {
	case 0:
		return OUTCOME_DONE;
	case ERR_FAILED:
	case ERR_NO_SPACE:
	case ERR_IO:
		return OUTCOME_FAILED;
	case ERR_UNKNOWN_OUTCOME:
		return OUTCOME_UNKNOWN;
	default:
		return OUTCOME_REFUSED;
	}
}

static int
perform(struct courier *courier, const struct order_head *order, char *detail)
{
	struct instance *instance = NULL;
	struct capability *c;
	int rc;

	buf_clear(&courier->result);
	buf_clear(&courier->content);
	rc = check_order(courier, order, &instance, detail);
	if (rc != 0)
		return outcome_of(rc) == OUTCOME_REFUSED ? rc : -ERR_REFUSED;
	c = instance->capability;
	quota_charge(&instance->quota, clock_ms());
	rc = c->kind->run(c->settings, c->method, &courier->doc,
	    json_root(&courier->doc), &courier->result, &courier->content,
	    detail, DETAIL_BYTES);
	if (rc == 0 && courier->result.overflow) {
		/* the effect took place; only its account does not fit */
		buf_clear(&courier->result);
		buf_add_text(&courier->result, "{\"too_large\":true}");
	}
	if (outcome_of(rc) == OUTCOME_REFUSED ||
	    outcome_of(rc) == OUTCOME_FAILED)
		quota_refund(&instance->quota, clock_ms());
	return rc;
}

/* Auditor first: the record should never lag behind what the planner knows. */
static void
report(struct courier *courier, const struct order_head *order, int rc,
    const char *detail)
{
	struct outcome_head outcome = {.magic = ORDER_MAGIC,
	    .outcome = outcome_of(rc),
	    .sequence = order->sequence,
	    .request = order->request,
	    .capability = order->capability,
	    .error = (uint32_t)-rc};
	struct result_head result = {.magic = ORDER_MAGIC,
	    .outcome = outcome.outcome,
	    .request = order->request,
	    .error = (uint32_t)-rc};

	if (rc != 0) {
		buf_clear(&courier->result);
		buf_clear(&courier->content);
	}
	outcome.bytes = courier->result.len + courier->content.len;
	result.body_bytes = (uint32_t)courier->result.len;
	result.content_bytes = (uint32_t)courier->content.len;
	sha256_start(courier->digest);
	sha256_add(courier->digest, courier->result.data, courier->result.len);
	sha256_add(
	    courier->digest, courier->content.data, courier->content.len);
	sha256_end(courier->digest, outcome.body_hash);
	memcpy(outcome.detail, detail, DETAIL_BYTES);
	memcpy(result.detail, detail, DETAIL_BYTES);
	if (write_all(FD_ORDERS, &outcome, sizeof outcome, PEER_MS) != 0)
		die(EXIT_UNAVAILABLE, "the auditor takes no outcome");
	if (write_all(FD_RESULTS, &result, sizeof result, PEER_MS) != 0 ||
	    write_all(FD_RESULTS, courier->result.data, courier->result.len,
		PEER_MS) != 0 ||
	    write_all(FD_RESULTS, courier->content.data, courier->content.len,
		PEER_MS) != 0)
		die(EXIT_UNAVAILABLE, "the broker takes no result");
}

/* One order; false when the auditor is gone. */
static bool
serve_order(struct courier *courier)
{
	struct order_head order;
	char detail[DETAIL_BYTES] = "";
	char *to;
	int rc;

	if (read_all(FD_ORDERS, &order, sizeof order, PEER_MS) != 0)
		return false;
	if (order.magic != ORDER_MAGIC || order.body_bytes > ORDER_BODY_MAX)
		bug("order without magic or too long");
	buf_clear(&courier->body);
	to = buf_reserve(&courier->body, order.body_bytes);
	if (read_all(FD_ORDERS, to, order.body_bytes, PEER_MS) != 0)
		return false;
	courier->body.len = order.body_bytes;
	rc = perform(courier, &order, detail);
	report(courier, &order, rc, detail);
	return true;
}

static void
serve(struct courier *courier)
{
	struct pollfd watch[] = {
	    {.fd = FD_CONTROL, .events = POLLIN},
	    {.fd = FD_ORDERS, .events = POLLIN},
	};

	for (;;) {
		if (poll(watch, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			die_errno("poll");
		}
		if (watch[0].revents != 0)
			return; /* the parent stops us, or is gone */
		if (watch[1].revents != 0 && !serve_order(courier))
			return;
	}
}

int
courier_main(void)
{
	static const int fds[] = {FD_CONTROL, FD_ORDERS, FD_RESULTS};
	struct courier courier = {0};

	set_nonblocking(fds, sizeof fds / sizeof fds[0]);
	courier_load(&courier);
	if (courier.count == 0)
		bug("courier without a capability");
	courier_open(&courier);
	role_seal();
	role_ready();
	serve(&courier);
	return EXIT_DONE;
}
