/*
 * One rule out of policy.json. Runs wherever a policy is read, on the
 * operator's text. Believes his intent, not his typing: what is not
 * understood is an error with its place.
 */
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/facts.h"
#include "executor/name.h"
#include "executor/policy_impl.h"

/* What decide() calls its own verdicts; see policy.h. */
static const char *const reserved_ids[] = {"no-capability", "reference",
    "arguments", "kind", "limit", "floor", "outbound", "leak", "default"};

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

struct rule_text {
	const struct json_node *id, *why, *verdict, *capability, *zone;
	const struct json_node *arguments, *without_legs, *effects, *from;
	const struct json_node *model_after_untrusted, *hours;
};

static const struct json_field rule_fields[] = {
    MEMBER(id, JSON_WANT_ANY, true, rule_text),
    MEMBER(why, JSON_WANT_ANY, true, rule_text),
    MEMBER(verdict, JSON_WANT_ANY, true, rule_text),
    MEMBER(capability, JSON_WANT_ANY, true, rule_text),
    MEMBER(zone, JSON_WANT_ANY, false, rule_text),
    MEMBER(arguments, JSON_WANT_OBJECT, false, rule_text),
    MEMBER(without_legs, JSON_WANT_ARRAY, false, rule_text),
    MEMBER(effects, JSON_WANT_OBJECT, false, rule_text),
    MEMBER(from, JSON_WANT_OBJECT, false, rule_text),
    MEMBER(model_after_untrusted, JSON_WANT_ANY, false, rule_text),
    MEMBER(hours, JSON_WANT_OBJECT, false, rule_text),
};

const char *
from_name(enum from from)
{
	return from == FROM_LINKS
		   ? "links"
		   : argument_role_name((enum argument_role)from);
}

static int
read_id(const struct json_doc *doc, const struct json_node *id,
    struct json_error *where)
{
	int rc = name_require(doc, id, "the id of a rule", where);

	for (size_t i = 0;
	     i < sizeof reserved_ids / sizeof reserved_ids[0] && rc == 0; i++)
		if (json_is_string(id, reserved_ids[i]))
			rc = json_complain(doc, id, where, ERR_RANGE,
			    "the id \"%s\" stands for a built-in rule",
			    reserved_ids[i]);
	return rc;
}

static int
read_verdict(const struct json_doc *doc, const struct json_node *node,
    enum verdict *verdict_out, struct json_error *where)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (json_is_string(node, verdict_name((enum verdict)i))) {
			*verdict_out = (enum verdict)i;
			return 0;
		}
	}
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"verdict\" has to be allow, ask or deny");
}

/* One name in a list, resolved to its number. */
static int
add_capability(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *name, uint64_t set[SET_WORDS],
    struct json_error *where)
{
	const struct capability *c;
	uint64_t bit;
	int rc = name_require(doc, name, "the name of a capability", where);

	if (rc != 0)
		return rc;
	c = policy_find(policy, name->value.string);
	if (c == NULL)
		return json_complain(doc, name, where, ERR_RANGE,
		    "there is no capability \"%.*s\"",
		    (int)name->value.string.n, name->value.string.p);
	bit = UINT64_C(1) << c->number % 64;
	if ((set[c->number / 64] & bit) != 0)
		return json_complain(doc, name, where, ERR_RANGE,
		    "capability \"%s\" twice in one rule", c->name);
	set[c->number / 64] |= bit;
	return 0;
}

int
capability_set_read(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, uint64_t set[SET_WORDS],
    struct json_error *where)
{
	const struct json_node *name;
	int rc = 0;

	if (node->type != JSON_ARRAY)
		return add_capability(policy, doc, node, set, where);
	if (node->count == 0)
		return json_complain(doc, node, where, ERR_RANGE,
		    "a rule has to name at least one capability");
	for (name = json_first(doc, node); name != NULL && rc == 0;
	     name = json_next(doc, node, name))
		rc = add_capability(policy, doc, name, set, where);
	return rc;
}

/* Which bit a word stands for, 0 for none. */
typedef unsigned find_function(struct span word);

static unsigned
leg_find(struct span word)
{
	return span_is(word, "A")   ? LEG_A
	       : span_is(word, "B") ? LEG_B
	       : span_is(word, "C") ? LEG_C
				    : 0u;
}

