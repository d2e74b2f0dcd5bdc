/*
 * Writing the clean object as JSON. Everything in it was bounded and checked
 * when it was put there (clean.c).
 */
#include <stdio.h>
#include <time.h>

#include "common/err.h"
#include "proto/clean.h"

static const char *const cut_names[CLEAN_CUT_COUNT] = {
#define CUT(id, name) name,
#include "proto/cut.def"
#undef CUT
};

static void
write_address(struct json_writer *w, const struct clean_address *person)
{
	json_open(w, '{');
	json_put_string(w, "name", person->name);
	json_put_string(w, "address", person->address);
	json_close(w, '}');
}

static void
write_people(
    struct json_writer *w, const char *key, const struct clean_people *people)
{
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < people->count; i++)
		write_address(w, &people->at[i]);
	json_close(w, ']');
}

static void
write_date(struct json_writer *w, const struct clean *c)
{
	char text[32];
	time_t seconds = (time_t)c->date;
	struct tm tm;

	json_key(w, "date");
	if (!c->has_date || gmtime_r(&seconds, &tm) == NULL) {
		json_null(w);
		return;
	}
	(void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	json_text(w, text);
}

static void
write_auth(struct json_writer *w, const struct clean *c)
{
	json_key(w, "authentication");
	json_open(w, '[');
	for (size_t i = 0; i < c->auth_count; i++) {
		json_open(w, '{');
		json_put_string(w, "method", c->auth[i].method);
		json_put_string(w, "result", c->auth[i].result);
		json_put_string(w, "domain", c->auth[i].domain);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
write_links(struct json_writer *w, const struct clean *c)
{
	json_key(w, "links");
	json_open(w, '[');
	for (size_t i = 0; i < c->link_count; i++) {
		json_open(w, '{');
		json_put_string(w, "text", c->links[i].text);
		json_put_string(w, "url", c->links[i].url);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
write_attachments(struct json_writer *w, const struct clean *c)
{
	json_key(w, "attachments");
	json_open(w, '[');
	for (size_t i = 0; i < c->attachment_count; i++) {
		const struct clean_attachment *a = &c->attachments[i];

		json_open(w, '{');
		json_put_string(w, "name", a->name);
		json_put_string(w, "type", a->type);
		json_put_text(w, "sniffed", a->sniffed);
		json_put_integer(w, "bytes", a->bytes);
		json_put_text(w, "sha256", a->sha256);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
write_hidden(struct json_writer *w, const struct clean *c)
{
	json_key(w, "hidden");
	json_open(w, '[');
	for (size_t i = 0; i < c->hidden_count; i++) {
		json_open(w, '{');
		json_put_string(w, "reason", c->hidden[i].reason);
		json_put_integer(w, "runs", c->hidden[i].runs);
		json_put_integer(w, "chars", c->hidden[i].chars);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
write_findings(struct json_writer *w, const struct clean *c)
{
	json_key(w, "findings");
	json_open(w, '[');
	for (size_t i = 0; i < FINDING_COUNT; i++)
		if ((c->findings & FINDING_BIT(i)) != 0)
			json_text(w, finding_name((enum finding)i));
	json_close(w, ']');
}

static void
write_cuts(struct json_writer *w, const struct clean *c)
{
	json_key(w, "truncated");
	json_open(w, '[');
	for (size_t i = 0; i < CLEAN_CUT_COUNT; i++) {
		if (c->cuts[i].kept == c->cuts[i].of)
			continue;
		json_open(w, '{');
		json_put_text(w, "what", cut_names[i]);
		json_put_integer(w, "kept", c->cuts[i].kept);
		json_put_integer(w, "of", c->cuts[i].of);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
write_error(struct json_writer *w, const struct clean *c)
{
	json_key(w, "error");
	json_open(w, '{');
	json_put_integer(w, "code", c->error);
	json_put_text(w, "name", err_name(c->error));
	json_put_string(w, "text", c->error_text);
	json_close(w, '}');
}

static void
write_injection(struct json_writer *w, const struct clean *c)
{
	static const char *const verdicts[] = {
	    [CLEAN_UNSCORED] = "unscored",
	    [CLEAN_CLEAN] = "clean",
	    [CLEAN_SUSPECT] = "suspect",
	};
	const struct clean_injection *in = &c->injection;
	char score[16];

	(void)snprintf(score, sizeof score, "%.4f", in->score);
	json_key(w, "injection");
	json_open(w, '{');
	json_put_raw(w, "score", span_of(score));
	json_put_text(w, "verdict", verdicts[in->verdict]);
	json_key(w, "spans");
	json_open(w, '[');
	for (size_t i = 0; i < in->span_count; i++) {
		json_open(w, '[');
		json_integer(w, in->spans[i].start);
		json_integer(w, in->spans[i].end);
		json_close(w, ']');
	}
	json_close(w, ']');
	json_key(w, "keywords");
	json_open(w, '{');
	json_put_integer(w, "ignore", in->ignore);
	json_put_integer(w, "instead", in->instead);
	json_put_integer(w, "new_instruction", in->new_instruction);
	json_close(w, '}');
	json_close(w, '}');
}

int
clean_write(const struct clean *c, struct buf *out)
{
	struct json_writer w;
	size_t start = out->len;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_integer(&w, "v", 1);
	json_put_text(&w, "channel", c->channel);
	json_key(&w, "from");
	write_address(&w, &c->from);
	write_people(&w, "to", &c->people[CLEAN_TO]);
	write_people(&w, "cc", &c->people[CLEAN_CC]);
	write_people(&w, "reply_to", &c->people[CLEAN_REPLY_TO]);
	write_auth(&w, c);
	write_date(&w, c);
	json_put_string(&w, "message_id", c->message_id);
	json_put_string(&w, "subject", c->subject);
	json_put_string(&w, "body", c->body);
	write_links(&w, c);
	write_attachments(&w, c);
	write_hidden(&w, c);
	write_injection(&w, c);
	write_findings(&w, c);
	write_cuts(&w, c);
	json_put_boolean(&w, "sanitized", true);
	if (c->error != 0)
		write_error(&w, c);
	json_close(&w, '}');
	if (!out->overflow)
		return 0;
	out->len = start;
	return -ERR_TOO_LARGE;
}
