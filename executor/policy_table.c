/*
 * What a whole policy means, as a table: each capability, and by which rules
 * its calls are allowed, asked about and denied, under which conditions. Runs
 * in the operator's commands on his policy. Pure.
 */
#include <string.h>

#include "executor/policy_explain.h"
#include "executor/policy_words.h"

#define COLUMNS 80
#define VERDICT_COLUMNS 7 /* "allow", and two blanks */
#define NAME_COLUMNS 24	  /* at most; longer names get a line of their own */

/* Phrases being made: each is given away when it is complete. */
struct phrases {
	struct buf text;
	void (*each)(void *context, const char *phrase);
	void *context;
};

static void
phrase_end(struct phrases *p)
{
	buf_add_byte(&p->text, '\0');
	p->each(p->context, p->text.data);
	buf_clear(&p->text);
}

static void
each_from(struct phrases *p, const struct rule *rule)
{
	for (int i = 0; i < FROM_COUNT; i++) {
		if (rule->from[i] == 0)
			continue;
		buf_add_format(&p->text, "%s from ", from_name((enum from)i));
		words_add_origins(&p->text, rule->from[i], "|");
		phrase_end(p);
	}
	if (rule->model_after_untrusted != NULL)
		p->each(p->context, "model also after untrusted words");
}

static void
each_effect(struct phrases *p, const struct rule *rule)
{
	if (rule->effects_has != 0) {
		buf_add_text(&p->text, "it ");
		words_add_effects(&p->text, rule->effects_has, " and ");
		phrase_end(p);
	}
	if (rule->effects_not != 0) {
		buf_add_text(&p->text, "not ");
		words_add_effects(&p->text, rule->effects_not, ", not ");
		phrase_end(p);
	}
}

void
rule_phrases(const struct rule *rule,
    void (*each)(void *context, const char *phrase), void *context)
{
	struct phrases p = {.each = each, .context = context};

	buf_init(&p.text, 4096);
	each_from(&p, rule);
	if (rule->without_legs != 0) {
		buf_add_text(&p.text, "no leg ");
		words_add_legs(&p.text, rule->without_legs, ", no leg ");
		phrase_end(&p);
	}
	each_effect(&p, rule);
	if (rule->zone != NULL) {
		buf_add_format(&p.text, "zone %s", rule->zone);
		phrase_end(&p);
	}
	if (rule->has_hours) {
		words_add_hours(&p.text, rule);
		phrase_end(&p);
	}
	if (rule->arguments != NULL)
		each(context, "arguments fit its schema");
	buf_free(&p.text);
}

/* A cell of several lines: phrases, broken between words. */
struct cell {
	struct buf *out;
	size_t left;   /* columns before it */
	size_t column; /* where the next character goes, from `left` on */
	bool begun;
};

static void
add_word(struct cell *cell, struct span word)
{
	size_t width = utf8_count(word.p, word.n);
	size_t room = COLUMNS - cell->left;

	if (cell->column != 0 && cell->column + 1 + width > room) {
		buf_add_format(cell->out, "\n%*s", (int)cell->left, "");
		cell->column = 0;
	} else if (cell->column != 0) {
		buf_add_byte(cell->out, ' ');
		cell->column++;
	}
	buf_add(cell->out, word.p, word.n);
	cell->column += width;
}

static void
add_phrase(void *context, const char *phrase)
{
	struct cell *cell = context;

	if (cell->begun) {
		buf_add_byte(cell->out, ';');
		cell->column++;
	}
	cell->begun = true;
	while (*phrase != '\0') {
		size_t n = strcspn(phrase, " ");

		add_word(cell, (struct span){phrase, n});
		phrase += n;
		phrase += strspn(phrase, " ");
	}
}

/* Pad what was written from `start` on to `columns`, and two blanks. */
static void
pad(struct buf *out, size_t width, size_t columns)
{
	buf_add_format(
	    out, "%*s", (int)(width < columns ? columns - width : 0), "");
}

static size_t
name_columns(const struct policy *policy)
{
	size_t most = sizeof "capability" - 1;

	for (uint32_t i = 0; i < policy->capability_count; i++) {
		size_t n = strlen(policy->capabilities[i]->name);

		if (n <= NAME_COLUMNS && n > most)
			most = n;
	}
	return most + 2;
}

/* The first row of a capability has its name, the others its blank. */
static void
begin_row(struct buf *out, const char *name, size_t columns)
{
	size_t n = strlen(name);

	buf_add_text(out, name);
	if (n + 2 > columns) {
		buf_add_text(out, "\n");
		n = 0;
	}
	pad(out, n, columns);
}

