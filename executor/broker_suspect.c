/*
 * Items whose content a detector found suspect: the card a person decides by,
 * the narrow fields a planner gets meanwhile, and the answers as lines for
 * `trizone-reader eval --feedback`. What stands in a clean object was checked
 * when it came from the reader; it is hostile all the same.
 */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/broker.h"
#include "executor/confusable.h"
#include "executor/inert.h"
#include "executor/ticket_card.h"
#include "proto/clean.h"

#define BODY_BYTES 65536 /* of a card */
#define FEEDBACK_MAX 20	 /* texts in one answer */

/* The item's clean object: `text` keeps what `view` looks at. */
static int
load(struct broker *b, int64_t id, struct buf *text, struct json_doc *doc,
    struct clean_view *view)
{
	int rc = inbox_clean_text(b->inbox, id, text);

	if (rc == 0)
		rc = json_parse(
		    doc, (struct span){text->data, text->len}, NULL, NULL);
	return rc != 0 ? rc : clean_check(doc, json_root(doc), view, NULL);
}

static void
add_line(struct buf *out, const char *label, struct span text)
{
	size_t replaced = 0;

	buf_add_format(out, "%-13s", label);
	inert_add(out, text, false, &replaced);
	buf_add_byte(out, '\n');
}

static void
add_marks(struct buf *out, struct span text)
{
	struct span word;

	if (confusable_find(text, &word))
		add_line(out, "", SPAN("! letters that look like others"));
}

/* Each line of it behind two blanks, so that none can pass for one of ours. */
static void
add_body(struct buf *out, struct span body)
{
	size_t shown = body.n < BODY_BYTES ? body.n : BODY_BYTES, replaced = 0;
	size_t whole = body.n;

	while (shown > 0 && !utf8_check(body.p, shown))
		shown--;
	body.n = shown;
	while (body.n > 0) {
		const char *end = memchr(body.p, '\n', body.n);
		size_t line = end == NULL ? body.n : (size_t)(end - body.p);
		size_t used = line + (end != NULL);

		buf_add_text(out, "  ");
		inert_add(out, (struct span){body.p, line}, false, &replaced);
		buf_add_byte(out, '\n');
		body.p += used;
		body.n -= used;
	}
	if (shown < whole)
		buf_add_format(out, "  [cut: %zu of %zu bytes are not shown]\n",
		    whole - shown, whole);
}

/* Two strings of each object of a list: they too are the sender's words, and a
 * planner gets them with the text. */
static void
add_list(struct buf *out, const struct json_doc *doc,
    const struct json_node *list, const char *label, const char *one,
    const char *other)
{
	const struct json_node *at;
	size_t replaced = 0;

	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		buf_add_format(out, "%-13s", label);
		inert_add(out, json_get(doc, at, one)->value.string, false,
		    &replaced);
		buf_add_text(out, " | ");
		inert_add(out, json_get(doc, at, other)->value.string, false,
		    &replaced);
		buf_add_byte(out, '\n');
		add_marks(out, json_get(doc, at, one)->value.string);
	}
}

static void
write_card(struct buf *out, const struct inbox_item *item,
    const struct json_doc *doc, const struct clean_view *view)
{
	char handle[32];

	handle_format(item->id, handle);
	add_line(out, "content", span_of(handle));
	add_line(out, "came by", span_of(item->channel));
	add_line(out, "state", span_of(inbox_state_name(item->state)));
	buf_add_format(
	    out, "%-13s%s, score %.4f\n", "judged", "suspect", view->score);
	add_line(out, "from", view->from.address);
	add_marks(out, view->from.address);
	add_line(out, "calls itself", view->from.name);
	add_marks(out, view->from.name);
	add_line(out, "subject", view->subject);
	add_line(out, "message id", view->message_id);
	add_list(out, doc, view->to, "to", "address", "name");
	add_list(out, doc, view->cc, "cc", "address", "name");
	add_list(out, doc, view->reply_to, "reply to", "address", "name");
	add_list(out, doc, view->links, "link", "url", "text");
	add_list(out, doc, view->attachments, "attachment", "name", "type");
	buf_add_format(out, "hidden       %u\n", view->hidden->count);
	buf_add_text(out, "text         as a planner would get it:\n");
	add_body(out, view->body);
}

