/*
 * The decision. Runs in the broker on what a planner asked for; believes the
 * policy snapshot and the session's ledger, nothing in the request. Pure: it
 * opens nothing, sends nothing, logs nothing, allocates nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "executor/extract.h"
#include "executor/facts.h"
#include "executor/policy_impl.h"

/* One decision being made. */
struct question {
	const struct policy *policy;
	const struct decide_request *request;
	const struct capability *capability;
	struct schema_work work; /* of the capability's schema and the rules' */
	unsigned effects;	 /* of this call */
	struct leaves leaves;
	struct decision *decision;
	decide_watch *watch; /* NULL: nobody watches */
	void *context;
};

const char *
verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = {
	    [VERDICT_ALLOW] = "allow",
	    [VERDICT_ASK] = "ask",
	    [VERDICT_DENY] = "deny",
	};

	return names[verdict];
}

size_t
policy_capability_count(const struct policy *policy)
{
	return policy->capability_count;
}

const struct capability *
policy_capability(const struct policy *policy, uint32_t number)
{
	return number < policy->capability_count ? policy->capabilities[number]
						 : NULL;
}

const struct extract *
policy_extract(const struct policy *policy, struct span name)
{
	for (uint32_t i = 0; i < policy->extract_count; i++)
		if (span_is(name, extract_name(policy->extracts[i])))
			return policy->extracts[i];
	return NULL;
}

static int
compare_name(struct span name, const char *to)
{
	size_t length = strlen(to), n = name.n < length ? name.n : length;
	int order = n == 0 ? 0 : memcmp(name.p, to, n);

	if (order != 0)
		return order;
	return (name.n > length) - (name.n < length);
}