const char *
day_name(unsigned day)
{
	static const char *const days[] = {
	    "mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	return days[day];
}

static unsigned
day_find(struct span word)
{
	for (unsigned i = 0; i < 7; i++)
		if (span_is(word, day_name(i)))
			return 1u << i;
	return 0;
}

/* The words there are, by what they stand for. */
static const struct {
	find_function *find;
	const char *words;
} word_sets[] = {
    [POLICY_LEGS] = {leg_find,
	"\"legs\" and \"without_legs\" name \"A\", \"B\" and \"C\""},
    [POLICY_DAYS] = {day_find, "a day is mon, tue, wed, thu, fri, sat or sun"},
    [POLICY_ORIGINS] = {origin_find,
	"an origin is operator, self, book, verified, unverified, party, "
	"cited, prose, mine or model"},
    [POLICY_EFFECTS] = {effect_find,
	"an effect is leaves, private, untrusted, changes, destroys, shares, "
	"audience or transacts"},
};

int
policy_bits_read(const struct json_doc *doc, const struct json_node *list,
    enum policy_words words, unsigned *bits_out, struct json_error *where)
{
	const struct json_node *node;
	unsigned bits = 0;

	for (node = json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node)) {
		unsigned bit = node->type == JSON_STRING
				   ? word_sets[words].find(node->value.string)
				   : 0;

		if (bit == 0 || (bits & bit) != 0)
			return json_complain(doc, node, where, ERR_RANGE,
			    "%s, each at most once", word_sets[words].words);
		bits |= bit;
	}
	*bits_out = bits;
	return 0;
}

struct effects_text {
	const struct json_node *has, *not ;
};

static const struct json_field effects_fields[] = {
    MEMBER(has, JSON_WANT_ARRAY, false, effects_text),
    MEMBER(not, JSON_WANT_ARRAY, false, effects_text),
};

static int
read_effects(const struct json_doc *doc, const struct json_node *node,
    struct rule *rule, struct json_error *where)
{
	struct effects_text text = {0};
	int rc = json_read(doc, node, effects_fields,
	    sizeof effects_fields / sizeof effects_fields[0], &text, where);

	if (rc == 0 && text.has != NULL)
		rc = policy_bits_read(
		    doc, text.has, POLICY_EFFECTS, &rule->effects_has, where);
	if (rc == 0 && text.not != NULL)
		rc = policy_bits_read(
		    doc, text.not, POLICY_EFFECTS, &rule->effects_not, where);
	if (rc == 0 && (rule->effects_has & rule->effects_not) != 0)
		rc = json_complain(doc, node, where, ERR_RANGE,
		    "no call has an effect and has it not");
	return rc;
}

int
policy_from_read(const struct json_doc *doc, const struct json_node *node,
    unsigned from_out[FROM_COUNT], struct json_error *where)
{
	const struct json_node *key;
	int rc = 0;

	for (key = json_first(doc, node); key != NULL && rc == 0;
	     key = json_next(doc, node, key)) {
		const struct json_node *list = json_value(key);
		int from = 0;

		while (from < FROM_COUNT &&
		       !json_is_string(key, from_name((enum from)from)))
			from++;
		if (from == FROM_COUNT)
			return json_complain(doc, key, where, ERR_UNKNOWN_KEY,
			    "\"from\" speaks of destination, object, title, "
			    "content, selector and links");
		if (list->type != JSON_ARRAY || list->count == 0)
			return json_complain(doc, list, where, ERR_TYPE,
			    "\"%s\" has to be a list of origins",
			    from_name((enum from)from));
		rc = policy_bits_read(
		    doc, list, POLICY_ORIGINS, &from_out[from], where);
	}
	return rc;
}

bool
clock_read(struct span text, uint32_t *minutes_out)
{
	unsigned digit[5] = {0};
	bool good = text.n == 5 && text.p[2] == ':';

	for (size_t i = 0; i < 5 && good; i++)
		if (i != 2) {
			digit[i] = (unsigned)(text.p[i] - '0');
			good = text.p[i] >= '0' && text.p[i] <= '9';
		}
	*minutes_out =
	    (digit[0] * 10 + digit[1]) * 60 + digit[3] * 10 + digit[4];
	return good && digit[3] <= 5 && *minutes_out <= DAY_MINUTES;
}

static int
read_clock(const struct json_doc *doc, const struct json_node *node,
    uint32_t *minutes_out, struct json_error *where)
{
	if (clock_read(json_span(node), minutes_out))
		return 0;
	return json_complain(
	    doc, node, where, ERR_RANGE, "a time is written 00:00 to 24:00");
}

struct hours_text {
	const struct json_node *from, *to, *days;
};

static const struct json_field hours_fields[] = {
    MEMBER(from, JSON_WANT_ANY, true, hours_text),
    MEMBER(to, JSON_WANT_ANY, true, hours_text),
    MEMBER(days, JSON_WANT_ARRAY, false, hours_text),
};

