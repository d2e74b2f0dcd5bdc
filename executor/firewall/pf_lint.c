/*
 * Rules of pf, looked at one by one. Runs in the operator's command on his own
 * files, and in tests on the texts that we make. Words are compared, nothing
 * is expanded: a macro is a word.
 */
#include "executor/firewall/pf_lint.h"

#include <stdio.h>
#include <string.h>

#include "common/ascii.h"
#include "common/firewall_impl.h"
#include "executor/firewall/address.h"

#define WORDS_MAX 128 /* of one rule; what is behind is not looked at */
#define RULES_MAX 256
#define TABLES_MAX 256
#define TEXT_BYTES 240
#define SHOWN 40

struct words {
	struct span word[WORDS_MAX];
	size_t count;
};

struct pf_rule {
	unsigned line;
	bool block, quick, log;
	struct span direction, interface, protocol, user; /* empty: any */
	bool everything; /* from any to any, any port */
};

struct lint {
	void (*found)(void *context, unsigned line, const char *text);
	void *context;
	unsigned line;
	struct pf_rule rules[RULES_MAX];
	size_t rule_count;
	struct span tables[TABLES_MAX];
	size_t table_count;
};

static void
say(const struct lint *l, unsigned line, const char *before, struct span word,
    const char *after)
{
	char text[TEXT_BYTES], shown[SHOWN];

	firewall_inert(word, shown, sizeof shown);
	(void)snprintf(text, sizeof text, "%s%s%s", before, shown, after);
	l->found(l->context, line, text);
}

static bool
is_mark(char c)
{
	return c == '{' || c == '}' || c == '(' || c == ')' || c == ',' ||
	       c == '=' || c == '!';
}

/* Words, and marks by themselves; a remark ends it. */
static void
split(struct span line, struct words *out)
{
	size_t i = 0;

	out->count = 0;
	while (i < line.n && line.p[i] != '#' && out->count < WORDS_MAX) {
		size_t from = i;

		if (line.p[i] == ' ' || line.p[i] == '\t') {
			i++;
			continue;
		}
		if (line.p[i] == '"') {
			for (i++; i < line.n && line.p[i] != '"'; i++)
				;
			i += i < line.n;
		} else if (is_mark(line.p[i])) {
			i++;
		} else {
			while (i < line.n && line.p[i] != ' ' &&
			       line.p[i] != '\t' && line.p[i] != '#' &&
			       !is_mark(line.p[i]))
				i++;
		}
		out->word[out->count++] =
		    (struct span){line.p + from, i - from};
	}
}

static bool
is_table(struct span word)
{
	return word.n > 2 && word.p[0] == '<' && word.p[word.n - 1] == '>';
}

static bool
has_table(const struct lint *l, struct span name)
{
	for (size_t i = 0; i < l->table_count; i++)
		if (span_equal(l->tables[i], name))
			return true;
	return false;
}

static void
define_table(struct lint *l, const struct words *w)
{
	if (w->count < 2 || !is_table(w->word[1]))
		return;
	if (has_table(l, w->word[1]))
		say(l, l->line, "table ", w->word[1], " is defined twice");
	else if (l->table_count < TABLES_MAX)
		l->tables[l->table_count++] = w->word[1];
}

static void
look_at_tables(struct lint *l, const struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (is_table(w->word[i]) && !has_table(l, w->word[i]))
			say(l, l->line, "table ", w->word[i],
			    " is not defined before it: nothing is in it");
}

static void
look_at_lists(struct lint *l, const struct words *w)
{
	for (size_t i = 1; i < w->count; i++)
		if (span_is(w->word[i - 1], "{") && span_is(w->word[i], "}"))
			say(l, l->line, "", SPAN("{ }"),
			    ": an empty list, which matches nothing");
}

/* The word behind `key`, without "="; in a list its first. In `log (user)` it
 * is another word. */
static struct span
behind(const struct words *w, const char *key)
{
	for (size_t i = 0; i + 1 < w->count; i++) {
		if (!span_is(w->word[i], key) ||
		    (i != 0 && span_is(w->word[i - 1], "(")))
			continue;
		for (i++; i < w->count && is_mark(w->word[i].p[0]); i++)
			if (span_is(w->word[i], "!"))
				return SPAN("!");
		return i < w->count ? w->word[i] : SPAN("");
	}
	return SPAN("");
}

static bool
has_word(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->count; i++)
		if (span_is(w->word[i], word))
			return true;
	return false;
}

/* "{" behind the word: a list of them. */
static bool
has_list(const struct words *w, const char *key)
{
	for (size_t i = 0; i + 1 < w->count; i++)
		if (span_is(w->word[i], key))
			return span_is(w->word[i + 1], "{");
	return false;
}

