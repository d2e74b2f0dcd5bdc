/*
 * Outbound rules in the broker: rewrites what leaves before it is decided
 * about, so that there is one text from there on. Allocates only where there
 * is something to rewrite.
 */
#include <stdio.h>

#include "common/err.h"
#include "common/limits.h"
#include "executor/broker.h"

void
outbound_open(struct broker *b)
{
	buf_init(&b->outbound_text, FRAME_MAX_BYTES);
	/* a string, made plain, and with each character of it escaped */
	buf_init(&b->outbound_work, 12 * FRAME_MAX_BYTES);
	json_init(&b->outbound_doc);
}

static int
rewrite(struct broker *b, const struct decide_request *request,
    const struct capability *c, bool *changed)
{
	int rc;

	buf_clear(&b->outbound_text);
	rc = outbound_rewrite(&c->outbound, request->facts, request->doc,
	    request->arguments, c->effects, &b->outbound_work,
	    &b->outbound_text, changed);
	if (rc == 0 && *changed)
		rc = json_parse(&b->outbound_doc,
		    (struct span){b->outbound_text.data, b->outbound_text.len},
		    NULL, NULL);
	return rc;
}

int
outbound_take(struct broker *b, struct decide_request *request,
    struct decision *decision, bool *changed_out)
{
	const struct capability *c =
	    policy_find(b->policy, request->capability);
	int rc;

	if (c == NULL || request->arguments->type != JSON_OBJECT ||
	    (call_effects(request, c->effects) & EFFECT_LEAVES) == 0 ||
	    !outbound_applies(&c->outbound, request->facts, request->doc,
		request->arguments, c->effects))
		return 0;
	rc = rewrite(b, request, c, changed_out);
	if (rc != 0) {
		*decision = (struct decision){.verdict = VERDICT_DENY,
		    .error = -rc,
		    .capability = c,
		    .rule = "outbound",
		    .why = "its text cannot be made fit to leave"};
		snprintf(decision->detail, sizeof decision->detail,
		    "%s with its links and markup made text",
		    rc == -ERR_TOO_LARGE ? "it is too long"
					 : "it is no more what it was");
		return rc;
	}
	if (!*changed_out)
		return 0;
	request->doc = &b->outbound_doc;
	request->arguments = json_root(&b->outbound_doc);
	return 0;
}

static bool
has_novel_link(const struct decide_request *request)
{
	const unsigned named = ORIGIN_OPERATOR | ORIGIN_SELF;

	for (size_t i = 0; i < request->value_count; i++)
		if (request->values[i].link != 0 &&
		    (request->values[i].origins & named) == 0)
			return true;
	return request->value_count == DECIDE_VALUES_MAX;
}

bool
outbound_would_change(struct broker *b, const struct capability *c,
    const struct decide_request *request)
{
	struct outbound markup = {
	    .links = OUTBOUND_ALLOW, .plain = c->outbound.plain};
	bool changed = false;
	int rc;

	if ((call_effects(request, c->effects) & EFFECT_LEAVES) == 0)
		return false;
	if (c->outbound.links == OUTBOUND_DEFANG && has_novel_link(request))
		return true;
	buf_clear(&b->outbound_text);
	rc = outbound_rewrite(&markup, NULL, request->doc, request->arguments,
	    c->effects, &b->outbound_work, &b->outbound_text, &changed);
	return rc != 0 || changed;
}
