/*
 * Listing attachments. Runs in the worker on hostile bytes; content passes
 * through piece by piece, and only an Outlook container is held as a whole.
 */
#include "reader/attach.h"

#include <string.h>

#include "common/err.h"
#include "common/sha256.h"
#include "reader/charset.h"
#include "reader/limits.h"
#include "reader/sniff.h"
#include "reader/tnef.h"
#include "reader/uu.h"

void
attach_init(struct attach *a, struct clean *clean, struct record *notes,
    struct visible *visible)
{
	*a = (struct attach){clean, notes, visible, {0}, false};
	buf_init(&a->text, MAIL_TEXT_BYTES);
}

void
attach_done(struct attach *a)
{
	buf_free(&a->text);
}

/* Hash, size and beginning of content, as it is taken out of its encoding. */
struct digest {
	struct sha256 *hash;
	uint64_t bytes;
	char head[SNIFF_BYTES];
	size_t head_bytes;
	struct buf *whole; /* may be NULL: the content is not needed */
};

static void
digest_init(struct digest *d, struct buf *whole)
{
	d->hash = sha256_new();
	d->bytes = 0;
	d->head_bytes = 0;
	d->whole = whole;
}

/* The beginning of content that is too large, and nothing behind a hole. */
static void
keep(struct buf *whole, const char *bytes, size_t count)
{
	if (!whole->overflow && buf_add(whole, bytes, count) != 0)
		(void)buf_add(whole, bytes, whole->max - whole->len);
}

static int
take_digest(void *with, const char *bytes, size_t count)
{
	struct digest *d = with;
	size_t room = sizeof d->head - d->head_bytes;

	if (count < room)
		room = count;
	if (room != 0)
		memcpy(d->head + d->head_bytes, bytes, room);
	d->head_bytes += room;
	d->bytes += count;
	if (d->whole != NULL)
		keep(d->whole, bytes, count);
	sha256_add(d->hash, bytes, count);
	return 0;
}

static void
digest_end(struct digest *d, char hex[2 * SHA256_BYTES + 1])
{
	unsigned char hash[SHA256_BYTES];

	sha256_end(d->hash, hash);
	sha256_free(d->hash);
	hex_encode(hash, sizeof hash, hex);
}

static void
find(struct attach *a, enum finding finding, struct span detail)
{
	clean_find(a->clean, finding);
	record_note(a->notes, finding, detail);
}

/* The file name as a person would see it. */
static void
clean_name(struct attach *a, struct span name, struct visible *out)
{
	visible_init(out, NULL);
	visible_add(out, name.p, name.n);
	visible_end(out);
	for (size_t i = 0; i < HIDDEN_COUNT; i++) {
		a->visible->hidden_runs[i] += out->hidden_runs[i];
		a->visible->hidden_chars[i] += out->hidden_chars[i];
	}
	for (size_t i = 0; i < out->text.len; i++)
		if (out->text.data[i] == '\n')
			out->text.data[i] = ' ';
	if (out->replaced != 0 || out->hidden_runs[HIDDEN_BIDI] != 0 ||
	    out->hidden_runs[HIDDEN_CONTROL] != 0)
		find(a, FINDING_BAD_ATTACHMENT_NAME, name);
}

/* List what `d` has seen. */
static void
list(struct attach *a, struct span raw_name, const char *type, struct digest *d)
{
	const char *sniffed = sniff_type((struct span){d->head, d->head_bytes});
	struct visible name;
	struct span shown;
	char hex[2 * SHA256_BYTES + 1];

	digest_end(d, hex);
	clean_name(a, raw_name, &name);
	shown = (struct span){name.text.data, name.text.len};
	if (sniff_differs(type, shown, sniffed))
		find(a, FINDING_TYPE_DIFFERS, raw_name);
	clean_add_attachment(
	    a->clean, shown, span_of(type), sniffed, d->bytes, hex);
	visible_done(&name);
}

/* Content that is in memory. */
static void
list_bytes(
    struct attach *a, struct span name, const char *type, struct span bytes)
{
	struct digest d;

	digest_init(&d, NULL);
	(void)take_digest(&d, bytes.p, bytes.n);
	list(a, name, type, &d);
}

