#include "reader/row.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "reader/field.h"

int
row_read(struct json_doc *doc, struct span line, struct row *out,
    struct json_error *where)
{
	struct span label = {0};
	const struct json_limits limits = {.bytes = ROW_MAX_BYTES};
	const struct {
		const char *key;
		bool needed;
		struct span *to;
	} keys[] = {
	    {"id", true, &out->id},
	    {"channel", true, &out->channel},
	    {"text", true, &out->text},
	    {"source", false, &out->source},
	    {"lang", false, &out->lang},
	    {"label", false, &label},
	};
	int rc = json_parse(doc, line, &limits, where);

	if (rc != 0)
		return rc;
	*out = (struct row){.source = SPAN(""), .lang = SPAN("")};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const struct json_node *node =
		    json_get(doc, json_root(doc), keys[i].key);

		if (node != NULL && node->type == JSON_STRING)
			*keys[i].to = node->value.string;
		else if (node != NULL || keys[i].needed)
			return json_complain(doc, json_root(doc), where,
			    -ERR_SYNTAX, "\"%s\" has to be a string",
			    keys[i].key);
	}
	if (span_is(label, "attack"))
		out->label = ROW_ATTACK;
	else if (span_is(label, "benign"))
		out->label = ROW_BENIGN;
	return 0;
}

/* Whether it is a field that nothing but a mail begins with; a person may well
 * begin a text with "Note:". */
static bool
is_mail_field(struct span name)
{
	static const char *const names[] = {"from", "to", "cc", "subject",
	    "date", "received", "message-id", "mime-version", "content-type",
	    "return-path", "reply-to", "sender", "delivered-to"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == name.n &&
		    strncasecmp(names[i], name.p, name.n) == 0)
			return true;
	return false;
}

/* The first line without its line end, which is taken off; false if it has
 * none. */
static bool
take_line(struct span *rest, struct span *line)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*line = (struct span){rest->p, (size_t)(end - rest->p)};
	rest->p += line->n + 1;
	rest->n -= line->n + 1;
	if (line->n != 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* Lines before the first blank one are counted: a header may have some that
 * are no fields. */
bool
row_is_mail(const struct row *row)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct span rest = row->text, line;
	size_t fields = 0, others = 0;
	bool known = false;

	if (!span_is(row->channel, "email") && !span_is(row->channel, "mail"))
		return false;
	if (span_starts(rest, mark))
		field_advance(&rest, sizeof mark - 1);
	for (bool first = true; take_line(&rest, &line); first = false) {
		struct span name = field_name(line);

		if (first && field_is_mbox(line))
			continue;
		if (line.n == 0)
			return known && others <= fields;
		if (name.n != 0 && !field_is_blank(line.p[0]))
			fields++;
		else if (fields == 0 || !field_is_blank(line.p[0]))
			others++;
		known = known || is_mail_field(name);
	}
	return false;
}

bool
row_is_prompt(const struct row *row)
{
	return span_is(row->channel, "chat");
}
