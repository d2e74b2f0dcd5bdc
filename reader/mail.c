/*
 * One mail from raw bytes to clean object: bounded copy, MIME tree, header
 * fields, body, record. Runs in the disposable worker; nothing it touches has
 * been looked at before.
 */
#include "reader/mail.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"
#include "proto/clean.h"
#include "reader/attach.h"
#include "reader/auth.h"
#include "reader/body.h"
#include "reader/charset.h"
#include "reader/judge.h"
#include "reader/limits.h"
#include "reader/mime.h"
#include "reader/normal.h"
#include "reader/object.h"
#include "reader/record.h"
#include "reader/scan.h"
#include "reader/visible.h"
#include "reader/words.h"

#define CHANNEL "mail"
#define SAME_FIELDS                                                            \
	20 /* To or Cc fields that are read; there should be one               \
	    */

/* A mail in work. */
struct mail {
	struct scan scan;
	struct mime *mime;
	struct clean clean;
	struct record notes;
	struct visible head; /* header texts go through it one by one */
	struct visible body;
	struct buf decoded; /* a header text */
	struct buf masked;  /* the one before, not decoded */
	struct buf normal;  /* the text that normal_form gave last */
};

static void
find(struct mail *m, enum finding finding, struct span detail)
{
	clean_find(&m->clean, finding);
	record_note(&m->notes, finding, detail);
}

/* A header text as a person would see it, in one line without blanks at its
 * ends; valid until the next call. Hidden characters are counted. */
static struct span
one_line(struct mail *m, struct span text)
{
	struct buf *seen = &m->head.text;
	struct span out;

	buf_clear(seen);
	visible_add(&m->head, text.p, text.n);
	visible_end(&m->head);
	for (size_t i = 0; i < seen->len; i++)
		if (seen->data[i] == '\n')
			seen->data[i] = ' ';
	out = normal_form(&m->normal, (struct span){seen->data, seen->len});
	while (out.n != 0 && out.p[out.n - 1] == ' ')
		out.n--;
	while (out.n != 0 && out.p[0] == ' ')
		out = (struct span){out.p + 1, out.n - 1};
	return out;
}

/* A text with its encoded words decoded, in m->decoded. */
static struct span
decode_words(struct mail *m, struct span raw)
{
	words_decode(raw, &m->decoded, &m->clean.findings);
	return (struct span){m->decoded.data, m->decoded.len};
}

/* What was masked before the addresses were taken apart, in m->masked. */
static struct span
unmask(struct mail *m, const char *text)
{
	buf_clear(&m->masked);
	(void)words_unmask(span_of(text), &m->masked);
	return (struct span){m->masked.data, m->masked.len};
}

/* A mailbox: the name made visible, in `name`; the address as it is, or
 * empty if it cannot be one. */
static struct span
take_name(
    struct mail *m, const char *name, const char *address, struct buf *out)
{
	struct span seen = one_line(m, decode_words(m, unmask(m, name)));
	const char *at = memchr(seen.p != NULL ? seen.p : "", '@', seen.n);

	buf_clear(out);
	(void)buf_add(out, seen.p, seen.n);
	if (at != NULL && !span_is(seen, address))
		find(m, FINDING_ADDRESS_IN_NAME, unmask(m, name));
	return (struct span){out->data, out->len};
}

static struct span
take_address(struct mail *m, const char *address)
{
	struct span text = unmask(m, address);

	if (text.n == 0 || clean_address_valid(text))
		return text;
	find(m, FINDING_BAD_ADDRESS, text);
	return (struct span){NULL, 0};
}

/* Where mailboxes of one kind of field go. */
struct people {
	struct mail *mail;
	bool from;
	enum clean_list list; /* if not from */
	size_t count;
	struct buf name;
};

static void
take_mailbox(void *with, const char *name, const char *address)
{
	struct people *p = with;
	struct span seen = take_name(p->mail, name, address, &p->name);
	struct span valid = take_address(p->mail, address);

	p->count++;
	if (!p->from)
		clean_add_address(&p->mail->clean, p->list, seen, valid);
	else if (p->count == 1)
		clean_set_from(&p->mail->clean, seen, valid);
	else
		find(p->mail, FINDING_SEVERAL_FROM, unmask(p->mail, address));
}

/* All mailboxes of the first `fields` fields of that name; their number. */
static size_t
take_people(
    struct mail *m, const char *field, struct people people, size_t fields)
{
	struct buf masked;
	const char *raw;

	people.mail = m;
	buf_init(&people.name, MAIL_HEADER_TEXT);
	buf_init(&masked, 4 * MAIL_FIELD_BYTES + 1);
	for (size_t i = 0;
	     i < fields && (raw = mime_header(m->mime, field, i)) != NULL;
	     i++) {
		buf_clear(&masked);
		if (words_mask(span_of(raw), &masked) == 0 &&
		    buf_add_byte(&masked, '\0') == 0)
			mime_addresses(
			    m->mime, masked.data, take_mailbox, &people);
	}
	buf_free(&masked);
	buf_free(&people.name);
	return people.count;
}

