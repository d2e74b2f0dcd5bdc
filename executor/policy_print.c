/*
 * A policy in words and as JSON, for `check` and for lists. Runs wherever a
 * person or a client asks; shows what the operator wrote and what it means.
 */
#include <string.h>

#include "executor/extract.h"
#include "executor/policy_words.h"

static const struct {
	unsigned leg;
	const char *name, *words;
} leg_rows[] = {
    {LEG_A, "A", "untrusted words"},
    {LEG_B, "B", "private data"},
    {LEG_C, "C", "an effect outside"},
};

#define LEG_COUNT (sizeof leg_rows / sizeof leg_rows[0])

/* "1 rule", "2 rules". */
static void
add_count(struct buf *out, size_t count, const char *one, const char *many)
{
	buf_add_format(out, "%zu %s", count, count == 1 ? one : many);
}

static void
add_rules_of(
    const struct policy *policy, const struct capability *c, struct buf *out)
{
	size_t found = 0;

	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_names(rule, c->number))
			continue;
		buf_add_format(out, "%s%s by %s", found++ == 0 ? "" : ", ",
		    verdict_name(rule->verdict), rule->id);
	}
	buf_add_text(out,
	    found == 0 ? "none, so every call is denied" : ", else denied");
}

/* "leg A (untrusted words) and leg C (an effect outside)" */
static void
add_legs(struct buf *out, unsigned legs)
{
	const char *lead = "";

	for (size_t i = 0; i < LEG_COUNT; i++) {
		if ((legs & leg_rows[i].leg) == 0)
			continue;
		buf_add_format(out, "%sleg %s (%s)", lead, leg_rows[i].name,
		    leg_rows[i].words);
		lead = " and ";
	}
}

static void
print_outbound(const struct capability *c, struct buf *out)
{
	static const char *const words[OUTBOUND_LINKS_COUNT] = {
	    [OUTBOUND_ALLOW] = "leaves as it is",
	    [OUTBOUND_DEFANG] = "is defanged",
	    [OUTBOUND_ASK] = "is asked about",
	    [OUTBOUND_DENY] = "is denied",
	};

	if ((c->effects->effects & EFFECT_LEAVES) != 0)
		buf_add_format(out,
		    "    a link that the operator did not name %s; markup %s\n",
		    words[c->outbound.links],
		    c->outbound.plain ? "becomes text" : "stays");
}

static void
print_capability(
    const struct policy *policy, const struct capability *c, struct buf *out)
{
	buf_add_format(
	    out, "  %s (%s %s): ", c->name, c->kind->name, c->method->name);
	c->kind->settings_print(c->settings, c->method, out);
	buf_add_format(out, "\n    why: %s\n    at most ", c->why);
	add_count(out, c->per_hour, "call", "calls");
	buf_add_text(out, " an hour; arguments have to fit ");
	buf_add_text(out, strcmp(c->schema_text, c->method->schema) == 0
			      ? "the method's own schema\n"
			      : "a schema of the policy\n");
	if (effects_legs(c->effects->effects) != 0) {
		buf_add_text(out, "    a call gives the session ");
		add_legs(out, effects_legs(c->effects->effects));
		buf_add_text(out, "\n");
	}
	if (c->method->content)
		buf_add_text(
		    out, "    what it brings back goes through a reader\n");
	if (c->kind->run == NULL)
		buf_add_text(out,
		    "    no courier performs this kind yet: an allowed call "
		    "is refused as unavailable\n");
	print_outbound(c, out);
	if (c->destination != DESTINATION_WHOLE)
		buf_add_format(out, "    on record of where it goes: %s\n",
		    c->destination == DESTINATION_DOMAIN ? "the domain or host"
							 : "nothing");
	buf_add_text(out, "    rules: ");
	add_rules_of(policy, c, out);
	buf_add_text(out, "\n");
}

static void
add_names(const struct policy *policy, const struct rule *rule, struct buf *out)
{
	const char *lead = "";

	if (rule->any) {
		buf_add_text(out, "every capability");
		return;
	}
	for (uint32_t i = 0; i < policy->capability_count; i++) {
		if (!rule_names(rule, i))
			continue;
		buf_add_format(
		    out, "%s%s", lead, policy->capabilities[i]->name);
		lead = ", ";
	}
}

