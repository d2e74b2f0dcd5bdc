/*
 * Checking the clean object. The executor runs this on what came over the
 * wire and believes nothing of it: not the reader, not its counts. Pure; the
 * rules for single values are in clean_value.c.
 */
#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/clean.h"

#define COUNT_MAX INT64_C(9007199254740992) /* exact in every JSON reader */
#define NAME_MAX_UTF8 (4 * CLEAN_NAME_CHARS)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* One check: the document, and where to say what is wrong. */
struct check {
	const struct json_doc *doc;
	struct json_error *where;
};

static int
complain(const struct check *k, const struct json_node *node, int error,
    const char *text)
{
	return json_complain(k->doc, node, k->where, error, "%s", text);
}

/* A string of at most `chars` characters. */
static int
check_text(const struct check *k, const struct json_node *at, struct span text,
    size_t most, bool lines)
{
	size_t chars = 0;

	if (!clean_text_valid(text, lines, &chars))
		return complain(k, at, ERR_RANGE,
		    "text with a character that may not stand here");
	if (chars > most)
		return complain(k, at, ERR_RANGE, "text too long");
	return 0;
}

static int
check_address(const struct check *k, const struct json_node *node,
    struct clean_address *out)
{
	static const struct json_field fields[] = {
	    {"name", JSON_WANT_STRING, true,
		offsetof(struct clean_address, name), 0, NAME_MAX_UTF8},
	    {"address", JSON_WANT_STRING, true,
		offsetof(struct clean_address, address), 0,
		CLEAN_ADDRESS_BYTES},
	};
	struct clean_address person = {0};
	int rc = json_read(
	    k->doc, node, fields, COUNT_OF(fields), &person, k->where);

	if (rc != 0)
		return rc;
	if (person.address.n != 0 && !clean_address_valid(person.address))
		return complain(k, node, ERR_RANGE, "not an address");
	rc = check_text(k, node, person.name, CLEAN_NAME_CHARS, false);
	if (rc == 0)
		*out = person;
	return rc;
}

static int
check_person(const struct check *k, const struct json_node *node)
{
	struct clean_address person;

	return check_address(k, node, &person);
}

static int
check_link(const struct check *k, const struct json_node *node)
{
	static const struct json_field fields[] = {
	    {"text", JSON_WANT_STRING, true, offsetof(struct clean_link, text),
		0, 4 * CLEAN_LINK_TEXT_CHARS},
	    {"url", JSON_WANT_STRING, true, offsetof(struct clean_link, url), 1,
		CLEAN_URL_BYTES},
	};
	struct clean_link link = {0};
	int rc =
	    json_read(k->doc, node, fields, COUNT_OF(fields), &link, k->where);

	if (rc != 0)
		return rc;
	if (!clean_url_valid(link.url))
		return complain(k, node, ERR_RANGE, "not a URL");
	return check_text(k, node, link.text, CLEAN_LINK_TEXT_CHARS, false);
}

struct attachment_view {
	struct span name, type, sniffed, sha256;
	int64_t bytes;
};

static int
check_attachment(const struct check *k, const struct json_node *node)
{
	static const struct json_field fields[] = {
	    {"name", JSON_WANT_STRING, true,
		offsetof(struct attachment_view, name), 0,
		4 * CLEAN_FILE_CHARS},
	    {"type", JSON_WANT_STRING, true,
		offsetof(struct attachment_view, type), 3, CLEAN_TYPE_BYTES},
	    {"sniffed", JSON_WANT_STRING, true,
		offsetof(struct attachment_view, sniffed), 3, CLEAN_TYPE_BYTES},
	    {"bytes", JSON_WANT_INTEGER, true,
		offsetof(struct attachment_view, bytes), 0, COUNT_MAX},
	    {"sha256", JSON_WANT_STRING, true,
		offsetof(struct attachment_view, sha256), 64, 64},
	};
	struct attachment_view a = {0};
	unsigned char hash[32];
	int rc =
	    json_read(k->doc, node, fields, COUNT_OF(fields), &a, k->where);

	if (rc != 0)
		return rc;
	if (!clean_file_valid(a.name))
		return complain(k, node, ERR_RANGE, "not a file name");
	if (!clean_type_valid(a.type) || !clean_type_valid(a.sniffed))
		return complain(k, node, ERR_RANGE, "not a content type");
	if (hex_decode(a.sha256, hash, sizeof hash) != 0)
		return complain(k, node, ERR_RANGE, "not a hash");
	return 0;
}