static void
print_rows(const struct policy *policy, const struct capability *c,
    size_t columns, struct buf *out)
{
	struct cell cell = {.out = out, .left = columns + VERDICT_COLUMNS};
	const char *name = c->name;

	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_names(rule, c->number))
			continue;
		begin_row(out, name, columns);
		name = "";
		buf_add_text(out, verdict_name(rule->verdict));
		pad(out, strlen(verdict_name(rule->verdict)), VERDICT_COLUMNS);
		cell.column = 0;
		cell.begun = false;
		add_word(&cell, span_of(rule->id));
		buf_add_byte(out, ':');
		cell.column++;
		rule_phrases(rule, add_phrase, &cell);
		if (!cell.begun)
			add_phrase(&cell, "always");
		buf_add_byte(out, '\n');
	}
	begin_row(out, name, columns);
	buf_add_format(out, "%-*selse%s\n", VERDICT_COLUMNS, "deny",
	    c->kind->run == NULL
		? "; no courier yet: what is allowed is unavailable"
		: "");
}

static void
print_floor(const struct policy *policy, struct buf *out)
{
	struct cell cell = {.out = out};
	const char *lead = ", but not of ";
	struct buf text;

	buf_init(&text, POLICY_MAX_BYTES);
	buf_add_format(&text,
	    "A call that gives a session all three legs is %s",
	    policy->floor == VERDICT_DENY ? "denied" : "asked about");
	for (uint32_t i = 0; i < policy->capability_count; i++) {
		if (!floor_excepts(policy, i))
			continue;
		buf_add_format(
		    &text, "%s%s", lead, policy->capabilities[i]->name);
		lead = ", ";
	}
	buf_add(&text, ".", 2); /* with its NUL */
	add_phrase(&cell, text.data);
	buf_add_byte(out, '\n');
	buf_free(&text);
}

static void
print_links(const struct policy *policy, struct buf *text)
{
	for (uint32_t i = 0; i < policy->capability_count; i++) {
		const struct capability *c = policy->capabilities[i];

		if ((c->effects->effects & EFFECT_LEAVES) != 0 &&
		    c->outbound.links >= OUTBOUND_ASK)
			buf_add_format(text,
			    "A link that the operator did not name is %s by "
			    "%s.\n",
			    c->outbound.links == OUTBOUND_DENY ? "denied"
							       : "asked about",
			    c->name);
	}
}

/* What is stricter than the rules, one line each. */
static void
print_stricter(const struct policy *policy, struct buf *out)
{
	struct buf text;
	char *line, *rest;

	buf_init(&text, 2 * (size_t)POLICY_MAX_BYTES);
	print_links(policy, &text);
	limits_print(policy, &text);
	buf_add_byte(&text, '\0');
	for (line = text.data; (rest = strchr(line, '\n')) != NULL;
	     line = rest + 1) {
		struct cell cell = {.out = out};

		*rest = '\0';
		add_phrase(&cell, line);
		buf_add_byte(out, '\n');
	}
	buf_free(&text);
}

void
policy_table_print(const struct policy *policy, struct buf *out)
{
	size_t columns = name_columns(policy);

	buf_add_text(out, "capability");
	pad(out, sizeof "capability" - 1, columns);
	buf_add_format(out, "%-*sby rule: when\n", VERDICT_COLUMNS, "");
	for (uint32_t i = 0; i < policy->capability_count; i++)
		print_rows(policy, policy->capabilities[i], columns, out);
	print_floor(policy, out);
	print_stricter(policy, out);
}

static void
put_phrase(void *context, const char *phrase)
{
	json_text(context, phrase);
}

static void
put_rows(struct json_writer *w, const struct policy *policy,
    const struct capability *c)
{
	json_key(w, "rules");
	json_open(w, '[');
	for (uint32_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_names(rule, c->number))
			continue;
		json_open(w, '{');
		json_put_text(w, "verdict", verdict_name(rule->verdict));
		json_put_text(w, "rule", rule->id);
		json_put_text(w, "why", rule->why);
		json_key(w, "when");
		json_open(w, '[');
		rule_phrases(rule, put_phrase, w);
		json_close(w, ']');
		json_close(w, '}');
	}
	json_close(w, ']');
}

void
policy_table_print_json(const struct policy *policy, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_key(&w, "capabilities");
	json_open(&w, '[');
	for (uint32_t i = 0; i < policy->capability_count; i++) {
		const struct capability *c = policy->capabilities[i];

		json_open(&w, '{');
		json_put_text(&w, "name", c->name);
		json_put_text(&w, "kind", c->kind->name);
		json_put_text(&w, "method", c->method->name);
		json_put_boolean(&w, "available", c->kind->run != NULL);
		words_put_effects(&w, "effects", c->effects->effects);
		json_put_boolean(
		    &w, "floor_excepted", floor_excepts(policy, c->number));
		json_put_text(
		    &w, "links", outbound_links_name(c->outbound.links));
		put_rows(&w, policy, c);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_put_text(&w, "floor", verdict_name(policy->floor));
	limits_print_json(policy, &w);
	json_put_text(&w, "default", "deny");
	json_close(&w, '}');
}
