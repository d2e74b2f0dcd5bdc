/*
 * Why, and what would have to be different. Runs in the operator's commands on
 * his policy and a call he writes down. Every statement rests on decide():
 * the rules are those it looked at, a change is one it was asked with.
 */
#include "executor/policy_explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/facts.h"

#define STEPS_MAX 1024u /* single changes; more are not tried */
#define HOURS_MAX 32u	/* different hours among the rules of one capability */

enum step_kind { STEP_FROM, STEP_LEG, STEP_TIME, STEP_ZONE, STEP_USED };

/* One thing that could be different. */
struct step {
	enum step_kind kind;
	enum from from;	 /* STEP_FROM */
	unsigned bits;	 /* its origins; STEP_LEG: the leg */
	uint32_t number; /* minute of the week, or calls used */
	const char *zone;
};

struct search {
	const struct policy *policy;
	const struct decide_request *request;
	struct explanation *explanation;
	struct step steps[STEPS_MAX];
	size_t count;
	unsigned tries, most; /* decisions asked for, and to ask for */
	bool full;	      /* not every single change is among the steps */
};

/*
 * Why rules did not match.
 */
static struct misses
misses_of(const struct explanation *e, const struct decide_request *r,
    const struct rule *rule)
{
	struct schema_work work = {.left = SCHEMA_MAX_WORK};
	struct misses m = {0};
	int rc = 0;

	m.effects = ((rule->effects_has & ~e->effects) |
			(rule->effects_not & e->effects)) != 0;
	m.zone = rule->zone != NULL && !span_is(r->zone, rule->zone);
	m.legs = rule->without_legs & r->legs;
	m.hours = rule->has_hours && !rule_in_hours(rule, r->week_minute);
	for (int i = 0; i < FROM_COUNT; i++) {
		enum from from = (enum from)i;

		if (rule->from[i] == 0 ||
		    leaves_accept(
			&e->leaves, from, rule_accepts(rule, from, r->legs)))
			continue;
		m.roles |= 1u << i;
		if (!leaves_accept(&e->leaves, from, ~0u))
			m.none |= 1u << i;
	}
	if (rule->arguments != NULL)
		rc = schema_check_within(
		    rule->arguments, r->doc, r->arguments, &work, NULL, 0);
	m.arguments = rc == -ERR_SCHEMA;
	m.unclear = rc == -ERR_LIMIT;
	return m;
}

struct watching {
	struct explanation *explanation;
	size_t room;
};

static void
on_rule(void *context, const struct rule *rule, int rc)
{
	struct watching *w = context;
	struct explanation *e = w->explanation;

	if (e->rule_count == w->room) {
		w->room = w->room == 0 ? 16 : 2 * w->room;
		e->rules = alloc_resize(e->rules, w->room, sizeof *e->rules);
	}
	e->rules[e->rule_count++] = (struct explained_rule){.rule = rule,
	    .matched = rc == 0,
	    .misses.unclear = rc != 0 && rc != -ERR_DENIED};
}

/*
 * Asking again.
 */
static unsigned
bits_of(unsigned bits)
{
	unsigned count = 0;

	for (; bits != 0; bits &= bits - 1)
		count++;
	return count;
}

static void
change_begin(const struct search *s, struct change *c)
{
	*c = (struct change){.request = *s->request};
	if (s->request->supposed != NULL)
		memcpy(c->supposed, s->request->supposed, sizeof c->supposed);
	c->request.supposed = c->supposed;
}

static void
change_from(struct change *c, enum from from, unsigned origins)
{
	c->supposed[from] = origins;
	c->roles |= 1u << from;
	if (bits_of(origins) > 1)
		c->together |= 1u << from;
	else
		c->together &= ~(1u << from);
}

static void
change_step(struct change *c, const struct step *step)
{
	switch (step->kind) {
	case STEP_FROM:
		change_from(c, step->from, step->bits);
		break;
	case STEP_LEG:
		c->request.legs ^= step->bits;
		break;
	case STEP_TIME:
		c->request.week_minute = step->number;
		break;
	case STEP_ZONE:
		c->request.zone = span_of(step->zone);
		break;
	case STEP_USED:
		c->request.used_hour = step->number;
		break;
	}
}