static int
check_auth(const struct check *k, const struct json_node *node)
{
	static const struct json_field fields[] = {
	    {"method", JSON_WANT_STRING, true,
		offsetof(struct clean_auth, method), 1, CLEAN_AUTH_BYTES},
	    {"result", JSON_WANT_STRING, true,
		offsetof(struct clean_auth, result), 1, CLEAN_AUTH_BYTES},
	    {"domain", JSON_WANT_STRING, true,
		offsetof(struct clean_auth, domain), 0, CLEAN_DOMAIN_BYTES},
	};
	struct clean_auth a = {0};
	int rc =
	    json_read(k->doc, node, fields, COUNT_OF(fields), &a, k->where);

	if (rc != 0)
		return rc;
	if (!clean_auth_valid(a.method) || !clean_auth_valid(a.result))
		return complain(
		    k, node, ERR_RANGE, "not a method and its result");
	if (a.domain.n != 0 && !clean_domain_valid(a.domain))
		return complain(k, node, ERR_RANGE, "not a domain");
	return 0;
}

static int
check_hidden(const struct check *k, const struct json_node *node)
{
	static const struct json_field fields[] = {
	    {"reason", JSON_WANT_STRING, true,
		offsetof(struct clean_hidden, reason), 1, CLEAN_REASON_BYTES},
	    {"runs", JSON_WANT_INTEGER, true,
		offsetof(struct clean_hidden, runs), 0, COUNT_MAX},
	    {"chars", JSON_WANT_INTEGER, true,
		offsetof(struct clean_hidden, chars), 0, COUNT_MAX},
	};
	struct clean_hidden hidden = {0};
	int rc = json_read(
	    k->doc, node, fields, COUNT_OF(fields), &hidden, k->where);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < hidden.reason.n; i++)
		if (hidden.reason.p[i] != '-' &&
		    (hidden.reason.p[i] < 'a' || hidden.reason.p[i] > 'z'))
			return complain(k, node, ERR_RANGE, "not a reason");
	return 0;
}

static int
check_span(const struct check *k, const struct json_node *node, size_t chars)
{
	const struct json_node *start, *end;

	if (node->type != JSON_ARRAY || node->count != 2)
		return complain(k, node, ERR_TYPE, "a span is [start,end]");
	start = json_first(k->doc, node);
	end = json_next(k->doc, node, start);
	if (start->type != JSON_INTEGER || end->type != JSON_INTEGER)
		return complain(k, node, ERR_TYPE, "a span is [start,end]");
	if (start->value.integer < 0 ||
	    start->value.integer > end->value.integer ||
	    end->value.integer > (int64_t)chars)
		return complain(k, node, ERR_RANGE, "span outside the body");
	return 0;
}

/* Each element of an array through `check`. */
static int
check_each(const struct check *k, const struct json_node *array,
    int (*check)(const struct check *, const struct json_node *))
{
	const struct json_node *e;
	int rc = 0;

	for (e = json_first(k->doc, array); e != NULL && rc == 0;
	     e = json_next(k->doc, array, e))
		rc = check(k, e);
	return rc;
}

/* The number of a name in a list of names, or `count`. */
static size_t
find_name(const struct json_node *node, const char *const *names, size_t count)
{
	size_t i = 0;

	while (i < count && !json_is_string(node, names[i]))
		i++;
	return i;
}

static int
check_findings(const struct check *k, const struct json_node *array,
    uint64_t *findings_out)
{
	static const char *const names[] = {
#define FINDING(id, name) name,
#include "proto/finding.def"
#undef FINDING
	};
	const struct json_node *e;
	uint64_t seen = 0;

	for (e = json_first(k->doc, array); e != NULL;
	     e = json_next(k->doc, array, e)) {
		size_t i = find_name(e, names, FINDING_COUNT);

		if (i == FINDING_COUNT || (seen & FINDING_BIT(i)) != 0)
			return complain(
			    k, e, ERR_RANGE, "not a finding, or one twice");
		seen |= FINDING_BIT(i);
	}
	*findings_out = seen;
	return 0;
}

