/*
 * Limits and the caps of the leak meter out of policy.json. Runs wherever a
 * policy is read, on the operator's text. Believes his intent, not his typing:
 * what is not understood is an error with its place.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/name.h"
#include "executor/policy_impl.h"

#define LEAK_DESTINATION_BYTES (64 * 1024)
#define LEAK_SESSION_BYTES (256 * 1024)
#define LEAK_MOST_BYTES (INT64_C(1) << 40)

#define MEMBER(key, want, required, type)                                      \
	{                                                                      \
#key, want, required, offsetof(struct type, key), 0, 0         \
	}

struct limit_text {
	const struct json_node *id, *why, *capability, *of, *per, *window;
	const struct json_node *most, *verdict;
};

static const struct json_field limit_fields[] = {
    MEMBER(id, JSON_WANT_ANY, true, limit_text),
    MEMBER(why, JSON_WANT_ANY, true, limit_text),
    MEMBER(capability, JSON_WANT_ANY, true, limit_text),
    MEMBER(of, JSON_WANT_ANY, true, limit_text),
    MEMBER(per, JSON_WANT_ANY, true, limit_text),
    MEMBER(window, JSON_WANT_ANY, true, limit_text),
    MEMBER(most, JSON_WANT_ANY, true, limit_text),
    MEMBER(verdict, JSON_WANT_ANY, true, limit_text),
};

size_t
policy_limit_count(const struct policy *policy)
{
	return policy->limit_count;
}

const struct limit *
policy_limit(const struct policy *policy, size_t index)
{
	return &policy->limits[index].limit;
}

bool
policy_limit_names(
    const struct policy *policy, size_t index, uint32_t capability)
{
	const struct limit_row *row = &policy->limits[index];

	return row->any ||
	       (row->set[capability / 64] >> capability % 64 & 1) != 0;
}

/* "ask" or "deny". */
static int
read_deny(const struct json_doc *doc, const struct json_node *node,
    bool *deny_out, struct json_error *where)
{
	*deny_out = json_is_string(node, "deny");
	if (*deny_out || json_is_string(node, "ask"))
		return 0;
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"verdict\" has to be ask or deny here");
}

/* "90s", "15m", "24h", "7d". */
static int
read_window(const struct json_doc *doc, const struct json_node *node,
    int64_t *ms_out, struct json_error *where)
{
	struct span s = json_span(node);
	int64_t unit = 0, count = 0;
	size_t at = 0;

	for (; at < s.n && at < 6 && s.p[at] >= '0' && s.p[at] <= '9'; at++)
		count = count * 10 + (s.p[at] - '0');
	if (at > 0 && at + 1 == s.n)
		unit = s.p[at] == 's'	? 1000
		       : s.p[at] == 'm' ? 60 * 1000
		       : s.p[at] == 'h' ? 3600 * 1000
		       : s.p[at] == 'd' ? 24 * 3600 * 1000
					: 0;
	*ms_out = count * unit;
	if (*ms_out >= LIMIT_WINDOW_MIN_MS && *ms_out <= LIMIT_WINDOW_MAX_MS)
		return 0;
	return json_complain(doc, node, where, ERR_RANGE,
	    "\"window\" is a number and s, m, h or d, from \"1m\" to \"31d\"");
}

static int
read_most(const struct json_doc *doc, const struct json_node *node,
    struct limit *limit, struct json_error *where)
{
	uint64_t most = node->type == JSON_INTEGER || node->type == JSON_REAL
			    ? amount_parse(json_raw(doc, node))
			    : AMOUNT_UNKNOWN;

	if (most == AMOUNT_UNKNOWN ||
	    (limit->of != LIMIT_MONEY && node->type != JSON_INTEGER))
		return json_complain(doc, node, where, ERR_RANGE,
		    "\"most\" is a number of at least 0, of money with two "
		    "places at most, else whole");
	limit->most = limit->of == LIMIT_MONEY ? most : most / 100;
	return 0;
}