static void
look_at_interface(struct lint *l, struct span name)
{
	char last = name.n == 0 ? '0' : name.p[name.n - 1];

	if (last == '+' || last == '*')
		say(l, l->line, "interface ", name,
		    ": pf has no wildcards, the rule never matches");
	else if (!is_digit(last) && name.p[0] != '$' && last != ')' &&
		 last != '!')
		say(l, l->line, "interface ", name,
		    " has no number: macOS has no groups of interfaces, the "
		    "rule never matches");
}

static void
look_at_owner(struct lint *l, const struct pf_rule *rule)
{
	if (rule->user.n == 0)
		return;
	if (rule->protocol.n == 0 && rule->block)
		say(l, l->line, "user ", rule->user,
		    " without proto: only TCP and UDP have an owner, all else "
		    "passes");
	else if (rule->protocol.n != 0 && !span_is(rule->protocol, "tcp") &&
		 !span_is(rule->protocol, "udp") && rule->protocol.p[0] != '$')
		say(l, l->line, "proto ", rule->protocol,
		    " has no owner: with user the rule never matches");
}

/* An address, or a name that is looked up once, when the rules are loaded. */
static void
look_at_addresses(struct lint *l, const struct words *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct span word = w->word[i];
		bool dot = memchr(word.p, '.', word.n) != NULL;

		if (!dot || !is_alpha(word.p[word.n - 1]) ||
		    memchr(word.p, '/', word.n) != NULL || word.p[0] == '"' ||
		    memchr(word.p, ':', word.n) != NULL)
			continue;
		say(l, l->line, "", word,
		    ": a name is looked up once, when rules are loaded; at "
		    "boot there is no network, and none of the rules load");
	}
}

/* Whether all that fits `narrow` fits `wide`. */
static bool
covers_word(struct span wide, struct span narrow)
{
	return wide.n == 0 || span_equal(wide, narrow);
}

static bool
covers(const struct pf_rule *wide, const struct pf_rule *narrow)
{
	return wide->quick && wide->everything &&
	       covers_word(wide->direction, narrow->direction) &&
	       covers_word(wide->interface, narrow->interface) &&
	       covers_word(wide->protocol, narrow->protocol) &&
	       covers_word(wide->user, narrow->user);
}

static void
say_line(struct lint *l, const char *before, unsigned line, const char *after)
{
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof text, "%s%u%s", before, line, after);
	l->found(l->context, l->line, text);
}

static void
look_at_order(struct lint *l, const struct pf_rule *rule)
{
	for (size_t i = 0; i < l->rule_count; i++) {
		if (!covers(&l->rules[i], rule))
			continue;
		say_line(l, "never reached: line ", l->rules[i].line,
		    " is quick and takes all that it would");
		return;
	}
	for (size_t i = 0; i < l->rule_count && !rule->block; i++) {
		if (!l->rules[i].block || l->rules[i].quick)
			continue;
		say_line(l, "may take back the block of line ",
		    l->rules[i].line,
		    ", which is not quick: the last rule that matches counts");
		return;
	}
}

static void
look_at_rule(struct lint *l, const struct words *w)
{
	struct pf_rule rule = {.line = l->line,
	    .block = span_is(w->word[0], "block"),
	    .quick = has_word(w, "quick"),
	    .direction = has_word(w, "out")  ? SPAN("out")
			 : has_word(w, "in") ? SPAN("in")
					     : SPAN(""),
	    .interface = behind(w, "on"),
	    .protocol = behind(w, "proto"),
	    .user = behind(w, "user"),
	    .everything = has_word(w, "all")};

	look_at_interface(l, rule.interface);
	look_at_owner(l, &rule);
	look_at_addresses(l, w);
	look_at_order(l, &rule);
	/* of a list only the first is known */
	if (has_list(w, "proto") || has_list(w, "user") || has_list(w, "on"))
		rule.everything = false;
	if (l->rule_count < RULES_MAX)
		l->rules[l->rule_count++] = rule;
}

static void
look_at_line(struct lint *l, struct span line)
{
	struct words w;

	split(line, &w);
	if (w.count == 0)
		return;
	look_at_lists(l, &w);
	if (span_is(w.word[0], "table")) {
		define_table(l, &w);
		return;
	}
	look_at_tables(l, &w);
	if (span_is(w.word[0], "block") || span_is(w.word[0], "pass"))
		look_at_rule(l, &w);
}

void
pf_lint(struct span text,
    void (*found)(void *context, unsigned line, const char *text),
    void *context)
{
	struct lint l = {.found = found, .context = context};
	struct span line;

	while (firewall_line(&text, &line)) {
		l.line++;
		look_at_line(&l, line);
	}
}