/* What is cut here is at least one character; nobody counted them. */
static void
take_tnef_file(
    void *with, struct span name, struct span label, struct span bytes)
{
	struct attach *a = with;
	uint64_t replaced = 0;
	struct buf text;

	buf_init(&text, MAIL_HEADER_TEXT);
	if (charset_decode(label, name, &text, &replaced) != 0)
		clean_note_cut(a->clean, CLEAN_CUT_ATTACHMENT_NAME, 0, 1);
	list_bytes(a, (struct span){text.data, text.len},
	    "application/octet-stream", bytes);
	buf_free(&text);
}

static void
take_tnef_text(void *with, struct span text, struct span label)
{
	struct attach *a = with;
	uint64_t replaced = 0;

	if (a->text.len != 0)
		return;
	a->text_cut = charset_decode(label, text, &a->text, &replaced) != 0;
	if (!charset_known(label))
		find(a, FINDING_UNKNOWN_CHARSET, label);
	if (replaced != 0)
		find(a, FINDING_UNDECODABLE_TEXT, label);
}

static void
take_tnef_rtf(void *with, struct span compressed)
{
	list_bytes(
	    with, SPAN("message.rtf"), "application/octet-stream", compressed);
}

static bool
is_tnef(const struct mime_part *part)
{
	return part->kind == MIME_LEAF &&
	       (strcmp(part->type, "application/ms-tnef") == 0 ||
		   strcmp(part->type, "application/vnd.ms-tnef") == 0);
}

static void
list_tnef(struct attach *a, const struct buf *whole)
{
	const struct tnef_taker taker = {
	    a, take_tnef_file, take_tnef_text, take_tnef_rtf};

	clean_find(a->clean, FINDING_TNEF);
	if (!tnef_read((struct span){whole->data, whole->len}, &taker))
		clean_find(a->clean, FINDING_BAD_TNEF);
	if (whole->overflow)
		find(a, FINDING_BAD_TNEF, SPAN("larger than is read"));
}

/* Types that say something about the mail. */
static void
find_type(struct attach *a, const char *type)
{
	static const struct {
		const char *type;
		enum finding finding;
	} rows[] = {
	    {"message/partial", FINDING_PARTIAL},
	    {"message/external-body", FINDING_EXTERNAL_BODY},
	    {"application/pkcs7-mime", FINDING_ENCRYPTED},
	    {"application/x-pkcs7-mime", FINDING_ENCRYPTED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(type, rows[i].type) == 0)
			clean_find(a->clean, rows[i].finding);
}

void
attach_part(struct attach *a, struct mime *m, const struct mime_part *part)
{
	struct digest d;
	struct buf whole;
	int rc;

	buf_init(&whole, MAIL_TEXT_BYTES);
	digest_init(&d, is_tnef(part) ? &whole : NULL);
	rc = mime_content(m, part, take_digest, &d);
	if (rc != 0)
		die(EXIT_SYSTEM, "content of a part: %s", err_text(rc));
	find_type(a, part->type);
	list(a, span_of(part->name), part->type, &d);
	if (is_tnef(part))
		list_tnef(a, &whole);
	buf_free(&whole);
}

bool
attach_uuencoded(struct attach *a, struct span text, struct buf *rest)
{
	struct uu_block block;
	struct buf content;
	size_t at = 0;
	bool broken = false;

	buf_init(&content, MAIL_TEXT_BYTES);
	buf_clear(rest);
	while (uu_next(text, at, &block, &content, &broken)) {
		(void)buf_add(rest, text.p + at, block.start - at);
		clean_find(a->clean, FINDING_UUENCODED);
		if (!block.whole)
			find(a, FINDING_BAD_UUENCODE, block.name);
		list_bytes(a, block.name, "application/octet-stream",
		    (struct span){content.data, content.len});
		at = block.end;
	}
	if (broken)
		find(a, FINDING_BAD_UUENCODE, SPAN(""));
	buf_free(&content);
	if (at == 0)
		return false;
	(void)buf_add(rest, text.p + at, text.n - at);
	return true;
}