struct cut_view {
	const struct json_node *what;
	int64_t kept, of;
};

static int
check_cut(const struct check *k, const struct json_node *node, uint64_t *seen)
{
	static const char *const names[] = {
#define CUT(id, name) name,
#include "proto/cut.def"
#undef CUT
	};
	static const struct json_field fields[] = {
	    {"what", JSON_WANT_ANY, true, offsetof(struct cut_view, what), 0,
		0},
	    {"kept", JSON_WANT_INTEGER, true, offsetof(struct cut_view, kept),
		0, COUNT_MAX},
	    {"of", JSON_WANT_INTEGER, true, offsetof(struct cut_view, of), 1,
		COUNT_MAX},
	};
	struct cut_view cut = {0};
	size_t i;
	int rc =
	    json_read(k->doc, node, fields, COUNT_OF(fields), &cut, k->where);

	if (rc != 0)
		return rc;
	i = find_name(cut.what, names, CLEAN_CUT_COUNT);
	if (i == CLEAN_CUT_COUNT || (*seen >> i & 1) != 0)
		return complain(k, node, ERR_RANGE,
		    "not a thing that is cut, or one twice");
	if (cut.kept >= cut.of)
		return complain(k, node, ERR_RANGE, "nothing was cut");
	*seen |= UINT64_C(1) << i;
	return 0;
}

static int
check_cuts(const struct check *k, const struct json_node *array)
{
	const struct json_node *e;
	uint64_t seen = 0;
	int rc = 0;

	for (e = json_first(k->doc, array); e != NULL && rc == 0;
	     e = json_next(k->doc, array, e))
		rc = check_cut(k, e, &seen);
	return rc;
}

static int
two_digits(const char *p)
{
	return p[0] * 10 + p[1] - '0' * 11;
}

/* "2026-01-31T08:00:00Z" exactly; a day that the month does not have is no
 * harm here. */
static bool
date_valid(struct span date)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";

	if (date.n != sizeof shape - 1)
		return false;
	for (size_t i = 0; i < date.n; i++)
		if (shape[i] == 'd' ? date.p[i] < '0' || date.p[i] > '9'
				    : date.p[i] != shape[i])
			return false;
	return two_digits(date.p + 5) >= 1 && two_digits(date.p + 5) <= 12 &&
	       two_digits(date.p + 8) >= 1 && two_digits(date.p + 8) <= 31 &&
	       two_digits(date.p + 11) < 24 && two_digits(date.p + 14) < 60 &&
	       two_digits(date.p + 17) <= 60;
}

/* The object as json_read fills it. */
struct raw_view {
	struct clean_view view;
	const struct json_node *from, *date, *injection, *findings, *error;
	int64_t version;
	bool sanitized;
};

static int
read_object(
    const struct check *k, const struct json_node *node, struct raw_view *out)
{
#define AT(member) offsetof(struct raw_view, member)
	static const struct json_field fields[] = {
	    {"v", JSON_WANT_INTEGER, true, AT(version), 1, 1},
	    {"channel", JSON_WANT_STRING, true, AT(view.channel), 1, 16},
	    {"from", JSON_WANT_OBJECT, true, AT(from), 2, 2},
	    {"to", JSON_WANT_ARRAY, true, AT(view.to), 0, CLEAN_ADDRESSES},
	    {"cc", JSON_WANT_ARRAY, true, AT(view.cc), 0, CLEAN_ADDRESSES},
	    {"reply_to", JSON_WANT_ARRAY, true, AT(view.reply_to), 0,
		CLEAN_ADDRESSES},
	    {"authentication", JSON_WANT_ARRAY, true, AT(view.authentication),
		0, CLEAN_AUTH},
	    {"date", JSON_WANT_ANY, true, AT(date), 0, 0},
	    {"message_id", JSON_WANT_STRING, true, AT(view.message_id), 0,
		3 * CLEAN_MESSAGE_ID_BYTES},
	    {"subject", JSON_WANT_STRING, true, AT(view.subject), 0,
		4 * CLEAN_SUBJECT_CHARS},
	    {"body", JSON_WANT_STRING, true, AT(view.body), 0,
		CLEAN_BODY_BUDGET},
	    {"links", JSON_WANT_ARRAY, true, AT(view.links), 0, CLEAN_LINKS},
	    {"attachments", JSON_WANT_ARRAY, true, AT(view.attachments), 0,
		CLEAN_ATTACHMENTS},
	    {"hidden", JSON_WANT_ARRAY, true, AT(view.hidden), 0, CLEAN_HIDDEN},
	    {"injection", JSON_WANT_OBJECT, true, AT(injection), 4, 4},
	    {"findings", JSON_WANT_ARRAY, true, AT(findings), 0, FINDING_COUNT},
	    {"truncated", JSON_WANT_ARRAY, true, AT(view.truncated), 0,
		CLEAN_CUT_COUNT},
	    {"sanitized", JSON_WANT_BOOL, true, AT(sanitized), 0, 0},
	    {"error", JSON_WANT_OBJECT, false, AT(error), 3, 3},
	};
#undef AT

	return json_read(k->doc, node, fields, COUNT_OF(fields), out, k->where);
}

