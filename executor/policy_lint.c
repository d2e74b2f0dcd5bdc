/*
 * What is wrong with a policy that loads. Runs in the operator's commands on
 * his policy. Sound rather than complete: what is reported is so for every
 * call there can be; what cannot be proved is left out.
 */
#include "executor/policy_lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "executor/facts.h"
#include "executor/policy_impl.h"

#define ACTS                                                                   \
	(EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_DESTROYS | EFFECT_SHARES |    \
	    EFFECT_TRANSACTS)
#define ALL_ORIGINS ((1u << ORIGIN_COUNT) - 1)

struct lint {
	const struct policy *policy;
	void (*found)(void *context, enum lint_code code, const char *rule,
	    const char *capability, const char *text);
	void *context;
};

const char *
lint_name(enum lint_code code)
{
	static const char *const names[LINT_CODE_COUNT] = {
	    [LINT_UNREACHABLE] = "unreachable",
	    [LINT_WIDE] = "wide",
	    [LINT_UNUSED] = "unused",
	    [LINT_SHARED_SECRET] = "shared-secret",
	    [LINT_UNDONE_FLOOR] = "undone-floor",
	    [LINT_MODEL_GOES] = "model-destination",
	    [LINT_UNLIMITED] = "unlimited",
	    [LINT_NO_COURIER] = "no-courier",
	    [LINT_WIDE_RANGE] = "wide-range",
	    [LINT_NO_HOSTS] = "no-hosts",
	};

	return names[code];
}

bool
lint_is_note(enum lint_code code)
{
	return code == LINT_NO_COURIER || code == LINT_NO_HOSTS;
}