static void
add_values(const struct rule *rule, struct buf *out)
{
	for (int i = 0; i < FROM_COUNT; i++) {
		if (rule->from[i] == 0)
			continue;
		buf_add_format(out, "; only if %s %s is from ",
		    rule->verdict == VERDICT_DENY ? "a" : "each",
		    i == FROM_LINKS ? "link in it" : from_name((enum from)i));
		words_add_origins(out, rule->from[i], " or ");
	}
	if (rule->model_after_untrusted != NULL)
		buf_add_format(out,
		    "; the model's words also after untrusted "
		    "ones, because: %s",
		    rule->model_after_untrusted);
}

static void
add_conditions(const struct rule *rule, struct buf *out)
{
	if (rule->zone != NULL)
		buf_add_format(out, "; only from zone %s", rule->zone);
	if (rule->arguments != NULL)
		buf_add_text(out, "; only if the arguments fit its schema");
	if (rule->without_legs != 0) {
		buf_add_text(out, "; only for a session without ");
		add_legs(out, rule->without_legs);
	}
	if (rule->effects_has != 0) {
		buf_add_text(out, "; only with the effects ");
		words_add_effects(out, rule->effects_has, " and ");
	}
	if (rule->effects_not != 0) {
		buf_add_text(out, "; only without the effects ");
		words_add_effects(out, rule->effects_not, " and ");
	}
	add_values(rule, out);
	if (rule->has_hours) {
		buf_add_text(out, "; only from ");
		words_add_hours(out, rule);
	}
}

static void
print_floor(const struct policy *policy, struct buf *out)
{
	buf_add_format(out,
	    "A call with which a session has all three legs is %s, whatever "
	    "its rule allows",
	    policy->floor == VERDICT_DENY ? "denied" : "asked about");
	for (uint32_t e = 0; e < policy->exception_count; e++) {
		const struct floor_exception *x = &policy->exceptions[e];

		buf_add_format(out, "%s", e == 0 ? ", but not of" : ";");
		for (uint32_t i = 0; i < policy->capability_count; i++)
			if ((x->set[i / 64] >> i % 64 & 1) != 0)
				buf_add_format(
				    out, " %s", policy->capabilities[i]->name);
		buf_add_format(out, " (%s)", x->why);
	}
	buf_add_text(out, ".\n");
}

/* JSON Schema lets a member that is not there pass, which is seldom meant. */
static void
warn_of_missing(
    const struct policy *policy, const struct rule *rule, struct buf *out)
{
	struct span name;

	for (uint32_t i = 0; i < policy->capability_count; i++) {
		const struct capability *c = policy->capabilities[i];

		if (rule->arguments == NULL || !rule_names(rule, i) ||
		    !schema_leaves_out(rule->arguments, c->arguments, &name))
			continue;
		buf_add_format(out,
		    "    warning: also matches a call of %s without "
		    "\"%.*s\"; put that into \"required\" if it should "
		    "not\n",
		    c->name, (int)utf8_prefix(name.p, name.n, 40), name.p);
		return;
	}
}

static void
print_rule(const struct policy *policy, uint32_t index, struct buf *out)
{
	const struct rule *rule = &policy->rules[index];

	buf_add_format(out, "  %u. %s: %s ", (unsigned)index + 1, rule->id,
	    verdict_name(rule->verdict));
	add_names(policy, rule, out);
	add_conditions(rule, out);
	buf_add_format(out, "\n    why: %s\n", rule->why);
	warn_of_missing(policy, rule, out);
}

static void
print_extracts(const struct policy *policy, struct buf *out)
{
	for (uint32_t i = 0; i < policy->extract_count; i++) {
		const struct extract *e = policy->extracts[i];

		buf_add_format(out,
		    "Extract %s: a sender can say %u bits in it to a session "
		    "without leg A.\n    why: %s\n",
		    extract_name(e), extract_bits(e), extract_why(e));
	}
}

void
policy_print(const struct policy *policy, struct buf *out)
{
	add_count(out, policy->capability_count, "capability", "capabilities");
	buf_add_text(out, policy->capability_count == 0 ? "\n" : ":\n");
	for (uint32_t i = 0; i < policy->capability_count; i++)
		print_capability(policy, policy->capabilities[i], out);
	add_count(out, policy->rule_count, "rule", "rules");
	buf_add_text(out,
	    policy->rule_count == 0 ? "\n" : ", the first that matches:\n");
	for (uint32_t i = 0; i < policy->rule_count; i++)
		print_rule(policy, i, out);
	print_floor(policy, out);
	limits_print(policy, out);
	print_extracts(policy, out);
	buf_add_text(out, "Everything else is denied.\n");
	policy_firewall_print(policy, out);
}