const struct capability *
policy_find(const struct policy *policy, struct span name)
{
	uint32_t low = 0, high = policy->capability_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct capability *c =
		    policy->capabilities[policy->by_name[middle]];
		int order = compare_name(name, c->name);

		if (order == 0)
			return c;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
rule_names(const struct rule *rule, uint32_t number)
{
	return rule->any || (rule->set[number / 64] >> number % 64 & 1) != 0;
}

unsigned
effects_legs(unsigned effects)
{
	return ((effects & EFFECT_UNTRUSTED) != 0 ? (unsigned)LEG_A : 0) |
	       ((effects & EFFECT_PRIVATE) != 0 ? (unsigned)LEG_B : 0) |
	       ((effects & EFFECT_LEAVES) != 0 ? (unsigned)LEG_C : 0);
}

/* A refusal by one of the rules that are not in the file. */
static void
deny(struct question *q, const char *rule, int error, const char *why)
{
	q->decision->verdict = VERDICT_DENY;
	q->decision->error = error < 0 ? -error : error;
	q->decision->rule = rule;
	q->decision->why = why;
	q->decision->rule_number = 0;
}

static bool
check_capability(struct question *q)
{
	q->capability = policy_find(q->policy, q->request->capability);
	if (q->capability == NULL) {
		deny(q, "no-capability", ERR_DENIED,
		    "the operator has configured no capability of this name");
		return false;
	}
	q->decision->capability = q->capability;
	q->decision->adds_legs = effects_legs(q->capability->effects->effects);
	return true;
}

static bool
check_schema(struct question *q)
{
	const struct decide_request *r = q->request;
	struct decision *d = q->decision;

	if (r->arguments == NULL || r->arguments->type != JSON_OBJECT) {
		snprintf(d->detail, sizeof d->detail, "has to be an object");
	} else if (schema_check_within(q->capability->arguments, r->doc,
		       r->arguments, &q->work, d->detail,
		       sizeof d->detail) == 0) {
		return true;
	}
	deny(q, "arguments", ERR_SCHEMA,
	    "the arguments do not fit the schema of this capability");
	return false;
}

static bool
check_kind(struct question *q)
{
	const struct capability *c = q->capability;
	struct decision *d = q->decision;
	int rc = c->kind->check(c->settings, c->method, q->request->doc,
	    q->request->arguments, d->detail, sizeof d->detail);

	if (rc == 0)
		return true;
	deny(q, "kind", rc,
	    "this kind of capability never takes such arguments");
	return false;
}

/* A reason why a rule does not match, for people; -ERR_DENIED. */
static int miss(char *detail, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
miss(char *detail, size_t room, const char *format, ...)
{
	va_list args;

	if (room == 0)
		return -ERR_DENIED;
	va_start(args, format);
	vsnprintf(detail, room, format, args);
	va_end(args);
	return -ERR_DENIED;
}

bool
rule_in_hours(const struct rule *rule, uint32_t week_minute)
{
	uint32_t minute = week_minute % (24 * 60),
		 day = week_minute / (24 * 60);

	return week_minute < WEEK_MINUTES && (rule->days >> day & 1) != 0 &&
	       minute >= rule->hours_from && minute < rule->hours_to;
}

/* What it says of the call, but for its arguments. */
static int
match_call(const struct question *q, const struct rule *rule, char *detail,
    size_t room)
{
	const struct decide_request *r = q->request;
	unsigned legs = rule->without_legs & r->legs;
	unsigned effects = (rule->effects_has & ~q->effects) |
			   (rule->effects_not & q->effects);

	if (effects != 0)
		return miss(detail, room, "this call %s the effect \"%s\"",
		    (effects & q->effects) != 0 ? "has" : "has not",
		    effect_name((enum effect)(effects & -effects)));
	if (rule->zone != NULL && !span_is(r->zone, rule->zone))
		return miss(
		    detail, room, "it is for the zone \"%s\"", rule->zone);
	if (legs != 0)
		return miss(detail, room, "this session has leg%s%s%s",
		    (legs & LEG_A) != 0 ? " A" : "",
		    (legs & LEG_B) != 0 ? " B" : "",
		    (legs & LEG_C) != 0 ? " C" : "");
	if (rule->has_hours && !rule_in_hours(rule, r->week_minute))
		return miss(detail, room, "it is not its time of day");
	return 0;
}

/* "model" is the session's words too, and stands for all that it has seen. */
unsigned
rule_accepts(const struct rule *rule, enum from from, unsigned legs)
{
	unsigned accepted = rule->from[from];

	if ((legs & LEG_A) != 0 && rule->model_after_untrusted == NULL)
		accepted &= ~(unsigned)ORIGIN_MODEL;
	return accepted;
}

/* Where its values came from. */
static int
match_values(
    struct question *q, const struct rule *rule, char *detail, size_t room)
{
	for (int i = 0; i < FROM_COUNT; i++) {
		unsigned accepted;

		if (rule->from[i] == 0)
			continue;
		accepted = rule_accepts(rule, (enum from)i, q->request->legs);
		if (!q->leaves.filled)
			leaves_fill(
			    &q->leaves, q->request, q->capability->effects);
		q->decision->unknown |= q->leaves.unknown;
		if (!leaves_accept(&q->leaves, (enum from)i, accepted))
			return miss(detail, room,
			    "where its %s come%s from is not what it accepts",
			    from_name((enum from)i),
			    i == FROM_LINKS ? "" : "s");
	}
	return 0;
}

/*
 * Whether a rule that names the capability applies: 0, -ERR_DENIED if it does
 * not, -ERR_LIMIT if that could not be found out. With `room` the reason goes
 * into `detail`.
 */
static int
match_rule(
    struct question *q, const struct rule *rule, char *detail, size_t room)
{
	const struct decide_request *r = q->request;
	int rc = match_call(q, rule, detail, room);

	if (rc == 0)
		rc = match_values(q, rule, detail, room);
	if (rc != 0 || rule->arguments == NULL)
		return rc;
	rc = schema_check_within(
	    rule->arguments, r->doc, r->arguments, &q->work, detail, room);
	return rc == -ERR_SCHEMA ? -ERR_DENIED : rc;
}

/* `rule "id" did not match: reason` for people; the words of a reason are the
 * operator's and ours, see schema.h. */
static void
explain_miss(struct question *q, const struct rule *rule)
{
	struct decision *d = q->decision;
	int length = snprintf(d->detail, sizeof d->detail,
	    "rule \"%s\" did not match: ", rule->id);

	match_rule(
	    q, rule, d->detail + length, sizeof d->detail - (size_t)length);
}

/* What is not in the file's rules, and stricter than they are. */
static void
raise_to(struct question *q, enum verdict verdict, const char *rule, int error,
    const char *why)
{
	struct decision *d = q->decision;

	d->verdict = verdict;
	d->error = verdict == VERDICT_ASK ? ERR_DENIED : error;
	d->rule = rule;
	d->why = why;
	d->rule_number = 0;
}

/*
 * The floor: a call with which the session has all three legs, and that adds
 * one of them or causes an effect outside, gets the stricter of its rule's
 * verdict and the policy's floor, unless an exception names its capability.
 */
bool
floor_excepts(const struct policy *policy, uint32_t number)
{
	for (uint32_t i = 0; i < policy->exception_count; i++)
		if ((policy->exceptions[i].set[number / 64] >> number % 64 &
			1) != 0)
			return true;
	return false;
}

/* What a person has said not to be asked about again. */
static bool
apply_again(struct question *q, const char *asked_by)
{
	const struct again *again =
	    again_find(q->request, q->capability, asked_by);
	struct decision *d = q->decision;

	if (again == NULL)
		return false;
	d->verdict = VERDICT_ALLOW;
	d->error = 0;
	d->rule = again->id;
	d->why = "a person approved this and asked not to be asked again";
	d->rule_number = 0;
	d->detail[0] = '\0';
	return true;
}

static void
apply_floor(struct question *q)
{
	const unsigned all = LEG_A | LEG_B | LEG_C;
	unsigned has = q->request->legs, adds = q->decision->adds_legs;
	struct decision *d = q->decision;

	if (d->verdict >= q->policy->floor || (has | adds) != all ||
	    ((adds & ~has) == 0 && (adds & LEG_C) == 0) ||
	    floor_excepts(q->policy, q->capability->number))
		return;
	if (q->policy->floor == VERDICT_ASK && apply_again(q, "floor"))
		return;
	snprintf(d->detail, sizeof d->detail,
	    "rule \"%s\" allows it, but not to a session with the legs "
	    "A, B and C",
	    d->rule);
	raise_to(q, q->policy->floor, "floor", ERR_DENIED,
	    "who has read strangers' words and private data may not act "
	    "outside unasked");
}

/* Novel links, where the capability's are asked about or denied. */
static void
apply_outbound(struct question *q)
{
	const struct capability *c = q->capability;
	enum verdict verdict =
	    c->outbound.links == OUTBOUND_DENY ? VERDICT_DENY : VERDICT_ASK;

	if (c->outbound.links < OUTBOUND_ASK ||
	    q->decision->verdict >= verdict ||
	    (q->effects & EFFECT_LEAVES) == 0)
		return;
	if (!q->leaves.filled)
		leaves_fill(&q->leaves, q->request, c->effects);
	q->decision->unknown |= q->leaves.unknown;
	if (leaves_accept(
		&q->leaves, FROM_LINKS, ORIGIN_OPERATOR | ORIGIN_SELF))
		return;
	snprintf(q->decision->detail, sizeof q->decision->detail,
	    "its text has a link that the operator's words do not have");
	raise_to(q, verdict, "outbound", ERR_DENIED,
	    "whoever shows a text may follow its links, with what is in them");
}

/* The limits of the policy; the strictest of those that are reached, of equal
 * ones the first. */
static void
apply_limits(struct question *q)
{
	const struct decide_used *used = q->request->used;
	struct decision *d = q->decision;

	for (uint32_t i = 0; i < q->policy->limit_count; i++) {
		const struct limit *limit = policy_limit(q->policy, i);
		uint64_t amount = d->amounts.of[limit->of];
		uint64_t before = used == NULL ? 0 : used->limits[i];
		enum verdict verdict = limit->deny ? VERDICT_DENY : VERDICT_ASK;

		if (d->verdict >= verdict || amount == 0 ||
		    !policy_limit_names(q->policy, i, q->capability->number))
			continue;
		if (used != NULL && used->missing != NULL && used->missing[i] &&
		    amount <= limit->most) {
			d->unknown = true;
			continue;
		}
		if (amount <= limit->most && before <= limit->most - amount)
			continue;
		snprintf(d->detail, sizeof d->detail,
		    "limit \"%s\": it would be more %s than one %s may have",
		    limit->id, limit_of_name(limit->of),
		    limit_per_name(limit->per));
		raise_to(q, verdict, "limit", ERR_LIMIT, limit->why);
	}
}

/* What a session that has read something says outside, unless the operator
 * said it first. */
static void
measure(struct question *q)
{
	const struct decide_request *r = q->request;
	struct decision *d = q->decision;
	bool leaves = (q->effects & EFFECT_LEAVES) != 0;

	amounts_of(
	    r->doc, r->arguments, q->capability->effects, leaves, &d->amounts);
	if (!leaves || (r->legs & (LEG_A | LEG_B)) == 0)
		return;
	if (!q->leaves.filled)
		leaves_fill(&q->leaves, r, q->capability->effects);
	leaves_leak(&q->leaves, &d->leak_bytes, &d->leak_fields);
	if (q->leaves.too_many) /* what was not looked at may be all */
		d->leak_bytes = json_raw(r->doc, r->arguments).n;
}

static bool
is_over(uint64_t most, uint64_t before, uint64_t bytes)
{
	return bytes > most || before > most - bytes;
}

static void
apply_leak(struct question *q)
{
	const struct leak_caps *caps = &q->policy->leak;
	const struct decide_used *used = q->request->used;
	enum verdict verdict = caps->deny ? VERDICT_DENY : VERDICT_ASK;
	struct decision *d = q->decision;
	bool session;

	if (!caps->capped || d->verdict >= verdict)
		return;
	d->unknown |= q->leaves.filled && q->leaves.unknown;
	if (d->leak_bytes == 0)
		return;
	session = is_over(caps->session, used == NULL ? 0 : used->leak_session,
	    d->leak_bytes);
	if (!session &&
	    !is_over(caps->destination,
		used == NULL ? 0 : used->leak_destination, d->leak_bytes))
		return;
	snprintf(d->detail, sizeof d->detail,
	    "with its %llu bytes, more than %llu would have left %s",
	    (unsigned long long)d->leak_bytes,
	    (unsigned long long)(session ? caps->session : caps->destination),
	    session ? "in this session" : "for this destination");
	raise_to(q, verdict, "leak", ERR_LIMIT,
	    "a session that has read others' words or private data may say "
	    "only so much outside");
}

static void
apply_rule(struct question *q, const struct rule *rule)
{
	struct decision *d = q->decision;

	if (rule->verdict != VERDICT_DENY &&
	    q->request->used_hour >= q->capability->per_hour) {
		deny(q, "limit", ERR_LIMIT,
		    "this capability has been used as often as its limit "
		    "allows in an hour");
		snprintf(d->detail, sizeof d->detail,
		    "at most %u an hour, after that rule \"%s\" has no say",
		    (unsigned)q->capability->per_hour, rule->id);
		return;
	}
	d->verdict = rule->verdict;
	d->error = rule->verdict == VERDICT_ALLOW ? 0 : ERR_DENIED;
	d->rule = rule->id;
	d->why = rule->why;
	d->rule_number = (uint32_t)(rule - q->policy->rules) + 1;
	if (rule->verdict == VERDICT_ASK && !apply_again(q, rule->id))
		snprintf(d->detail, sizeof d->detail,
		    "a person has to approve this");
	if (d->verdict == VERDICT_DENY)
		return;
	measure(q);
	apply_limits(q);
	apply_floor(q);
	apply_outbound(q);
	apply_leak(q);
}

/* What is looked up once for all rules. */
struct looked_up {
	uint32_t zone;
	uint32_t texts[INDEX_KEYS_MAX + 1];
};

/* Whether match_rule would pass the rule over for its zone, legs, effects or
 * one argument. Where two hashes are one it has the last word. */
static bool
probe_misses(const struct question *q, const struct probe *probe,
    const struct looked_up *looked)
{
	uint32_t text = looked->texts[probe->key];

	return (probe->zone != 0 && probe->zone != looked->zone) ||
	       (probe->without_legs & q->request->legs) != 0 ||
	       (probe->effects_has & ~q->effects) != 0 ||
	       (probe->effects_not & q->effects) != 0 ||
	       (text != INDEX_ABSENT && text != probe->text);
}

/* The first rule that names the capability and matches. */
static void
apply_rules(struct question *q)
{
	const struct policy *policy = q->policy;
	const struct rule *miss = NULL; /* the first that could have helped */
	uint32_t number = q->capability->number;
	struct looked_up looked = {.zone = index_hash(q->request->zone)};

	index_look(&policy->index, q->request->doc, q->request->arguments,
	    looked.texts);
	for (uint32_t i = index_next(policy, number, 0); i < policy->rule_count;
	     i = index_next(policy, number, i + 1)) {
		const struct rule *rule = &policy->rules[i];
		const struct probe *probe = &policy->index.probes[i];
		int rc;

		if (probe_misses(q, probe, &looked))
			rc = -ERR_DENIED;
		else
			rc = match_rule(q, rule, NULL, 0);
		if (q->watch != NULL)
			q->watch(q->context, rule, rc);
		if (rc == 0) {
			apply_rule(q, rule);
			return;
		}
		if (rc != -ERR_DENIED) {
			deny(q, "arguments", ERR_SCHEMA,
			    "whether a rule matches these arguments takes too "
			    "much work to find out");
			explain_miss(q, rule);
			return;
		}
		if (miss == NULL && !probe->denies)
			miss = rule;
	}
	deny(q, "default", ERR_DENIED, "no rule allows this");
	if (miss != NULL)
		explain_miss(q, miss);
}

void
decide_watched(const struct policy *policy,
    const struct decide_request *request, struct decision *decision_out,
    decide_watch *watch, void *context)
{
	struct question q = {.policy = policy,
	    .request = request,
	    .work = {.left = SCHEMA_MAX_WORK},
	    .decision = decision_out,
	    .watch = watch,
	    .context = context};

	*decision_out = (struct decision){0};
	deny(&q, "default", ERR_DENIED, "no rule allows this");
	if (!check_capability(&q) || !check_schema(&q) || !check_kind(&q))
		return;
	q.effects = call_effects(request, q.capability->effects);
	decision_out->adds_legs = effects_legs(q.effects) | request->place_legs;
	apply_rules(&q);
}

void
decide(const struct policy *policy, const struct decide_request *request,
    struct decision *decision_out)
{
	decide_watched(policy, request, decision_out, NULL, NULL);
}