static void report(const struct lint *lint, enum lint_code code,
    const char *rule, const char *capability, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void
report(const struct lint *lint, enum lint_code code, const char *rule,
    const char *capability, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	lint->found(lint->context, code, rule, capability, text);
}

/*
 * Unreachable: which effects a call can have, and which it has for certain.
 */
static unsigned
sure_effects(const struct kind_effects *e)
{
	return e->leaves_if == NULL ? e->effects
				    : e->effects & ~(unsigned)EFFECT_LEAVES;
}

/* Whether a call of the capability can have a value of that role. An argument
 * that no row of the kind names is content. */
static bool
can_have_role(const struct kind_effects *e, enum from from)
{
	if (from == FROM_CONTENT || from == FROM_LINKS)
		return true;
	for (size_t i = 0; i < e->argument_count; i++)
		if ((int)e->arguments[i].role == (int)from)
			return true;
	return false;
}

static bool
matches_nothing(const struct rule *rule, const struct capability *c)
{
	const struct kind_effects *e = c->effects;

	if ((rule->effects_has & ~e->effects) != 0 ||
	    (rule->effects_not & sure_effects(e)) != 0)
		return true;
	/* but for a rule that denies, which takes what has too many values */
	for (int i = 0; i < FROM_COUNT && rule->verdict != VERDICT_DENY; i++)
		if (rule->from[i] != 0 && !can_have_role(e, (enum from)i))
			return true;
	return false;
}

/* Whether each call of the capability that fits `narrow` in this respect fits
 * `wide` too. */
static bool
covers_effects(const struct rule *wide, const struct rule *narrow,
    const struct kind_effects *e)
{
	unsigned has = sure_effects(e) | narrow->effects_has;
	unsigned not = ~e->effects | narrow->effects_not;

	return (wide->effects_has & ~has) == 0 &&
	       (wide->effects_not & ~not ) == 0;
}

/* One that denies takes a call for one value of it, another for all, and that
 * may be no link. */
static bool
takes_alike(const struct rule *wide, const struct rule *narrow, enum from from)
{
	if (wide->verdict != VERDICT_DENY)
		return narrow->verdict != VERDICT_DENY;
	return narrow->verdict == VERDICT_DENY || from != FROM_LINKS;
}

static bool
covers_origins(
    const struct rule *wide, const struct rule *narrow, unsigned legs)
{
	for (int i = 0; i < FROM_COUNT; i++) {
		unsigned takes = rule_accepts(narrow, (enum from)i, legs);

		if (wide->from[i] == 0)
			continue;
		if (narrow->from[i] == 0 ||
		    !takes_alike(wide, narrow, (enum from)i) ||
		    (takes & ~rule_accepts(wide, (enum from)i, legs)) != 0)
			return false;
	}
	return true;
}

static bool
covers_hours(const struct rule *wide, const struct rule *narrow)
{
	if (!wide->has_hours)
		return true;
	return narrow->has_hours && (narrow->days & ~wide->days) == 0 &&
	       narrow->hours_from >= wide->hours_from &&
	       narrow->hours_to <= wide->hours_to;
}

/* Two schemas are compared by their text: equal ones take the same. */
static bool
covers_arguments(const struct rule *wide, const struct rule *narrow)
{
	return wide->arguments == NULL ||
	       (narrow->arguments != NULL &&
		   span_equal(schema_text(wide->arguments),
		       schema_text(narrow->arguments)));
}

static bool
covers(const struct rule *wide, const struct rule *narrow,
    const struct capability *c)
{
	if (!rule_names(wide, c->number))
		return false;
	if (wide->zone != NULL &&
	    (narrow->zone == NULL || strcmp(wide->zone, narrow->zone) != 0))
		return false;
	return (wide->without_legs & ~narrow->without_legs) == 0 &&
	       covers_effects(wide, narrow, c->effects) &&
	       covers_origins(wide, narrow, 0) &&
	       ((narrow->without_legs & LEG_A) != 0 ||
		   covers_origins(wide, narrow, LEG_A)) &&
	       covers_hours(wide, narrow) && covers_arguments(wide, narrow);
}

bool
rule_is_unreachable(const struct policy *policy, uint32_t index,
    uint32_t capability, uint32_t *by_out)
{
	const struct capability *c = policy->capabilities[capability];
	const struct rule *rule = &policy->rules[index];

	*by_out = index;
	if (matches_nothing(rule, c))
		return true;
	for (uint32_t i = 0; i < index; i++) {
		if (covers(&policy->rules[i], rule, c)) {
			*by_out = i;
			return true;
		}
	}
	return false;
}

/* A rule is reported if it decides nothing of all it names; a rule for "*"
 * is for what comes later too, and so is only reported where another takes
 * what it would. */
static void
lint_unreachable(const struct lint *lint, uint32_t index)
{
	const struct policy *policy = lint->policy;
	const struct rule *rule = &policy->rules[index];
	bool all = policy->capability_count != 0, nothing = true;
	uint32_t by = index, last = index;

	for (uint32_t i = 0; i < policy->capability_count && all; i++) {
		if (!rule_names(rule, i))
			continue;
		all = rule_is_unreachable(policy, index, i, &by);
		if (all && by != index) {
			nothing = false;
			last = by;
		}
	}
	if (!all || (rule->any && nothing))
		return;
	if (nothing)
		report(lint, LINT_UNREACHABLE, rule->id, NULL,
		    "no call of what it names can have these effects or "
		    "values: it never matches");
	else
		report(lint, LINT_UNREACHABLE, rule->id, NULL,
		    "each call it would match is decided before it, the last "
		    "of them by rule %s: remove it or move it up",
		    policy->rules[last].id);
}

/*
 * Rules wider than their why.
 */
static bool
narrows(const struct rule *rule, const struct capability *c)
{
	bool day = rule->has_hours &&
		   (rule->hours_from != 0 || rule->hours_to != DAY_MINUTES ||
		       rule->days != 0x7f);

	if (rule->zone != NULL || rule->arguments != NULL ||
	    rule->without_legs != 0 || day)
		return true;
	for (int i = 0; i < FROM_COUNT; i++)
		if (rule->from[i] != 0 &&
		    (rule->from[i] != ALL_ORIGINS ||
			rule->model_after_untrusted == NULL))
			return true;
	return (rule->effects_has & ~sure_effects(c->effects)) != 0 ||
	       (rule->effects_not & c->effects->effects) != 0;
}

static void
lint_wide(const struct lint *lint, const struct rule *rule,
    const struct capability *c)
{
	if (rule->verdict != VERDICT_ALLOW ||
	    (c->effects->effects & ACTS) == 0 || narrows(rule, c))
		return;
	report(lint, LINT_WIDE, rule->id, c->name,
	    "it allows every call of %s, which acts, whatever its why says: "
	    "narrow it by zone, legs, origins, arguments or hours",
	    c->name);
}

static void
lint_model(const struct lint *lint, const struct rule *rule)
{
	if (rule->verdict != VERDICT_ALLOW ||
	    rule->model_after_untrusted == NULL ||
	    (rule->from[FROM_DESTINATION] & ORIGIN_MODEL) == 0)
		return;
	report(lint, LINT_MODEL_GOES, rule->id, NULL,
	    "it lets the model say where something goes after it has read a "
	    "stranger's words: take model out of destination, or ask");
}

/* Whether a schema lists the values of a property, or of its elements. */
static bool
lists_values(const struct schema *schema, const char *name)
{
	const struct json_node *property, *items;
	struct json_doc doc;
	bool found = false;

	if (schema == NULL)
		return false;
	json_init(&doc);
	if (json_parse(&doc, schema_text(schema), &policy_text_limits, NULL) ==
	    0) {
		property = json_get(
		    &doc, json_get(&doc, json_root(&doc), "properties"), name);
		items = json_get(&doc, property, "items");
		found = json_get(&doc, property, "enum") != NULL ||
			json_get(&doc, property, "const") != NULL ||
			json_get(&doc, items, "enum") != NULL ||
			json_get(&doc, items, "const") != NULL;
	}
	json_done(&doc);
	return found;
}

/* Whether the operator has listed every place that it may go to. */
static bool
lists_destinations(const struct rule *rule, const struct capability *c)
{
	const struct kind_effects *e = c->effects;

	for (size_t i = 0; i < e->argument_count; i++)
		if (e->arguments[i].role == ARGUMENT_DESTINATION &&
		    !lists_values(rule->arguments, e->arguments[i].name) &&
		    !lists_values(c->arguments, e->arguments[i].name))
			return false;
	return true;
}

/* Whether it allows a call of a session with leg A whose destination is the
 * model's. */
static bool
lets_model_send(const struct rule *rule, const struct capability *c)
{
	return rule->verdict == VERDICT_ALLOW &&
	       (rule->without_legs & LEG_A) == 0 &&
	       !lists_destinations(rule, c) &&
	       (rule->from[FROM_DESTINATION] == 0 ||
		   (rule_accepts(rule, FROM_DESTINATION, LEG_A) &
		       ORIGIN_MODEL) != 0);
}

/* Where its destination is in the settings, the why of the exception speaks
 * for it. */
static void
lint_floor(const struct lint *lint, uint32_t index, const struct capability *c)
{
	const struct rule *rule = &lint->policy->rules[index];
	uint32_t by;

	if (!floor_excepts(lint->policy, c->number) ||
	    (c->effects->effects & EFFECT_LEAVES) == 0 ||
	    !can_have_role(c->effects, FROM_DESTINATION) ||
	    !lets_model_send(rule, c) ||
	    rule_is_unreachable(lint->policy, index, c->number, &by))
		return;
	report(lint, LINT_UNDONE_FLOOR, rule->id, c->name,
	    "%s is excepted from the floor, and this rule lets the model say "
	    "where it goes after a stranger's words: a stranger can have "
	    "private data sent to himself",
	    c->name);
}

/*
 * Capabilities.
 */
static void
lint_unused(const struct lint *lint, const struct capability *c)
{
	const struct policy *policy = lint->policy;
	uint32_t by;

	for (uint32_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].verdict != VERDICT_DENY &&
		    rule_names(&policy->rules[i], c->number) &&
		    !rule_is_unreachable(policy, i, c->number, &by))
			return;
	report(lint, LINT_UNUSED, NULL, c->name,
	    "no rule allows or asks about a call of it: remove it, or say who "
	    "may call it");
}