static int
read_of_and_per(const struct json_doc *doc, const struct limit_text *text,
    struct limit *limit, struct json_error *where)
{
	int of = 0, per = 0;

	while (of < LIMIT_OF_COUNT &&
	       !json_is_string(text->of, limit_of_name((enum limit_of)of)))
		of++;
	while (per < LIMIT_PER_COUNT &&
	       !json_is_string(text->per, limit_per_name((enum limit_per)per)))
		per++;
	if (of == LIMIT_OF_COUNT)
		return json_complain(doc, text->of, where, ERR_RANGE,
		    "\"of\" has to be calls, bytes, money or tokens");
	if (per == LIMIT_PER_COUNT)
		return json_complain(doc, text->per, where, ERR_RANGE,
		    "\"per\" has to be capability, session or destination");
	limit->of = (enum limit_of)of;
	limit->per = (enum limit_per)per;
	return 0;
}

/* Whom it speaks of, and no id twice. */
static int
read_names(const struct policy *policy, const struct json_doc *doc,
    const struct limit_text *text, struct limit_row *row,
    struct json_error *where)
{
	int rc = name_require(doc, text->id, "the id of a limit", where);

	for (const struct limit_row *other = policy->limits;
	     other < row && rc == 0; other++)
		if (json_is_string(text->id, other->limit.id))
			rc = json_complain(doc, text->id, where, ERR_RANGE,
			    "limit id \"%s\" twice", other->limit.id);
	if (rc != 0)
		return rc;
	row->any = json_is_string(text->capability, "*");
	return row->any ? 0
			: capability_set_read(
			      policy, doc, text->capability, row->set, where);
}

static int
read_limit(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct limit_row *row,
    struct json_error *where)
{
	struct limit_text text = {0};
	int rc = json_read(doc, node, limit_fields,
	    sizeof limit_fields / sizeof limit_fields[0], &text, where);

	if (rc == 0)
		rc = read_names(policy, doc, &text, row, where);
	if (rc == 0)
		rc = line_require(doc, text.why, "\"why\"", where);
	if (rc == 0)
		rc = read_of_and_per(doc, &text, &row->limit, where);
	if (rc == 0)
		rc =
		    read_window(doc, text.window, &row->limit.window_ms, where);
	if (rc == 0)
		rc = read_most(doc, text.most, &row->limit, where);
	if (rc == 0)
		rc = read_deny(doc, text.verdict, &row->limit.deny, where);
	if (rc != 0)
		return rc;
	row->limit.id = policy_string(text.id);
	row->limit.why = policy_string(text.why);
	return 0;
}

int
limits_read(struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where)
{
	const struct json_node *node;
	int rc = 0;

	if (list == NULL)
		return 0;
	policy->limits = alloc_array(list->count, sizeof *policy->limits);
	for (node = json_first(doc, list); node != NULL && rc == 0;
	     node = json_next(doc, list, node))
		rc = read_limit(policy, doc, node,
		    &policy->limits[policy->limit_count++], where);
	return rc;
}

void
limits_done(struct policy *policy)
{
	for (uint32_t i = 0; i < policy->limit_count; i++) {
		free(policy->limits[i].limit.id);
		free(policy->limits[i].limit.why);
	}
	free(policy->limits);
}

struct leak_text {
	int64_t bytes_per_destination, bytes_per_session;
	const struct json_node *verdict;
};

static const struct json_field leak_fields[] = {
    {"bytes_per_destination", JSON_WANT_INTEGER, false,
	offsetof(struct leak_text, bytes_per_destination), 0, LEAK_MOST_BYTES},
    {"bytes_per_session", JSON_WANT_INTEGER, false,
	offsetof(struct leak_text, bytes_per_session), 0, LEAK_MOST_BYTES},
    MEMBER(verdict, JSON_WANT_ANY, false, leak_text),
};