static int
suspect_card(struct broker *b, int64_t id, struct buf *out)
{
	struct inbox_suspect suspect;
	struct clean_view view;
	struct inbox_item item;
	struct json_doc doc;
	struct buf text;
	int rc = inbox_suspect_get(b->inbox, id, &suspect);

	json_init(&doc);
	buf_init(&text, CLEAN_MAX_BYTES);
	if (rc == 0)
		rc = inbox_get(b->inbox, id, &item);
	if (rc == 0)
		rc = load(b, id, &text, &doc, &view);
	if (rc == 0)
		write_card(out, &item, &doc, &view);
	json_done(&doc);
	buf_free(&text);
	return rc != 0 ? rc : out->overflow ? -ERR_TOO_LARGE : 0;
}

bool
suspect_is_narrow(struct broker *b, int64_t id)
{
	struct inbox_suspect suspect;
	int rc = inbox_suspect_get(b->inbox, id, &suspect);

	return rc == 0 ? suspect.narrow && suspect.answer != SUSPECT_RELEASED
		       : rc != -ERR_NOT_FOUND;
}

int
suspect_narrow(struct broker *b, int64_t id, struct json_writer *w)
{
	struct clean_view view;
	struct inbox_item item;
	struct json_doc doc;
	struct buf text;
	int rc = inbox_get(b->inbox, id, &item);

	json_init(&doc);
	buf_init(&text, CLEAN_MAX_BYTES);
	if (rc == 0)
		rc = load(b, id, &text, &doc, &view);
	if (rc == 0) {
		json_key(w, "narrow");
		json_open(w, '{');
		json_put_text(w, "verdict", "suspect");
		json_put_string(w, "from", view.from.address);
		json_put_string(w, "date", view.date);
		json_put_integer(w, "bytes", (int64_t)item.bytes);
		json_put_integer(w, "characters",
		    (int64_t)utf8_count(view.body.p, view.body.n));
		json_put_integer(w, "to", view.to->count);
		json_put_integer(w, "cc", view.cc->count);
		json_put_integer(w, "links", view.links->count);
		json_put_integer(w, "attachments", view.attachments->count);
		json_close(w, '}');
	}
	json_done(&doc);
	buf_free(&text);
	return rc;
}

void
suspect_list(struct broker *b, struct json_writer *w)
{
	struct inbox_suspect at = {0};
	struct inbox_item item;
	char handle[32];

	while (inbox_suspect_next(b->inbox, at.id, false, &at) == 0) {
		if (inbox_get(b->inbox, at.id, &item) != 0)
			continue;
		handle_format(at.id, handle);
		json_open(w, '{');
		json_put_text(w, "handle", handle);
		json_put_text(w, "channel", item.channel);
		json_put_text(w, "state", inbox_state_name(item.state));
		json_put_boolean(w, "narrow", at.narrow);
		json_put_integer(w, "bytes", (int64_t)item.bytes);
		json_put_integer(w, "arrived_ms", item.arrived_ms);
		json_close(w, '}');
		if (w->out->len > FRAME_MAX_BYTES / 2)
			return; /* the others when these are decided */
	}
}