static int
check_channel(
    const struct check *k, const struct json_node *node, struct span channel)
{
	static const char *const names[] = {
	    "mail", "telegram", "slack", "web", "text"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (span_is(channel, names[i]))
			return 0;
	return complain(k, node, ERR_RANGE, "not a channel");
}

static int
check_date(
    const struct check *k, const struct json_node *node, struct span *date_out)
{
	if (node->type == JSON_NULL)
		return 0;
	if (node->type != JSON_STRING)
		return complain(k, node, ERR_TYPE, "a date is text or null");
	if (!date_valid(node->value.string))
		return complain(k, node, ERR_RANGE, "not a date in UTC");
	*date_out = node->value.string;
	return 0;
}

struct injection_view {
	const struct json_node *score;
	struct span verdict;
	const struct json_node *spans, *keywords;
};

static int
check_keywords(const struct check *k, const struct json_node *node,
    struct clean_view *view)
{
	static const struct json_field fields[] = {
	    {"ignore", JSON_WANT_INTEGER, true,
		offsetof(struct clean_view, ignore), 0, INT32_MAX},
	    {"instead", JSON_WANT_INTEGER, true,
		offsetof(struct clean_view, instead), 0, INT32_MAX},
	    {"new_instruction", JSON_WANT_INTEGER, true,
		offsetof(struct clean_view, new_instruction), 0, INT32_MAX},
	};

	return json_read(
	    k->doc, node, fields, COUNT_OF(fields), view, k->where);
}

static int
check_injection(const struct check *k, const struct json_node *node,
    struct clean_view *view, size_t body_chars)
{
	static const struct json_field fields[] = {
	    {"score", JSON_WANT_ANY, true,
		offsetof(struct injection_view, score), 0, 0},
	    {"verdict", JSON_WANT_STRING, true,
		offsetof(struct injection_view, verdict), 1, 16},
	    {"spans", JSON_WANT_ARRAY, true,
		offsetof(struct injection_view, spans), 0, CLEAN_SPANS},
	    {"keywords", JSON_WANT_OBJECT, true,
		offsetof(struct injection_view, keywords), 3, 3},
	};
	struct injection_view in = {0};
	const struct json_node *e;
	double score;
	int rc =
	    json_read(k->doc, node, fields, COUNT_OF(fields), &in, k->where);

	if (rc != 0)
		return rc;
	if (in.score->type == JSON_INTEGER)
		score = (double)in.score->value.integer;
	else if (in.score->type == JSON_REAL)
		score = in.score->value.real;
	else
		return complain(k, in.score, ERR_TYPE, "a score is a number");
	if (score < 0.0 || score > 1.0)
		return complain(k, in.score, ERR_RANGE, "a score is 0 to 1");
	if (!span_is(in.verdict, "unscored") && !span_is(in.verdict, "clean") &&
	    !span_is(in.verdict, "suspect"))
		return complain(k, node, ERR_RANGE, "not a verdict");
	for (e = json_first(k->doc, in.spans); e != NULL && rc == 0;
	     e = json_next(k->doc, in.spans, e))
		rc = check_span(k, e, body_chars);
	view->score = score;
	view->verdict = in.verdict;
	view->spans = in.spans;
	return rc != 0 ? rc : check_keywords(k, in.keywords, view);
}

static int
check_error(const struct check *k, const struct json_node *node,
    struct clean_view *view)
{
	static const struct json_field fields[] = {
	    {"code", JSON_WANT_INTEGER, true,
		offsetof(struct clean_view, error), 1, 9999},
	    {"name", JSON_WANT_STRING, true,
		offsetof(struct clean_view, error_name), 1, 32},
	    {"text", JSON_WANT_STRING, true,
		offsetof(struct clean_view, error_text), 0, CLEAN_ERROR_BYTES},
	};
	int rc;

	if (node == NULL)
		return 0;
	rc = json_read(k->doc, node, fields, COUNT_OF(fields), view, k->where);
	if (rc != 0)
		return rc;
	if (!span_is(view->error_name, err_name((int)view->error)))
		return complain(k, node, ERR_RANGE, "code and name differ");
	return check_text(k, node, view->error_text, CLEAN_ERROR_BYTES, false);
}

static int
check_texts(const struct check *k, const struct json_node *node,
    const struct clean_view *view)
{
	int rc = check_text(k, node, view->subject, CLEAN_SUBJECT_CHARS, false);

	if (rc == 0)
		rc = check_text(
		    k, node, view->message_id, CLEAN_MESSAGE_ID_BYTES, false);
	if (rc == 0)
		rc = check_text(k, node, view->body, CLEAN_BODY_CHARS, true);
	return rc;
}

static int
check_lists(const struct check *k, const struct clean_view *view)
{
	const struct {
		const struct json_node *array;
		int (*check)(const struct check *, const struct json_node *);
	} rows[] = {
	    {view->to, check_person},
	    {view->cc, check_person},
	    {view->reply_to, check_person},
	    {view->authentication, check_auth},
	    {view->links, check_link},
	    {view->attachments, check_attachment},
	    {view->hidden, check_hidden},
	};
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(rows) && rc == 0; i++)
		rc = check_each(k, rows[i].array, rows[i].check);
	return rc == 0 ? check_cuts(k, view->truncated) : rc;
}

