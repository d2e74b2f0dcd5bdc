/*
 * Building the clean object. Runs in a reader's worker, on text that is
 * hostile but was made valid UTF-8. Every limit of clean.h is kept here,
 * whatever the caller gives; nothing is cut without being counted.
 */
#include "proto/clean.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"

#define STORE_BYTES CLEAN_MAX_BYTES
#define COUNT_MAX INT64_C(9007199254740992) /* exact in every JSON reader */
#define DATE_MIN INT64_C(-62135596800)	    /* 0001-01-01T00:00:00Z */
#define DATE_MAX INT64_C(253402300799)	    /* 9999-12-31T23:59:59Z */

/* JSON around the strings of one item, at most. */
#define ADDRESS_FRAME 26
#define LINK_FRAME 22
#define ATTACHMENT_FRAME 155
#define AUTH_FRAME 40

_Static_assert(CLEAN_BODY_BUDGET + CLEAN_LIST_COUNT * CLEAN_LIST_BUDGET +
		       CLEAN_LINKS_BUDGET + CLEAN_ATTACHMENTS_BUDGET +
		       CLEAN_AUTH_BUDGET + CLEAN_REST_BUDGET <=
		   CLEAN_MAX_BYTES,
    "the budgets have to fit");
_Static_assert(FINDING_COUNT <= 64, "findings are bits of one word");

static const char *const finding_names[FINDING_COUNT] = {
#define FINDING(id, name) name,
#include "proto/finding.def"
#undef FINDING
};

static const enum clean_cut list_cuts[CLEAN_LIST_COUNT] = {
    CLEAN_CUT_TO, CLEAN_CUT_CC, CLEAN_CUT_REPLY_TO};

const char *
finding_name(enum finding finding)
{
	if ((unsigned)finding >= FINDING_COUNT)
		bug("finding %d", (int)finding);
	return finding_names[finding];
}

/* Bytes a character takes in a JSON string, at most: one that may not stand
 * there is replaced by one of three bytes. */
static size_t
cost(uint32_t code, size_t length)
{
	if (code == '"' || code == '\\')
		return 2;
	if (code >= ' ' && code < 0x7f)
		return 1;
	return clean_char(code, false) ? length : 3;
}