/* A row of reader/row.h, unless there is nothing of it any more. */
static void
put_row(struct broker *b, struct json_writer *w, const struct inbox_suspect *at)
{
	struct clean_view view;
	struct json_doc doc;
	struct buf text, whole;
	char handle[32];

	json_init(&doc);
	buf_init(&text, CLEAN_MAX_BYTES);
	buf_init(&whole, CLEAN_MAX_BYTES);
	if (load(b, at->id, &text, &doc, &view) == 0) {
		buf_add(&whole, view.subject.p, view.subject.n);
		buf_add_text(&whole, "\n\n");
		buf_add(&whole, view.body.p, view.body.n);
		handle_format(at->id, handle);
		json_open(w, '{');
		json_put_text(w, "id", handle);
		json_put_text(w, "channel", "email");
		json_put_string(
		    w, "text", (struct span){whole.data, whole.len});
		json_put_text(w, "source", "review");
		json_put_text(w, "label",
		    at->answer == SUSPECT_RELEASED ? "benign" : "attack");
		json_close(w, '}');
	}
	json_done(&doc);
	buf_free(&text);
	buf_free(&whole);
}

int64_t
suspect_feedback(struct broker *b, int64_t after, struct json_writer *w)
{
	struct inbox_suspect at = {.id = after};

	for (int i = 0; i < FEEDBACK_MAX; i++) {
		if (inbox_suspect_next(b->inbox, at.id, true, &at) != 0)
			return 0;
		put_row(b, w, &at);
		if (w->out->len > FRAME_MAX_BYTES / 4)
			break;
	}
	return at.id;
}

static void
refuse(struct link *link, int64_t id, int error)
{
	channel_error(
	    link->channel, id, error, err_text(error), (struct span){0});
}

/* The card of a suspect item. */
void
suspect_show(struct link *link, int64_t id, int64_t item)
{
	struct broker *b = link->broker;
	char code[CARD_CODE_BYTES];
	struct message_writer m;
	struct buf card;
	int rc;

	buf_init(&card, CARD_MAX_BYTES);
	rc = suspect_card(b, item, &card);
	if (rc == 0) {
		struct span text = {card.data, card.len};

		card_code(text, code);
		result_begin(&m, channel_out(link->channel), id);
		json_put_string(&m.json, "card", text);
		json_put_text(&m.json, "code", code);
		link_answer(link, &m, id, 0);
	} else {
		refuse(link, id, rc);
	}
	buf_free(&card);
}

/* A person's answer about a suspect item. */
void
suspect_answer(struct link *link, int64_t id, int64_t item, bool release)
{
	struct broker *b = link->broker;
	struct message_writer m;
	struct entry_head entry;
	char handle[32];
	int rc = inbox_suspect_answer(b->inbox, item, release);

	if (rc != 0) {
		refuse(link, id, rc);
		return;
	}
	entry_init(&entry, release ? RECORD_APPROVAL : RECORD_DENIAL);
	entry.message = (uint64_t)item;
	entry_text(entry.why, sizeof entry.why,
	    release ? SPAN("suspect content was released by a person")
		    : SPAN("suspect content was quarantined by a person"));
	snprintf(entry.detail, sizeof entry.detail, "by user %lu",
	    (unsigned long)link->peer.uid);
	entry_send(b, &entry, (struct span){0}, (struct span){0});
	handle_format(item, handle);
	result_begin(&m, channel_out(link->channel), id);
	json_put_text(&m.json, "handle", handle);
	json_put_text(&m.json, "state", release ? "released" : "quarantined");
	link_answer(link, &m, id, 0);
	planner_wake(b);
}

void
suspect_approve(struct link *link, const struct approval *approval)
{
	char code[CARD_CODE_BYTES] = "";
	struct buf card;
	int rc;

	buf_init(&card, CARD_MAX_BYTES);
	rc = suspect_card(link->broker, approval->item, &card);
	if (rc == 0)
		card_code((struct span){card.data, card.len}, code);
	buf_free(&card);
	if (rc == 0 && strcmp(code, approval->code) != 0)
		rc = -ERR_CODE;
	if (rc == 0)
		suspect_answer(link, approval->id, approval->item, true);
	else
		refuse(link, approval->id, rc);
}