static const char *
credential_of(const struct capability *c)
{
	return c->kind->credential == NULL ? NULL
					   : c->kind->credential(c->settings);
}

static void
lint_secret(const struct lint *lint, const struct capability *c)
{
	const char *name = credential_of(c);

	for (uint32_t i = 0; i < c->number && name != NULL; i++) {
		const struct capability *other = lint->policy->capabilities[i];
		const char *its = credential_of(other);

		if (its == NULL || strcmp(its, name) != 0)
			continue;
		report(lint, LINT_SHARED_SECRET, NULL, c->name,
		    "it uses the credential %s, as %s does: who takes one "
		    "over has the other; make one secret for each",
		    name, other->name);
		return;
	}
}

static void
lint_capability(const struct lint *lint, const struct capability *c)
{
	lint_unused(lint, c);
	lint_secret(lint, c);
	if ((c->effects->effects & EFFECT_LEAVES) != 0 && !c->per_hour_given)
		report(lint, LINT_UNLIMITED, NULL, c->name,
		    "something leaves by it, and nobody has said how often: "
		    "give limits.per_hour (now %u)",
		    (unsigned)c->per_hour);
	if (c->kind->run == NULL)
		report(lint, LINT_NO_COURIER, NULL, c->name,
		    "no courier performs the kind %s yet: what rules allow "
		    "is refused as unavailable",
		    c->kind->name);
}

static void
lint_rule(const struct lint *lint, uint32_t index)
{
	const struct policy *policy = lint->policy;
	const struct rule *rule = &policy->rules[index];

	lint_unreachable(lint, index);
	lint_model(lint, rule);
	for (uint32_t i = 0; i < policy->capability_count; i++) {
		if (!rule_names(rule, i))
			continue;
		lint_wide(lint, rule, policy->capabilities[i]);
		lint_floor(lint, index, policy->capabilities[i]);
	}
}

/*
 * Accounts behind the firewall.
 */
static void
lint_account(const struct lint *lint, const struct model_account *account)
{
	const struct address_range *range = model_wide_range(account);
	char text[ADDRESS_RANGE_BYTES];

	if (range != NULL) {
		address_range_format(range, text);
		report(lint, LINT_WIDE_RANGE, NULL, NULL,
		    "names of the account %s may lead to any address of %s: "
		    "name the network that is meant",
		    account->name, text);
	}
	if (account->host_count == 0)
		report(lint, LINT_NO_HOSTS, NULL, NULL,
		    "the account %s reaches nothing: its list is empty",
		    account->name);
}

void
policy_lint(const struct policy *policy,
    void (*found)(void *context, enum lint_code code, const char *rule,
	const char *capability, const char *text),
    void *context)
{
	struct lint lint = {
	    .policy = policy, .found = found, .context = context};

	for (uint32_t i = 0; i < policy->rule_count; i++)
		lint_rule(&lint, i);
	for (uint32_t i = 0; i < policy->capability_count; i++)
		lint_capability(&lint, policy->capabilities[i]);
	for (size_t i = 0; i < policy->firewall.count; i++)
		lint_account(&lint, &policy->firewall.accounts[i]);
}