static size_t
cost_of(struct span text)
{
	size_t i = 0, sum = 0;

	while (i < text.n) {
		uint32_t code = 0;
		size_t n = utf8_decode(text.p + i, text.n - i, &code);

		if (n == 0)
			bug("text that is not UTF-8 in a clean object");
		sum += cost(code, n);
		i += n;
	}
	return sum;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
clean_fit(struct span text, size_t chars, size_t budget)
{
	size_t i = 0, used = 0;

	while (i < text.n && chars > 0) {
		uint32_t code = 0;
		size_t length = least(ascii_unescaped(text.p + i, text.n - i),
		    least(chars, budget - used));

		i += length; /* each of these costs one byte */
		used += length;
		chars -= length;
		if (i == text.n || chars == 0)
			break;
		length = utf8_decode(text.p + i, text.n - i, &code);
		used += cost(code, length);
		if (length == 0 || used > budget)
			break;
		i += length;
		chars--;
	}
	return i;
}

/* Copy into the store; a character that may not stand in the object becomes
 * U+FFFD, so that it stays seen. */
static struct span
keep(struct clean *c, struct span text, bool lines)
{
	char *start = c->store.data + c->store.len;
	size_t i = 0;

	while (i < text.n) {
		uint32_t code = 0;
		size_t n = ascii_printable(text.p + i, text.n - i);

		(void)buf_add(&c->store, text.p + i, n);
		i += n;
		if (i == text.n)
			break;
		n = utf8_decode(text.p + i, text.n - i, &code);
		if (n == 0)
			bug("text that is not UTF-8 in a clean object");
		if (clean_char(code, lines))
			(void)buf_add(&c->store, text.p + i, n);
		else
			(void)buf_add(&c->store, "\xef\xbf\xbd", 3);
		i += n;
	}
	return (struct span){
	    start, (size_t)(c->store.data + c->store.len - start)};
}

/* The same, cut to `chars` characters. */
static struct span
keep_line(struct clean *c, struct span text, size_t chars, enum clean_cut what)
{
	size_t bytes = utf8_prefix(text.p, text.n, chars);

	if (bytes < text.n)
		clean_note_cut(c, what, chars, utf8_count(text.p, text.n));
	return keep(c, (struct span){text.p, bytes}, false);
}

/* Take `bytes` from a budget; false and nothing taken if it has not that. */
static bool
spend(size_t *budget, size_t bytes)
{
	if (bytes > *budget)
		return false;
	*budget -= bytes;
	return true;
}

void
clean_init(struct clean *c, const char *channel)
{
	*c = (struct clean){
	    .channel = channel,
	    .from = {SPAN(""), SPAN("")},
	    .message_id = SPAN(""),
	    .subject = SPAN(""),
	    .body = SPAN(""),
	    .error_text = SPAN(""),
	    .link_budget = CLEAN_LINKS_BUDGET,
	    .attachment_budget = CLEAN_ATTACHMENTS_BUDGET,
	    .auth_budget = CLEAN_AUTH_BUDGET,
	};
	for (size_t i = 0; i < CLEAN_LIST_COUNT; i++)
		c->people[i].budget = CLEAN_LIST_BUDGET;
	buf_init(&c->store, STORE_BYTES);
	(void)buf_reserve(&c->store, STORE_BYTES);
}

void
clean_done(struct clean *c)
{
	buf_free(&c->store);
}

void
clean_find(struct clean *c, enum finding finding)
{
	c->findings |= FINDING_BIT(finding);
}

static int64_t
count_add(int64_t sum, uint64_t more)
{
	if (more > (uint64_t)(COUNT_MAX - sum))
		return COUNT_MAX;
	return sum + (int64_t)more;
}

void
clean_note_cut(struct clean *c, enum clean_cut what, uint64_t kept, uint64_t of)
{
	if (kept >= of)
		return;
	c->cuts[what].kept = count_add(c->cuts[what].kept, kept);
	c->cuts[what].of = count_add(c->cuts[what].of, of);
}

/* Count one item of a list; `kept` is whether it is in the object. */
static void
count_item(struct clean *c, enum clean_cut what, bool kept)
{
	c->cuts[what].of++;
	if (kept)
		c->cuts[what].kept++;
}

/* Whether the list is still whole, so that what is kept has no gaps. */
static bool
is_whole(const struct clean *c, enum clean_cut what)
{
	return c->cuts[what].kept == c->cuts[what].of;
}

/* A person; false if the budget has no room. */
static bool
keep_address(struct clean *c, struct span name, struct span address,
    size_t *budget, struct clean_address *out)
{
	size_t bytes = utf8_prefix(name.p, name.n, CLEAN_NAME_CHARS);

	if (address.n != 0 && !clean_address_valid(address)) {
		clean_find(c, FINDING_BAD_ADDRESS);
		address.n = 0;
	}
	if (!spend(budget, ADDRESS_FRAME + cost_of(address) +
			       cost_of((struct span){name.p, bytes})))
		return false;
	out->name = keep_line(c, name, CLEAN_NAME_CHARS, CLEAN_CUT_NAME);
	out->address = keep(c, address, false);
	return true;
}

void
clean_set_from(struct clean *c, struct span name, struct span address)
{
	size_t budget = CLEAN_LIST_BUDGET;

	(void)keep_address(c, name, address, &budget, &c->from);
}

void
clean_set_subject(struct clean *c, struct span text)
{
	c->subject = keep_line(c, text, CLEAN_SUBJECT_CHARS, CLEAN_CUT_SUBJECT);
}

void
clean_set_message_id(struct clean *c, struct span id)
{
	if (id.n > CLEAN_MESSAGE_ID_BYTES)
		clean_find(c, FINDING_BAD_MESSAGE_ID);
	else
		c->message_id = keep(c, id, false);
}

void
clean_set_body(struct clean *c, struct span text, uint64_t beyond)
{
	size_t bytes = clean_fit(text, CLEAN_BODY_CHARS, CLEAN_BODY_BUDGET);

	if (bytes < text.n || beyond != 0)
		clean_note_cut(c, CLEAN_CUT_BODY, utf8_count(text.p, bytes),
		    utf8_count(text.p, text.n) + beyond);
	c->body = keep(c, (struct span){text.p, bytes}, true);
}

void
clean_set_date(struct clean *c, int64_t seconds)
{
	c->has_date = seconds >= DATE_MIN && seconds <= DATE_MAX;
	c->date = seconds;
}

void
clean_add_address(struct clean *c, enum clean_list list, struct span name,
    struct span address)
{
	struct clean_people *people = &c->people[list];
	bool fits = is_whole(c, list_cuts[list]) &&
		    people->count < CLEAN_ADDRESSES &&
		    keep_address(c, name, address, &people->budget,
			&people->at[people->count]);

	if (fits)
		people->count++;
	count_item(c, list_cuts[list], fits);
}

void
clean_add_link(struct clean *c, struct span text, struct span url)
{
	size_t bytes = utf8_prefix(text.p, text.n, CLEAN_LINK_TEXT_CHARS);
	struct clean_link *link = &c->links[c->link_count];
	bool fits;

	if (!clean_url_valid(url)) {
		clean_find(c, FINDING_BAD_URL);
		return;
	}
	fits =
	    is_whole(c, CLEAN_CUT_LINKS) && c->link_count < CLEAN_LINKS &&
	    spend(&c->link_budget, LINK_FRAME + cost_of(url) +
				       cost_of((struct span){text.p, bytes}));
	count_item(c, CLEAN_CUT_LINKS, fits);
	if (!fits)
		return;
	link->text =
	    keep_line(c, text, CLEAN_LINK_TEXT_CHARS, CLEAN_CUT_LINK_TEXT);
	link->url = keep(c, url, false);
	c->link_count++;
}

void
clean_lost_links(struct clean *c, uint64_t count)
{
	c->cuts[CLEAN_CUT_LINKS].of =
	    count_add(c->cuts[CLEAN_CUT_LINKS].of, count);
}

/* What follows the last folder of a name, made harmless in place. */
static struct span
keep_file(struct clean *c, struct span name)
{
	struct span kept;
	size_t i = name.n;

	while (i > 0 && name.p[i - 1] != '/' && name.p[i - 1] != '\\')
		i--;
	if (i > 0) {
		clean_find(c, FINDING_BAD_ATTACHMENT_NAME);
		name = (struct span){name.p + i, name.n - i};
	}
	kept = keep_line(c, name, CLEAN_FILE_CHARS, CLEAN_CUT_ATTACHMENT_NAME);
	if (clean_file_valid(kept))
		return kept;
	clean_find(c, FINDING_BAD_ATTACHMENT_NAME);
	return SPAN("");
}

void
clean_add_auth(
    struct clean *c, struct span method, struct span result, struct span domain)
{
	struct clean_auth *a = &c->auth[c->auth_count];

	if (!clean_auth_valid(method) || !clean_auth_valid(result))
		return;
	if (domain.n != 0 && !clean_domain_valid(domain))
		domain.n = 0;
	if (c->auth_count == CLEAN_AUTH ||
	    !spend(
		&c->auth_budget, AUTH_FRAME + method.n + result.n + domain.n))
		return;
	a->method = keep(c, method, false);
	a->result = keep(c, result, false);
	a->domain = keep(c, domain, false);
	c->auth_count++;
}

void
clean_add_attachment(struct clean *c, struct span name, struct span type,
    const char *sniffed, uint64_t bytes, const char *sha256)
{
	struct clean_attachment *a = &c->attachments[c->attachment_count];
	size_t kept = utf8_prefix(name.p, name.n, CLEAN_FILE_CHARS);
	bool fits;

	if (!clean_type_valid(type)) {
		clean_find(c, FINDING_BAD_CONTENT_TYPE);
		type = SPAN("application/octet-stream");
	}
	/* counted before folders are gone, so rather too much */
	fits = is_whole(c, CLEAN_CUT_ATTACHMENTS) &&
	       c->attachment_count < CLEAN_ATTACHMENTS &&
	       spend(&c->attachment_budget,
		   ATTACHMENT_FRAME + type.n + strlen(sniffed) +
		       cost_of((struct span){name.p, kept}));
	count_item(c, CLEAN_CUT_ATTACHMENTS, fits);
	if (!fits)
		return;
	a->name = keep_file(c, name);
	a->type = keep(c, type, false);
	a->sniffed = sniffed;
	a->bytes = count_add(0, bytes);
	memcpy(a->sha256, sha256, sizeof a->sha256);
	c->attachment_count++;
}

void
clean_add_hidden(
    struct clean *c, const char *reason, uint64_t runs, uint64_t chars)
{
	bool fits = c->hidden_count < CLEAN_HIDDEN;

	count_item(c, CLEAN_CUT_HIDDEN, fits);
	if (fits)
		c->hidden[c->hidden_count++] = (struct clean_hidden){
		    span_of(reason), count_add(0, runs), count_add(0, chars)};
}

void
clean_add_span(struct clean *c, size_t start, size_t end)
{
	struct clean_injection *in = &c->injection;
	int64_t from, to;

	if (end > c->body.n)
		end = c->body.n;
	if (start >= end)
		return;
	from = (int64_t)utf8_count(c->body.p, start);
	to = from + (int64_t)utf8_count(c->body.p + start, end - start);
	if (in->span_count != 0 && from <= in->spans[in->span_count - 1].end) {
		if (to > in->spans[in->span_count - 1].end)
			in->spans[in->span_count - 1].end = to;
	} else if (in->span_count < CLEAN_SPANS) {
		in->spans[in->span_count].start = from;
		in->spans[in->span_count++].end = to;
	}
}

void
clean_fail(struct clean *c, int error, const char *text)
{
	const char *channel = c->channel;
	size_t bytes;

	clean_done(c);
	clean_init(c, channel);
	c->error = error < 0 ? -error : error;
	bytes = clean_fit(span_of(text), CLEAN_ERROR_BYTES, CLEAN_ERROR_BYTES);
	c->error_text = keep(c, (struct span){text, bytes}, false);
}