static unsigned
change_size(const struct search *s, const struct change *c)
{
	const struct decide_request *was = s->request, *is = &c->request;

	return bits_of(was->legs ^ is->legs) + bits_of(c->roles) +
	       !span_equal(was->zone, is->zone) +
	       (was->week_minute != is->week_minute) +
	       (was->used_hour != is->used_hour);
}

/* How welcome a verdict is when several changes are equally small. */
static int
rank(const struct search *s, enum verdict verdict)
{
	return s->explanation->decision.verdict == VERDICT_ALLOW
		   ? (int)VERDICT_COUNT - (int)verdict
		   : (int)verdict;
}

static bool
is_better(const struct search *s, const struct change *c)
{
	const struct change *best = &s->explanation->change;

	if (best->size == 0 || c->size != best->size)
		return best->size == 0 || c->size < best->size;
	return rank(s, c->decision.verdict) < rank(s, best->decision.verdict);
}

/* Ask with the change; keep it if it alters the verdict and is the best so
 * far. Whether it alters it. */
static bool
try_change(struct search *s, struct change *c)
{
	struct change *best = &s->explanation->change;

	c->size = change_size(s, c);
	c->request.supposed = c->supposed;
	s->tries++;
	decide(s->policy, &c->request, &c->decision);
	if (c->decision.verdict == s->explanation->decision.verdict)
		return false;
	if (c->size != 0 && is_better(s, c)) {
		*best = *c;
		best->request.supposed = best->supposed;
	}
	return true;
}

/*
 * Single changes.
 */
static void
add_step(struct search *s, struct step step)
{
	if (s->count == STEPS_MAX) {
		s->full = true;
		return;
	}
	s->steps[s->count++] = step;
}

static void
add_from(struct search *s, enum from from, unsigned origins)
{
	add_step(
	    s, (struct step){.kind = STEP_FROM, .from = from, .bits = origins});
}

/* Whether a built-in rule asks if values of that role are the operator's. */
static bool
wants_ours(const struct search *s, enum from from)
{
	const struct capability *c = s->explanation->decision.capability;

	return (from == FROM_LINKS && c->outbound.links >= OUTBOUND_ASK) ||
	       (from == FROM_CONTENT && s->policy->leak.capped);
}

/* Every set of origins that a rule tells from another is one of these: an
 * origin alone, and one with the operator's or his own beside it where a
 * built-in rule wants that too. More origins together match whatever these
 * do, and are not tried. */
static void
add_origins(struct search *s, enum from from)
{
	const struct explanation *e = s->explanation;
	bool asked = false, ours = wants_ours(s, from);

	for (size_t i = 0; i < s->policy->rule_count && !asked; i++)
		asked = s->policy->rules[i].from[from] != 0 &&
			rule_names(&s->policy->rules[i],
			    e->decision.capability->number);
	if (!(asked || ours) || leaves_accept(&e->leaves, from, 0))
		return; /* nobody asks, or there is no link */
	for (unsigned bit = 0; bit < ORIGIN_COUNT; bit++) {
		add_from(s, from, 1u << bit);
		if (!(asked && ours))
			continue;
		add_from(s, from, 1u << bit | ORIGIN_OPERATOR);
		add_from(s, from, 1u << bit | ORIGIN_SELF);
	}
}

/* A minute of the day `ahead` days from now; today only what is to come, and
 * in a week what is over. */
static void
add_minute(struct search *s, uint32_t ahead, uint32_t minute)
{
	uint32_t now = s->request->week_minute;
	uint32_t today = now - now % DAY_MINUTES;

	if ((ahead == 0 && today + minute <= now) ||
	    (ahead == 7 && today + minute >= now))
		return;
	add_step(s, (struct step){.kind = STEP_TIME,
			.number = (today + ahead * DAY_MINUTES + minute) %
				  WEEK_MINUTES});
}

static void
add_borders(struct search *s, uint32_t ahead, const struct rule *rule)
{
	add_minute(s, ahead, 0);
	add_minute(s, ahead, rule->hours_from);
	add_minute(s, ahead, rule->hours_to % DAY_MINUTES);
}

/* The borders of all hours, on each day, the next one first. */
static void
add_times(struct search *s)
{
	const struct rule *seen[HOURS_MAX];
	size_t count = 0, j;

	for (uint32_t i = 0; i < s->policy->rule_count; i++) {
		const struct rule *rule = &s->policy->rules[i];

		if (!rule->has_hours ||
		    !rule_names(
			rule, s->explanation->decision.capability->number))
			continue;
		for (j = 0; j < count; j++)
			if (seen[j]->hours_from == rule->hours_from &&
			    seen[j]->hours_to == rule->hours_to)
				break;
		if (j < count)
			continue;
		if (count == HOURS_MAX) {
			s->full = true;
			return;
		}
		seen[count++] = rule;
	}
	for (uint32_t ahead = 0; ahead <= 7 && count != 0; ahead++)
		for (j = 0; j < count; j++)
			add_borders(s, ahead, seen[j]);
}