int
leak_read(struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	struct leak_text text = {
	    LEAK_DESTINATION_BYTES, LEAK_SESSION_BYTES, NULL};
	int rc;

	if (node == NULL)
		return 0;
	rc = json_read(doc, node, leak_fields,
	    sizeof leak_fields / sizeof leak_fields[0], &text, where);
	if (rc == 0 && text.verdict != NULL)
		rc = read_deny(doc, text.verdict, &policy->leak.deny, where);
	policy->leak.capped = true;
	policy->leak.destination = (uint64_t)text.bytes_per_destination;
	policy->leak.session = (uint64_t)text.bytes_per_session;
	return rc;
}

static void
add_most(const struct limit *limit, struct buf *out)
{
	if (limit->of == LIMIT_MONEY)
		buf_add_format(out, "%llu.%02u",
		    (unsigned long long)(limit->most / 100),
		    (unsigned)(limit->most % 100));
	else
		buf_add_format(out, "%llu", (unsigned long long)limit->most);
}

static void
print_limit(const struct policy *policy, uint32_t index, struct buf *out)
{
	const struct limit *limit = policy_limit(policy, index);

	buf_add_format(out, "Limit %s: each %s may have ", limit->id,
	    limit_per_name(limit->per));
	add_most(limit, out);
	buf_add_format(out, " %s in %lld s of", limit_of_name(limit->of),
	    (long long)(limit->window_ms / 1000));
	if (policy->limits[index].any)
		buf_add_text(out, " every capability");
	for (uint32_t c = 0;
	     c < policy->capability_count && !policy->limits[index].any; c++)
		if (policy_limit_names(policy, index, c))
			buf_add_format(
			    out, " %s", policy->capabilities[c]->name);
	buf_add_format(out, "; more is %s.\n    why: %s\n",
	    limit->deny ? "denied" : "asked about", limit->why);
}

void
limits_print(const struct policy *policy, struct buf *out)
{
	for (uint32_t i = 0; i < policy->limit_count; i++)
		print_limit(policy, i, out);
	if (policy->leak.capped)
		buf_add_format(out,
		    "Once it has read something, a session may say %llu bytes "
		    "to one destination and %llu to all; more is %s.\n",
		    (unsigned long long)policy->leak.destination,
		    (unsigned long long)policy->leak.session,
		    policy->leak.deny ? "denied" : "asked about");
}

static void
json_limit(struct json_writer *w, const struct policy *policy, uint32_t index)
{
	const struct limit *limit = policy_limit(policy, index);
	struct buf most;

	buf_init(&most, 64);
	add_most(limit, &most);
	json_open(w, '{');
	json_put_text(w, "id", limit->id);
	json_key(w, "capabilities");
	json_open(w, '[');
	if (policy->limits[index].any)
		json_text(w, "*");
	for (uint32_t c = 0;
	     c < policy->capability_count && !policy->limits[index].any; c++)
		if (policy_limit_names(policy, index, c))
			json_text(w, policy->capabilities[c]->name);
	json_close(w, ']');
	json_put_text(w, "of", limit_of_name(limit->of));
	json_put_text(w, "per", limit_per_name(limit->per));
	json_put_integer(w, "window_ms", limit->window_ms);
	json_put_raw(w, "most", (struct span){most.data, most.len});
	json_put_text(w, "verdict", limit->deny ? "deny" : "ask");
	json_put_text(w, "why", limit->why);
	json_close(w, '}');
	buf_free(&most);
}

void
limits_print_json(const struct policy *policy, struct json_writer *w)
{
	json_key(w, "limits");
	json_open(w, '[');
	for (uint32_t i = 0; i < policy->limit_count; i++)
		json_limit(w, policy, i);
	json_close(w, ']');
	if (!policy->leak.capped)
		return;
	json_key(w, "leak");
	json_open(w, '{');
	json_put_integer(
	    w, "bytes_per_destination", (int64_t)policy->leak.destination);
	json_put_integer(w, "bytes_per_session", (int64_t)policy->leak.session);
	json_put_text(w, "verdict", policy->leak.deny ? "deny" : "ask");
	json_close(w, '}');
}
