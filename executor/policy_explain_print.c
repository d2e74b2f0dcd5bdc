/*
 * An explanation in words and as JSON. Runs in the operator's commands. What
 * a call says is made inert first, as it may be out of a log; the other words
 * are the operator's and ours.
 */
#include <string.h>

#include "common/err.h"
#include "executor/inert.h"
#include "executor/policy_call.h"
#include "executor/policy_explain.h"
#include "executor/policy_words.h"

/* "allowed" of allow. */
static const char *
done_word(enum verdict verdict)
{
	return verdict == VERDICT_ALLOW ? "allowed"
	       : verdict == VERDICT_ASK ? "asked about"
					: "denied";
}

/* "destination comes" */
static const char *
comes(enum from from)
{
	static const char *const words[FROM_COUNT] = {
	    [FROM_DESTINATION] = "destination comes",
	    [FROM_OBJECT] = "object comes",
	    [FROM_TITLE] = "title comes",
	    [FROM_CONTENT] = "content comes",
	    [FROM_SELECTOR] = "selector comes",
	    [FROM_LINKS] = "links come",
	};

	return words[from];
}

/* "operator; model" of the values of a role: each different set once. */
static void
add_found(const struct leaves *leaves, enum from from, struct buf *out)
{
	const char *lead = "";

	for (uint32_t i = 0; i < leaves->count; i++) {
		bool seen = leaves->at[i].from != from;

		for (uint32_t j = 0; j < i && !seen; j++)
			seen = leaves->at[j].from == from &&
			       leaves->at[j].origins == leaves->at[i].origins;
		if (seen)
			continue;
		buf_add_text(out, lead);
		words_add_origins(out, leaves->at[i].origins, " and ");
		lead = "; ";
	}
}

static bool
has_role(const struct leaves *leaves, enum from from)
{
	for (uint32_t i = 0; i < leaves->count; i++)
		if (leaves->at[i].from == from)
			return true;
	return false;
}

/* "there is no" or what it comes from. */
static void
add_role_miss(const struct explanation *e, const struct decide_request *r,
    const struct rule *rule, enum from from, bool none, struct buf *out)
{
	unsigned accepted = rule_accepts(rule, from, r->legs);

	if (e->leaves.too_many) {
		buf_add_format(
		    out, "the call has more than %u values", DECIDE_VALUES_MAX);
		return;
	}
	if (none) {
		buf_add_format(out, "the call has no %s", from_name(from));
		return;
	}
	buf_add_format(out, "%s from ", comes(from));
	add_found(&e->leaves, from, out);
	buf_add_text(out, ", not from ");
	if (accepted == 0)
		buf_add_text(out, "what it accepts");
	words_add_origins(out, accepted, " or ");
	if (accepted != rule->from[from])
		buf_add_text(out, " (model no more, with leg A)");
}

/* A reason, as an element of a list. */
struct reasons {
	struct buf text; /* of one */
	void (*each)(void *context, struct span reason);
	void *context;
};

static void
reason_end(struct reasons *reasons)
{
	reasons->each(reasons->context,
	    (struct span){reasons->text.data, reasons->text.len});
	buf_clear(&reasons->text);
}

static void
each_reason(const struct explanation *e, const struct decide_request *r,
    const struct explained_rule *row, struct reasons *reasons)
{
	const struct rule *rule = row->rule;
	struct buf *out = &reasons->text;
	struct misses m = row->misses;
	char detail[SCHEMA_DETAIL_BYTES];

	if (m.effects) {
		buf_add_text(out, "the call has not the effects it is for");
		reason_end(reasons);
	}
	if (m.zone) {
		buf_add_format(out, "it is for zone %s", rule->zone);
		reason_end(reasons);
	}
	if (m.legs != 0) {
		buf_add_text(out, "the session has leg ");
		words_add_legs(out, m.legs, " and ");
		reason_end(reasons);
	}
	if (m.hours) {
		buf_add_text(out, "it is for ");
		words_add_hours(out, rule);
		reason_end(reasons);
	}
	for (int i = 0; i < FROM_COUNT; i++) {
		if ((m.roles >> i & 1) == 0)
			continue;
		add_role_miss(e, r, rule, (enum from)i, m.none >> i & 1, out);
		reason_end(reasons);
	}
	if (m.arguments || m.unclear) {
		detail[0] = '\0';
		if (rule->arguments != NULL)
			schema_check(rule->arguments, r->doc, r->arguments,
			    detail, sizeof detail);
		buf_add_format(out, "%s: %s",
		    m.unclear ? "too much work to find out whether its schema "
				"fits"
			      : "the arguments do not fit its schema",
		    detail);
		reason_end(reasons);
	}
}