static void
add_zone(struct search *s, const char *zone)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->steps[i].kind == STEP_ZONE &&
		    strcmp(s->steps[i].zone, zone) == 0)
			return;
	if (!span_is(s->request->zone, zone))
		add_step(s, (struct step){.kind = STEP_ZONE, .zone = zone});
}

/* Zones that rules name, and one that none does: no name begins so. */
static void
add_zones(struct search *s)
{
	bool asked = false;

	for (uint32_t i = 0; i < s->policy->rule_count; i++) {
		const struct rule *rule = &s->policy->rules[i];

		if (rule->zone == NULL ||
		    !rule_names(
			rule, s->explanation->decision.capability->number))
			continue;
		asked = true;
		add_zone(s, rule->zone);
	}
	if (asked)
		add_zone(s, EXPLAIN_OTHER_ZONE);
}

static void
add_legs(struct search *s, unsigned legs)
{
	for (unsigned leg = LEG_A; leg <= LEG_C; leg <<= 1)
		if ((legs & leg) != 0)
			add_step(
			    s, (struct step){.kind = STEP_LEG, .bits = leg});
}

/* In the order in which equally small ones are welcome. */
static void
add_steps(struct search *s)
{
	uint32_t most = s->explanation->decision.capability->per_hour;

	for (int i = 0; i < FROM_COUNT; i++)
		add_origins(s, (enum from)i);
	add_legs(s, s->request->legs);
	add_times(s);
	add_zones(s);
	add_step(s, (struct step){.kind = STEP_USED,
			.number = s->request->used_hour < most ? most : 0});
	add_legs(s, ~s->request->legs);
}

static bool
same_thing(const struct step *a, const struct step *b)
{
	return a->kind == b->kind &&
	       (a->kind == STEP_FROM	 ? a->from == b->from
		   : a->kind == STEP_LEG ? a->bits == b->bits
					 : true);
}

static void
try_single(struct search *s)
{
	struct change c;

	for (size_t i = 0; i < s->count; i++) {
		change_begin(s, &c);
		change_step(&c, &s->steps[i]);
		try_change(s, &c);
	}
}

/* Whether all were tried. */
static bool
try_pairs(struct search *s)
{
	struct change c;

	for (size_t i = 0; i < s->count; i++) {
		for (size_t j = i + 1; j < s->count; j++) {
			if (same_thing(&s->steps[i], &s->steps[j]))
				continue;
			if (s->tries >= s->most / 2)
				return false;
			change_begin(s, &c);
			change_step(&c, &s->steps[i]);
			change_step(&c, &s->steps[j]);
			try_change(s, &c);
		}
	}
	return !s->full;
}

/*
 * What a rule lacks, all at once.
 */
static unsigned
lowest(unsigned bits)
{
	return bits & (~bits + 1);
}

/* The next minute from now on that is within the rule's hours. */
static uint32_t
next_minute(const struct rule *rule, uint32_t now)
{
	for (uint32_t ahead = 0; ahead <= 7; ahead++) {
		uint32_t day = (now / DAY_MINUTES + ahead) % 7;
		uint32_t minute = day * DAY_MINUTES + rule->hours_from;

		if ((rule->days >> day & 1) != 0 &&
		    (ahead != 0 || minute >= now))
			return minute;
	}
	return now;
}

static void
supply(const struct search *s, const struct rule *rule, struct change *c)
{
	struct misses m = misses_of(s->explanation, s->request, rule);

	c->request.legs &= ~m.legs;
	if (m.zone)
		c->request.zone = span_of(rule->zone);
	if (m.hours)
		c->request.week_minute =
		    next_minute(rule, s->request->week_minute);
	for (int i = 0; i < FROM_COUNT; i++) {
		unsigned accepted =
		    rule_accepts(rule, (enum from)i, c->request.legs);

		if ((m.roles >> i & 1) != 0 && (m.none >> i & 1) == 0 &&
		    !leaves_accept(
			&s->explanation->leaves, (enum from)i, accepted) &&
		    accepted != 0)
			change_from(c, (enum from)i, lowest(accepted));
	}
	if (s->request->used_hour >=
	    s->explanation->decision.capability->per_hour)
		c->request.used_hour = 0;
}

