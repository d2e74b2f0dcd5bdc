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
	struct capability *offered; /* of the next policy, or NULL */
	struct quota quota;
};

struct courier {
	struct instance *instances;
	size_t count;
	struct json_doc doc;
	struct buf body, result, content;
	struct sha256 *digest;
};

/* "number\n{instance}". 0, or the error of capability_parse. */
static int
parse_instance(
    struct span text, struct capability **out, struct json_error *where)
{
	unsigned long number = 0;
	size_t head = 0;

	while (head < text.n && text.p[head] >= '0' && text.p[head] <= '9' &&
	       number < POLICY_MAX_CAPABILITIES)
		number = number * 10 + (unsigned long)(text.p[head++] - '0');
	if (head + 1 >= text.n || text.p[head] != '\n' ||
	    number >= POLICY_MAX_CAPABILITIES)
		bug("courier start text");
	text.p += head + 1;
	text.n -= head + 1;
	return capability_parse(text, (uint32_t)number, out, where);
}

static void
load_instance(struct instance *instance, struct span text)
{
	struct json_error where;
	char reason[400];

	if (parse_instance(text, &instance->capability, &where) != 0) {
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

/* Whether this version of the capability takes the order. The settings are
 * those of the one that is open: no reload changes them. */
static int
check_by(struct courier *courier, struct instance *instance,
    const struct capability *c, char *detail)
{
	const struct capability *open = instance->capability;
	const struct json_node *arguments = json_root(&courier->doc);
	int rc;

	if (quota_used(&instance->quota, clock_ms()) >= c->per_hour) {
		snprintf(detail, DETAIL_BYTES,
		    "ceiling of %u calls an hour is reached", c->per_hour);
		return -ERR_LIMIT;
	}
	rc = schema_check(
	    c->arguments, &courier->doc, arguments, detail, DETAIL_BYTES);
	return rc != 0 ? rc
		       : open->kind->check(open->settings, open->method,
			     &courier->doc, arguments, detail, DETAIL_BYTES);
}

/* Everything the broker should have checked, once more. */
static int
check_order(struct courier *courier, const struct order_head *order,
    struct instance **instance_out, char *detail)
{
	unsigned char hash[SHA256_BYTES];
	struct instance *instance = find_instance(courier, order->capability);
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
	rc = json_parse(&courier->doc, body, NULL, NULL);
	if (rc != 0)
		return rc;
	rc = check_by(courier, instance, instance->capability, detail);
	/* between two policies an order of either is taken, whole */
	if (rc != 0 && instance->offered != NULL &&
	    check_by(courier, instance, instance->offered, detail) == 0)
		rc = 0;
	if (rc == 0) {
		detail[0] = '\0';
		*instance_out = instance;
	}
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
drop_offer(struct courier *courier)
{
	for (size_t i = 0; i < courier->count; i++) {
		capability_free(courier->instances[i].offered);
		courier->instances[i].offered = NULL;
	}
}

/* One instance of the next policy, for the one of its number. */
static bool
take_offered(struct courier *courier, struct span text)
{
	struct capability *c;
	struct json_error where;
	struct instance *instance;

	if (parse_instance(text, &c, &where) != 0)
		return false;
	instance = find_instance(courier, c->number);
	if (instance == NULL || instance->offered != NULL ||
	    strcmp(instance->capability->name, c->name) != 0) {
		capability_free(c);
		return false;
	}
	instance->offered = c;
	return true;
}

/* Texts as role_start writes them: all of them, or none. */
static bool
take_offer(struct courier *courier, struct span texts)
{
	size_t count = 0;
	bool good = true;

	drop_offer(courier);
	while (good && texts.n != 0) {
		uint32_t length = 0;

		if (texts.n >= sizeof length)
			memcpy(&length, texts.p, sizeof length);
		if (length == 0 || length > texts.n - sizeof length)
			bug("an offer is cut");
		good = take_offered(
		    courier, (struct span){texts.p + sizeof length, length});
		texts.p += sizeof length + length;
		texts.n -= sizeof length + length;
		count++;
	}
	if (good && count == courier->count)
		return true;
	drop_offer(courier);
	return false;
}

static void
settle(struct courier *courier)
{
	for (size_t i = 0; i < courier->count; i++) {
		struct instance *instance = &courier->instances[i];

		if (instance->offered == NULL)
			bug("settled without an offer");
		capability_renew(instance->capability, instance->offered);
		instance->offered = NULL;
	}
}

static void
answer_control(const struct control *record, bool taken)
{
	struct control answer = {
	    .what = taken ? CONTROL_TAKEN : CONTROL_REFUSED,
	    .number = record->number};

	if (control_tell(FD_CONTROL, answer, (struct span){0}) != 0)
		die(EXIT_UNAVAILABLE, "the parent does not listen");
}

/* One word of the parent's; false when it is gone. */
static bool
serve_control(struct courier *courier)
{
	struct control record;
	struct buf text;
	int rc = control_receive(FD_CONTROL, &record);

	if (rc <= 0)
		return rc == 0;
	buf_init(&text, CONTROL_TEXT_MAX);
	if (control_text(FD_CONTROL, &record, &text) != 0)
		rc = -ERR_CLOSED;
	else if (record.what == CONTROL_OFFER)
		answer_control(&record,
		    take_offer(courier, (struct span){text.data, text.len}));
	else if (record.what == CONTROL_DROP)
		drop_offer(courier);
	else if (record.what == CONTROL_SETTLE) {
		settle(courier);
		answer_control(&record, true);
	}
	buf_free(&text);
	return rc > 0;
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
		/* first: what is settled holds for the next order */
		if (watch[0].revents != 0 && !serve_control(courier))
			return; /* the parent is gone */
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