/*
 * The change.
 */
static void
add_change_roles(
    const struct explanation *e, struct buf *out, const char **lead)
{
	for (int i = 0; i < FROM_COUNT; i++) {
		if ((e->change.roles >> i & 1) == 0)
			continue;
		buf_add_format(
		    out, "%s%s came from ", *lead, from_name((enum from)i));
		words_add_origins(out, e->change.supposed[i],
		    (e->change.together >> i & 1) != 0 ? " and " : " or ");
		if (has_role(&e->leaves, (enum from)i)) {
			buf_add_text(out, " (now from ");
			add_found(&e->leaves, (enum from)i, out);
			buf_add_text(out, ")");
		}
		*lead = " and ";
	}
}

static void
add_change_legs(const struct explanation *e, const struct decide_request *r,
    struct buf *out, const char **lead)
{
	unsigned gone = r->legs & ~e->change.request.legs;
	unsigned more = e->change.request.legs & ~r->legs;

	if (gone != 0) {
		buf_add_format(out, "%sthe session had no leg ", *lead);
		words_add_legs(out, gone, " and no leg ");
		*lead = " and ";
	}
	if (more != 0) {
		buf_add_format(out, "%sthe session had leg ", *lead);
		words_add_legs(out, more, " and leg ");
		*lead = " and ";
	}
}

static void
add_change(const struct explanation *e, const struct decide_request *r,
    struct buf *out)
{
	const struct decide_request *is = &e->change.request;
	const char *lead = "";
	char time[16];

	add_change_roles(e, out, &lead);
	add_change_legs(e, r, out, &lead);
	if (is->week_minute != r->week_minute) {
		week_minute_format(is->week_minute, time);
		buf_add_format(out, "%sit was %s", lead, time);
		lead = " and ";
	}
	if (span_is(is->zone, EXPLAIN_OTHER_ZONE)) {
		buf_add_format(out, "%sit came from another zone", lead);
		lead = " and ";
	} else if (!span_equal(is->zone, r->zone)) {
		buf_add_format(out, "%sit came from zone %.*s", lead,
		    (int)is->zone.n, is->zone.p);
		lead = " and ";
	}
	if (is->used_hour != r->used_hour)
		buf_add_format(out, "%sit had been used %u times in the hour",
		    lead, (unsigned)is->used_hour);
}

/* The sentence about the change, or about there being none. */
static void
add_change_sentence(const struct explanation *e, const struct decide_request *r,
    struct buf *out)
{
	const struct change *c = &e->change;

	if (c->size == 0) {
		buf_add_text(out,
		    e->decision.capability == NULL
			? "Only another name or another policy would alter it."
			: "Only other arguments or another policy would "
			  "alter it.");
		return;
	}
	buf_add_format(out, "It would be %s by %s if ",
	    done_word(c->decision.verdict), c->decision.rule);
	add_change(e, r, out);
	buf_add_text(out, ".");
	if (!c->complete)
		buf_add_text(out, " Nothing smaller was found.");
}

/*
 * Words.
 */
static void
print_reason(void *context, struct span reason)
{
	buf_add_format(context, "       - %.*s\n", (int)reason.n, reason.p);
}

static void
print_rules(const struct explanation *e, const struct decide_request *r,
    const struct rule *first, struct buf *out)
{
	for (size_t i = 0; i < e->rule_count; i++) {
		const struct explained_rule *row = &e->rules[i];
		struct reasons reasons = {.each = print_reason, .context = out};

		buf_add_format(out, "  %3u. %s: %s, %s\n",
		    (unsigned)(row->rule - first) + 1, row->rule->id,
		    verdict_name(row->rule->verdict),
		    row->matched ? "matches" : "does not match:");
		buf_init(&reasons.text, POLICY_MAX_BYTES);
		each_reason(e, r, row, &reasons);
		buf_free(&reasons.text);
	}
}

static void
print_session(const struct explanation *e, const struct decide_request *r,
    struct buf *out)
{
	size_t replaced = 0;
	char time[16];

	week_minute_format(r->week_minute, time);
	buf_add_text(out, "  zone ");
	inert_add(out, r->zone, false, &replaced);
	buf_add_format(out, ", %s, legs ", time);
	if (r->legs == 0)
		buf_add_text(out, "none");
	words_add_legs(out, r->legs, ", ");
	if (e->decision.capability != NULL)
		buf_add_format(out, ", used %u of %u times in the hour",
		    (unsigned)r->used_hour,
		    (unsigned)e->decision.capability->per_hour);
	buf_add_text(out, "\n");
	for (int i = 0; i < FROM_COUNT; i++) {
		if (!has_role(&e->leaves, (enum from)i))
			continue;
		buf_add_format(out, "  %s from ", comes((enum from)i));
		add_found(&e->leaves, (enum from)i, out);
		buf_add_text(out, "\n");
	}
}