static bool
can_match(const struct search *s, const struct rule *rule)
{
	struct misses m = misses_of(s->explanation, s->request, rule);

	return !m.effects && !m.arguments && !m.unclear && m.none == 0;
}

/* Each rule as if all were there that it lacks; then with one thing more, for
 * what stands before it or the floor behind it. */
static void
try_rules(struct search *s, bool more)
{
	uint32_t number = s->explanation->decision.capability->number;
	struct change c;

	for (uint32_t i = 0; i < s->policy->rule_count; i++) {
		const struct rule *rule = &s->policy->rules[i];

		if (!rule_names(rule, number) || !can_match(s, rule))
			continue;
		for (size_t j = 0; j < (more ? s->count : 1); j++) {
			if (s->tries >= s->most)
				return;
			change_begin(s, &c);
			supply(s, rule, &c);
			if (more)
				change_step(&c, &s->steps[j]);
			try_change(s, &c);
		}
	}
}

static bool
same_decision(const struct search *s, struct change *c)
{
	const struct decision *best = &s->explanation->change.decision;

	c->request.supposed = c->supposed;
	decide(s->policy, &c->request, &c->decision);
	return c->decision.verdict == best->verdict &&
	       strcmp(c->decision.rule, best->rule) == 0;
}

/* Of each supposed role, every origin that leads to the same rule: what is
 * said then is "operator or party", and true of each. */
static void
widen_origins(struct search *s)
{
	struct change *best = &s->explanation->change;
	struct change wide = *best, c;

	for (unsigned from = 0; from < FROM_COUNT; from++) {
		if (((best->roles & ~best->together) >> from & 1) == 0)
			continue;
		for (unsigned bit = 0; bit < ORIGIN_COUNT; bit++) {
			c = *best;
			c.supposed[from] = 1u << bit;
			if (same_decision(s, &c))
				wide.supposed[from] |= 1u << bit;
		}
	}
	if (best->roles != best->together && same_decision(s, &wide))
		memcpy(best->supposed, wide.supposed, sizeof best->supposed);
}

static void
find_change(struct search *s)
{
	struct change *best = &s->explanation->change;
	bool pairs = false;

	add_steps(s);
	try_single(s);
	best->complete = !s->full;
	if (best->size == 1)
		return;
	try_rules(s, false);
	if (best->size != 2)
		pairs = try_pairs(s);
	if (best->size != 2)
		try_rules(s, true);
	best->complete =
	    !s->full && (best->size == 2 || (best->size == 3 && pairs));
}

/* The more rules, the longer one decision takes: some seconds in all. */
static unsigned
tries_of(const struct policy *policy)
{
	unsigned most = EXPLAIN_TRIES / (1 + policy->rule_count / 64);

	return most < EXPLAIN_TRIES_LEAST ? EXPLAIN_TRIES_LEAST : most;
}

void
explain(const struct policy *policy, const struct decide_request *request,
    struct explanation *out)
{
	struct watching watching = {.explanation = out};
	struct search *search;
	bool looked;

	*out = (struct explanation){0};
	decide_watched(policy, request, &out->decision, on_rule, &watching);
	looked =
	    out->rule_count != 0 || strcmp(out->decision.rule, "default") == 0;
	if (out->decision.capability == NULL || request->arguments == NULL ||
	    request->arguments->type != JSON_OBJECT)
		return;
	out->effects = call_effects(request, out->decision.capability->effects);
	leaves_fill(&out->leaves, request, out->decision.capability->effects);
	if (!looked)
		return;
	for (size_t i = 0; i < out->rule_count; i++) {
		bool unclear = out->rules[i].misses.unclear;

		out->rules[i].misses =
		    misses_of(out, request, out->rules[i].rule);
		out->rules[i].misses.unclear |= unclear;
	}
	search = alloc_bytes(sizeof *search);
	search->policy = policy;
	search->request = request;
	search->explanation = out;
	search->most = tries_of(policy);
	find_change(search);
	widen_origins(search);
	free(search);
}

void
explanation_done(struct explanation *explanation)
{
	free(explanation->rules);
	*explanation = (struct explanation){0};
}