static void
json_capability(struct json_writer *w, const struct capability *c)
{
	const struct kind_method *m = c->method;
	struct buf words;

	buf_init(&words, POLICY_MAX_BYTES);
	c->kind->settings_print(c->settings, m, &words);
	json_open(w, '{');
	json_put_integer(w, "number", c->number);
	json_put_text(w, "name", c->name);
	json_put_text(w, "kind", c->kind->name);
	json_put_text(w, "method", m->name);
	json_put_string(w, "does", (struct span){words.data, words.len});
	json_put_boolean(w, "available", c->kind->run != NULL);
	json_put_text(w, "why", c->why);
	json_put_integer(w, "per_hour", c->per_hour);
	words_put_legs(w, "legs", effects_legs(c->effects->effects));
	json_key(w, "outbound");
	json_open(w, '{');
	json_put_text(w, "links", outbound_links_name(c->outbound.links));
	json_put_text(w, "markup", c->outbound.plain ? "text" : "keep");
	json_close(w, '}');
	json_put_text(
	    w, "audit_destination", destination_kept_name(c->destination));
	json_put_raw(w, "arguments", span_of(c->schema_text));
	json_close(w, '}');
	buf_free(&words);
}

static void
json_conditions(struct json_writer *w, const struct rule *rule)
{
	json_key(w, "effects");
	json_open(w, '{');
	words_put_effects(w, "has", rule->effects_has);
	words_put_effects(w, "not", rule->effects_not);
	json_close(w, '}');
	json_key(w, "from");
	json_open(w, '{');
	for (int i = 0; i < FROM_COUNT; i++)
		if (rule->from[i] != 0)
			words_put_origins(
			    w, from_name((enum from)i), rule->from[i]);
	json_close(w, '}');
	if (rule->model_after_untrusted != NULL)
		json_put_text(
		    w, "model_after_untrusted", rule->model_after_untrusted);
	if (rule->has_hours) {
		json_key(w, "hours");
		json_open(w, '{');
		json_put_integer(w, "from_minute", rule->hours_from);
		json_put_integer(w, "to_minute", rule->hours_to);
		json_put_integer(w, "days", rule->days);
		json_close(w, '}');
	}
}

static void
json_rule(struct json_writer *w, const struct policy *policy, uint32_t index)
{
	const struct rule *rule = &policy->rules[index];

	json_open(w, '{');
	json_put_integer(w, "number", (int64_t)index + 1);
	json_put_text(w, "id", rule->id);
	json_put_text(w, "verdict", verdict_name(rule->verdict));
	json_key(w, "capabilities");
	json_open(w, '[');
	if (rule->any)
		json_text(w, "*");
	for (uint32_t i = 0; i < policy->capability_count && !rule->any; i++)
		if (rule_names(rule, i))
			json_text(w, policy->capabilities[i]->name);
	json_close(w, ']');
	if (rule->zone != NULL)
		json_put_text(w, "zone", rule->zone);
	if (rule->arguments != NULL)
		json_put_raw(w, "arguments", schema_text(rule->arguments));
	words_put_legs(w, "without_legs", rule->without_legs);
	json_conditions(w, rule);
	json_put_text(w, "why", rule->why);
	json_close(w, '}');
}

static void
json_extracts(struct json_writer *w, const struct policy *policy)
{
	json_key(w, "extracts");
	json_open(w, '[');
	for (uint32_t i = 0; i < policy->extract_count; i++) {
		const struct extract *e = policy->extracts[i];

		json_open(w, '{');
		json_put_text(w, "name", extract_name(e));
		json_put_integer(w, "bits", extract_bits(e));
		json_put_text(w, "why", extract_why(e));
		json_close(w, '}');
	}
	json_close(w, ']');
}

void
policy_print_json(const struct policy *policy, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_key(&w, "capabilities");
	json_open(&w, '[');
	for (uint32_t i = 0; i < policy->capability_count; i++)
		json_capability(&w, policy->capabilities[i]);
	json_close(&w, ']');
	json_key(&w, "rules");
	json_open(&w, '[');
	for (uint32_t i = 0; i < policy->rule_count; i++)
		json_rule(&w, policy, i);
	json_close(&w, ']');
	json_put_text(&w, "floor", verdict_name(policy->floor));
	limits_print_json(policy, &w);
	json_extracts(&w, policy);
	json_put_text(&w, "default", "deny");
	policy_firewall_json(policy, &w);
	json_close(&w, '}');
}