/* A failure says what went wrong and nothing else. */
static int
check_failure(const struct check *k, const struct json_node *node,
    const struct clean_view *view)
{
	if (view->error == 0)
		return 0;
	if (view->from.name.n + view->from.address.n + view->subject.n +
		view->body.n + view->message_id.n + view->date.n +
		view->to->count + view->cc->count + view->reply_to->count +
		view->authentication->count + view->links->count +
		view->attachments->count !=
	    0)
		return complain(
		    k, node, ERR_RANGE, "a failure form with contents");
	return 0;
}

int
clean_check(const struct json_doc *doc, const struct json_node *node,
    struct clean_view *out, struct json_error *where)
{
	const struct check k = {doc, where};
	struct raw_view raw = {0};
	struct clean_view *view = &raw.view;
	int rc = read_object(&k, node, &raw);

	if (rc != 0)
		return rc;
	if (node->end - node->start > CLEAN_MAX_BYTES)
		return complain(&k, node, ERR_TOO_LARGE, "object too large");
	if (!raw.sanitized)
		return complain(&k, node, ERR_RANGE, "not sanitized");
	if ((rc = check_channel(&k, node, view->channel)) != 0 ||
	    (rc = check_address(&k, raw.from, &view->from)) != 0 ||
	    (rc = check_date(&k, raw.date, &view->date)) != 0 ||
	    (rc = check_texts(&k, node, view)) != 0 ||
	    (rc = check_lists(&k, view)) != 0 ||
	    (rc = check_findings(&k, raw.findings, &view->findings)) != 0 ||
	    (rc = check_injection(&k, raw.injection, view,
		 utf8_count(view->body.p, view->body.n))) != 0 ||
	    (rc = check_error(&k, raw.error, view)) != 0 ||
	    (rc = check_failure(&k, node, view)) != 0)
		return rc;
	*out = raw.view;
	return 0;
}