static int
read_hours(const struct json_doc *doc, const struct json_node *node,
    struct rule *rule, struct json_error *where)
{
	struct hours_text text = {0};
	int rc = json_read(doc, node, hours_fields,
	    sizeof hours_fields / sizeof hours_fields[0], &text, where);

	rule->has_hours = true;
	rule->days = 0x7f;
	if (rc == 0)
		rc = read_clock(doc, text.from, &rule->hours_from, where);
	if (rc == 0)
		rc = read_clock(doc, text.to, &rule->hours_to, where);
	if (rc == 0 && text.days != NULL)
		rc = policy_bits_read(
		    doc, text.days, POLICY_DAYS, &rule->days, where);
	if (rc == 0 && rule->hours_to <= rule->hours_from)
		rc = json_complain(doc, text.to, where, ERR_RANGE,
		    "\"to\" has to be later than \"from\": write two rules "
		    "for a night");
	return rc;
}

static bool
looks_at_values(const struct rule *rule)
{
	for (int i = 0; i < FROM_COUNT; i++)
		if (rule->from[i] != 0)
			return true;
	return false;
}

static int
read_why_of_model(const struct json_doc *doc, const struct json_node *node,
    struct rule *rule, struct json_error *where)
{
	unsigned accepted = 0;
	int rc = line_require(doc, node, "\"model_after_untrusted\"", where);

	for (int i = 0; i < FROM_COUNT; i++)
		accepted |= rule->from[i];
	if (rc == 0 &&
	    ((accepted & ORIGIN_MODEL) == 0 || rule->verdict == VERDICT_DENY))
		rc = json_complain(doc, node, where, ERR_RANGE,
		    "it is the why of a rule that accepts \"model\"");
	if (rc == 0)
		rule->model_after_untrusted = policy_string(node);
	return rc;
}

/* The conditions that are optional. */
static int
read_conditions(const struct json_doc *doc, const struct rule_text *text,
    struct rule *rule, struct json_error *where)
{
	int rc = 0;

	if (text->zone != NULL)
		rc = name_require(doc, text->zone, "the name of a zone", where);
	if (rc == 0 && text->zone != NULL)
		rule->zone = policy_string(text->zone);
	if (rc == 0 && text->without_legs != NULL)
		rc = policy_bits_read(doc, text->without_legs, POLICY_LEGS,
		    &rule->without_legs, where);
	if (rc == 0 && text->effects != NULL)
		rc = read_effects(doc, text->effects, rule, where);
	if (rc == 0 && text->from != NULL)
		rc = policy_from_read(doc, text->from, rule->from, where);
	if (rc == 0 && text->model_after_untrusted != NULL)
		rc = read_why_of_model(
		    doc, text->model_after_untrusted, rule, where);
	if (rc == 0 && text->hours != NULL)
		rc = read_hours(doc, text->hours, rule, where);
	if (rc == 0 && text->arguments != NULL)
		rc = schema_compile(
		    doc, text->arguments, &rule->arguments, where);
	return rc;
}

/* The names, or "*"; behind the conditions, as these say whether it may be. */
static int
read_capabilities(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct rule *rule, struct json_error *where)
{
	if (!json_is_string(node, "*"))
		return capability_set_read(policy, doc, node, rule->set, where);
	rule->any = true;
	if (rule->verdict == VERDICT_ALLOW && rule->effects_not == 0 &&
	    !looks_at_values(rule))
		return json_complain(doc, node, where, ERR_RANGE,
		    "\"*\" is not allowed by a rule that says neither what "
		    "such calls do not do (\"effects\": \"not\") nor where "
		    "their values come from (\"from\"): name each capability");
	return 0;
}

int
rule_read(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct rule *rule, struct json_error *where)
{
	struct rule_text text = {0};
	int rc = json_read(doc, node, rule_fields,
	    sizeof rule_fields / sizeof rule_fields[0], &text, where);

	if (rc == 0)
		rc = read_id(doc, text.id, where);
	if (rc == 0)
		rc = line_require(doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = read_verdict(doc, text.verdict, &rule->verdict, where);
	if (rc == 0)
		rc = read_conditions(doc, &text, rule, where);
	if (rc == 0)
		rc = read_capabilities(
		    policy, doc, text.capability, rule, where);
	if (rc != 0)
		return rc;
	rule->id = policy_string(text.id);
	rule->why = policy_string(text.why);
	return 0;
}

void
rule_done(struct rule *rule)
{
	free(rule->id);
	free(rule->why);
	free(rule->zone);
	free(rule->model_after_untrusted);
	schema_free(rule->arguments);
}