static void
take_all_people(struct mail *m)
{
	if (take_people(m, "From", (struct people){.from = true}, 1) == 0)
		clean_find(&m->clean, FINDING_NO_FROM);
	(void)take_people(
	    m, "To", (struct people){.list = CLEAN_TO}, SAME_FIELDS);
	(void)take_people(
	    m, "Cc", (struct people){.list = CLEAN_CC}, SAME_FIELDS);
	(void)take_people(
	    m, "Reply-To", (struct people){.list = CLEAN_REPLY_TO}, 1);
}

static void
take_subject(struct mail *m)
{
	const char *raw = mime_header(m->mime, "Subject", 0);

	if (raw == NULL)
		return;
	clean_set_subject(
	    &m->clean, one_line(m, decode_words(m, span_of(raw))));
}

static void
take_date(struct mail *m)
{
	const char *raw = mime_header(m->mime, "Date", 0);
	int64_t seconds = 0;

	if (raw == NULL)
		return;
	if (mime_date(raw, &seconds) == 0)
		clean_set_date(&m->clean, seconds);
	else
		find(m, FINDING_BAD_DATE, span_of(raw));
}

static void
take_message_id(struct mail *m)
{
	const char *raw = mime_header(m->mime, "Message-ID", 0);
	struct span id;

	if (raw == NULL)
		return;
	id = one_line(m, span_of(raw));
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct span){id.p + 1, id.n - 2};
	else
		find(m, FINDING_BAD_MESSAGE_ID, span_of(raw));
	clean_set_message_id(&m->clean, id);
}

static void
mail_init(struct mail *m)
{
	*m = (struct mail){0};
	clean_init(&m->clean, CHANNEL);
	record_init(&m->notes);
	visible_init(&m->head, NULL);
	visible_init(&m->body, NULL);
	buf_init(&m->decoded, MAIL_HEADER_TEXT);
	buf_init(&m->normal, MAIL_TEXT_BYTES);
	buf_init(&m->masked, 2 * MAIL_FIELD_BYTES + MAIL_HEADER_TEXT);
}

static void
mail_done(struct mail *m)
{
	clean_done(&m->clean);
	record_done(&m->notes);
	visible_done(&m->head);
	visible_done(&m->body);
	buf_free(&m->decoded);
	buf_free(&m->normal);
	buf_free(&m->masked);
}

static void
read_mail(struct mail *m, struct span raw)
{
	scan_mail(raw, &m->notes, &m->scan);
	m->mime = mime_new(m->scan.mail);
	take_all_people(m);
	take_subject(m);
	take_date(m);
	take_message_id(m);
	auth_read(m->mime, &m->clean);
	body_render(&m->scan, m->mime, &m->body, &m->clean, &m->notes);
	object_body(&m->clean, &m->body);
	object_hidden(&m->clean, &m->head, &m->body);
	mime_free(m->mime);
	scan_done(&m->scan);
}

void
mail_warm(void)
{
	charset_warm();
	detect_warm();
	mime_warm();
}

/* Read and judge; mail_done is the caller's. */
static void
mail_work(struct mail *m, struct span raw)
{
	struct span hidden[2];

	mail_init(m);
	if (raw.n <= MAIL_MAX_BYTES)
		read_mail(m, raw);
	else
		clean_fail(&m->clean, ERR_TOO_LARGE,
		    "the mail is larger than the reader takes");
	hidden[0] = (struct span){m->head.hidden.data, m->head.hidden.len};
	hidden[1] = (struct span){m->body.hidden.data, m->body.hidden.len};
	if (m->clean.error == 0)
		judge_clean(&m->clean, DETECT_CONTENT, hidden, 2, &m->notes);
}

int
mail_clean(struct span raw, struct buf *clean, struct buf *record)
{
	struct span excerpts[2];
	struct mail m;
	int rc;

	mail_work(&m, raw);
	excerpts[0] = (struct span){m.head.record.data, m.head.record.len};
	excerpts[1] = (struct span){m.body.record.data, m.body.record.len};
	rc = clean_write(&m.clean, clean);
	if (rc == 0)
		rc = record_write(&m.notes, CHANNEL, excerpts, 2,
		    m.head.record_dropped + m.body.record_dropped, record);
	mail_done(&m);
	return rc;
}

struct clean_injection
mail_score(struct span raw)
{
	struct clean_injection injection;
	struct mail m;

	mail_work(&m, raw);
	injection = m.clean.injection;
	mail_done(&m);
	return injection;
}
