/*
 * Outbound rules on the arguments of a call. Runs in the broker before the
 * decision: what is decided about, shown on a card, hashed, on record and sent
 * is what comes out here. Believes the kind's table; nothing in the arguments.
 */
#include "executor/outbound.h"

#include <string.h>

#include "common/err.h"

static const char *const links_names[OUTBOUND_LINKS_COUNT] = {
    [OUTBOUND_ALLOW] = "allow",
    [OUTBOUND_DEFANG] = "defang",
    [OUTBOUND_ASK] = "ask",
    [OUTBOUND_DENY] = "deny",
};

const char *
outbound_links_name(enum outbound_links links)
{
	return links_names[links];
}

enum outbound_links
outbound_links_find(struct span name)
{
	int i = 0;

	while (i < OUTBOUND_LINKS_COUNT && !span_is(name, links_names[i]))
		i++;
	return (enum outbound_links)i;
}

/* Titles, content, and what no row declares. */
static bool
is_text(const struct kind_effects *effects, struct span name)
{
	const struct kind_argument *argument = kind_argument_of(effects, name);

	return argument->role == ARGUMENT_CONTENT ||
	       argument->role == ARGUMENT_TITLE;
}

/* Whether any string below `node` is one for `look`. Keys are strings too. */
typedef bool look_function(const void *context, struct span text);

static bool
any_string(const struct json_doc *doc, const struct json_node *node,
    look_function *look, const void *context)
{
	const struct json_node *end = doc->nodes + node->next;

	for (; node < end; node++)
		if (node->type == JSON_STRING &&
		    look(context, node->value.string))
			return true;
	return false;
}

static bool
any_text(const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, look_function *look,
    const void *context)
{
	const struct json_node *key;

	for (key = json_first(doc, arguments); key != NULL;
	     key = json_next(doc, arguments, key))
		if (is_text(effects, key->value.string) &&
		    any_string(doc, json_value(key), look, context))
			return true;
	return false;
}

static bool
has_novel(const void *facts, struct span text)
{
	struct span found;
	size_t at = 0;

	while (outbound_next(text, &at, &found))
		if (outbound_is_novel(facts, found))
			return true;
	return false;
}

static bool
any_novel(const struct facts *facts, const struct json_doc *doc,
    const struct json_node *arguments, const struct kind_effects *effects)
{
	return any_text(doc, arguments, effects, has_novel, facts);
}

/* Markup needs one of these. */
static bool
has_markup(const void *context, struct span text)
{
	(void)context;
	return text.n != 0 && (memchr(text.p, '<', text.n) != NULL ||
				  memchr(text.p, ']', text.n) != NULL);
}

bool
outbound_applies(const struct outbound *rules, const struct facts *facts,
    const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects)
{
	return (rules->plain &&
		   any_text(doc, arguments, effects, has_markup, NULL)) ||
	       (rules->links == OUTBOUND_DEFANG &&
		   any_novel(facts, doc, arguments, effects));
}

struct rewriter {
	const struct outbound *rules;
	const struct facts *facts;
	const struct json_doc *doc;
	struct buf *scratch;
	bool changed;
	struct json_writer writer;
};

static int
put_string(struct rewriter *r, struct span text)
{
	struct buf *work = r->scratch;
	struct span was = text;
	size_t plain;
	int rc = 0;

	buf_clear(work);
	if (text.n == 0) {
		json_string(&r->writer, text);
		return 0;
	}
	if (r->rules->plain) {
		rc = outbound_plain(text, work);
		text = (struct span){work->data, work->len};
	}
	if (rc == 0 && r->rules->links == OUTBOUND_DEFANG) {
		plain = work->len;
		/* behind what it is read from, which must not move */
		if (buf_reserve(work, 4 * text.n + 16) == NULL)
			return -ERR_TOO_LARGE;
		if (r->rules->plain)
			text.p = work->data;
		rc = outbound_defang(r->facts, text, work);
		text = (struct span){work->data + plain, work->len - plain};
	}
	if (rc != 0)
		return rc;
	r->changed |= !span_equal(was, text);
	json_string(&r->writer, text);
	return 0;
}

static int put_value(struct rewriter *r, const struct json_node *node);

/* Depth is bounded by the parser. */
static int
put_members(struct rewriter *r, const struct json_node *node)
{
	bool array = node->type == JSON_ARRAY;
	const struct json_node *at;
	int rc = 0;

	json_open(&r->writer, array ? '[' : '{');
	for (at = json_first(r->doc, node); at != NULL && rc == 0;
	     at = json_next(r->doc, node, at)) {
		if (!array) {
			rc = put_string(r, at->value.string);
			buf_add_byte(r->writer.out, ':');
			r->writer.comma = false;
		}
		if (rc == 0)
			rc = put_value(r, array ? at : json_value(at));
	}
	json_close(&r->writer, array ? ']' : '}');
	return rc;
}

static int
put_value(struct rewriter *r, const struct json_node *node)
{
	if (node->type == JSON_ARRAY || node->type == JSON_OBJECT)
		return put_members(r, node);
	if (node->type == JSON_STRING)
		return put_string(r, node->value.string);
	json_raw_value(&r->writer, json_raw(r->doc, node));
	return 0;
}

int
outbound_rewrite(const struct outbound *rules, const struct facts *facts,
    const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, struct buf *scratch, struct buf *out,
    bool *changed_out)
{
	struct rewriter r = {
	    .rules = rules, .facts = facts, .doc = doc, .scratch = scratch};
	const struct json_node *key;
	int rc = 0;

	json_write_init(&r.writer, out);
	json_open(&r.writer, '{');
	for (key = json_first(doc, arguments); key != NULL && rc == 0;
	     key = json_next(doc, arguments, key)) {
		json_key_span(&r.writer, key->value.string);
		if (is_text(effects, key->value.string))
			rc = put_value(&r, json_value(key));
		else
			json_raw_value(
			    &r.writer, json_raw(doc, json_value(key)));
	}
	json_close(&r.writer, '}');
	*changed_out = r.changed;
	return rc == 0 && out->overflow ? -ERR_TOO_LARGE : rc;
}
