#include "reader/row.h"

#include <string.h>

#include "common/err.h"

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

/* Length of a header field's name at the start of a line, or 0. */
static size_t
field_name(struct span line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f &&
	       line.p[n] != ':')
		n++;
	return n != 0 && n < line.n && line.p[n] == ':' ? n : 0;
}

bool
row_is_mail(const struct row *row)
{
	struct span rest = row->text;

	if (!span_is(row->channel, "email") && !span_is(row->channel, "mail"))
		return false;
	if (span_starts(rest, "From "))
		return true;
	while (rest.n != 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (n == 0 || (n == 1 && rest.p[0] == '\r'))
			return rest.p != row->text.p;
		if (end == NULL ||
		    (rest.p[0] != ' ' && rest.p[0] != '\t' &&
			field_name((struct span){rest.p, n}) == 0))
			return false;
		rest.p += n + 1;
		rest.n -= n + 1;
	}
	return false;
}

bool
row_is_prompt(const struct row *row)
{
	return span_is(row->channel, "chat");
}