void
explanation_print(const struct explanation *e, const struct decide_request *r,
    const struct policy *policy, struct buf *out)
{
	const struct decision *d = &e->decision;
	size_t replaced = 0;

	inert_add(out, r->capability, false, &replaced);
	buf_add_format(
	    out, " is %s by %s: %s\n", done_word(d->verdict), d->rule, d->why);
	if (d->detail[0] != '\0')
		buf_add_format(out, "  %s\n", d->detail);
	print_session(e, r, out);
	if (d->capability != NULL && d->capability->kind->run == NULL)
		buf_add_text(out, "  no courier performs it yet: if allowed, "
				  "it is refused as unavailable\n");
	if (e->rule_count != 0)
		buf_add_text(out, "rules that were looked at:\n");
	print_rules(e, r, policy->rules, out);
	add_change_sentence(e, r, out);
	buf_add_text(out, "\n");
}

/*
 * JSON.
 */
static void
put_reason(void *context, struct span reason)
{
	json_string(context, reason);
}

static void
put_rules(struct json_writer *w, const struct explanation *e,
    const struct decide_request *r, const struct rule *first)
{
	json_key(w, "rules");
	json_open(w, '[');
	for (size_t i = 0; i < e->rule_count; i++) {
		const struct explained_rule *row = &e->rules[i];
		struct reasons reasons = {.each = put_reason, .context = w};

		json_open(w, '{');
		json_put_integer(w, "number", row->rule - first + 1);
		json_put_text(w, "id", row->rule->id);
		json_put_text(w, "verdict", verdict_name(row->rule->verdict));
		json_put_boolean(w, "matched", row->matched);
		json_key(w, "missed_by");
		json_open(w, '[');
		buf_init(&reasons.text, POLICY_MAX_BYTES);
		each_reason(e, r, row, &reasons);
		buf_free(&reasons.text);
		json_close(w, ']');
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_values(struct json_writer *w, const struct explanation *e)
{
	json_key(w, "values");
	json_open(w, '[');
	for (uint32_t i = 0; i < e->leaves.count; i++) {
		json_open(w, '{');
		json_put_text(w, "role", from_name(e->leaves.at[i].from));
		words_put_origins(w, "origins", e->leaves.at[i].origins);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_change(struct json_writer *w, const struct explanation *e,
    const struct decide_request *r)
{
	const struct change *c = &e->change;
	struct buf text;

	json_key(w, "change");
	if (c->size == 0) {
		json_null(w);
		return;
	}
	buf_init(&text, POLICY_MAX_BYTES);
	add_change(e, r, &text);
	json_open(w, '{');
	json_put_integer(w, "size", c->size);
	json_put_boolean(w, "smallest", c->complete);
	json_put_string(w, "text", (struct span){text.data, text.len});
	words_put_legs(w, "legs", c->request.legs);
	if (!span_is(c->request.zone, EXPLAIN_OTHER_ZONE))
		json_put_string(w, "zone", c->request.zone);
	json_put_integer(w, "week_minute", c->request.week_minute);
	json_put_integer(w, "used_hour", c->request.used_hour);
	json_key(w, "origins");
	json_open(w, '{');
	for (int i = 0; i < FROM_COUNT; i++)
		if (c->supposed[i] != 0)
			words_put_origins(
			    w, from_name((enum from)i), c->supposed[i]);
	json_close(w, '}');
	json_put_text(w, "verdict", verdict_name(c->decision.verdict));
	json_put_text(w, "rule", c->decision.rule);
	json_close(w, '}');
	buf_free(&text);
}

void
explanation_print_json(const struct explanation *e,
    const struct decide_request *r, const struct policy *policy,
    struct buf *out)
{
	const struct decision *d = &e->decision;
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_string(&w, "capability", r->capability);
	json_put_text(&w, "verdict", verdict_name(d->verdict));
	json_put_text(&w, "rule", d->rule);
	json_put_integer(&w, "rule_number", d->rule_number);
	json_put_text(&w, "why", d->why);
	json_put_text(&w, "detail", d->detail);
	json_put_text(&w, "error", d->error == 0 ? "" : err_name(d->error));
	json_put_boolean(&w, "available",
	    d->capability != NULL && d->capability->kind->run != NULL);
	words_put_effects(&w, "effects", e->effects);
	words_put_legs(&w, "adds_legs", d->adds_legs);
	put_values(&w, e);
	put_rules(&w, e, r, policy->rules);
	put_change(&w, e, r);
	json_close(&w, '}');
}
