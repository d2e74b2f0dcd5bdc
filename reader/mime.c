/*
 * MIME through GMime 3. Runs in the worker on a mail that scan_mail bounded;
 * believes the library to stay inside its memory, and the worker's walls to
 * hold when it does not. Content is decoded here step by step, so that no
 * attachment is ever in memory twice.
 */
#include "reader/mime.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "proto/clean.h"
#include "reader/field.h"
#include "reader/limits.h"
#include "reader/mime_impl.h"
#include "reader/param.h"
#include "reader/transfer.h"
#include "reader/uu.h"

#define PIECE_BYTES 16384

/* What a warning of the library means to us; FINDING_COUNT: nothing. */
static enum finding
finding_of(GMimeParserWarning warning)
{
	switch (warning) {
	case GMIME_CRIT_CONFLICTING_PARAMETER:
	case GMIME_WARN_DUPLICATED_PARAMETER:
		return FINDING_CONFLICTING_PARAMETER;
	case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE:
		return FINDING_BAD_ENCODED_WORD;
	case GMIME_WARN_INVALID_CONTENT_TYPE:
		return FINDING_BAD_CONTENT_TYPE;
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
		return FINDING_NO_BOUNDARY;
	case GMIME_WARN_MALFORMED_MULTIPART:
		return FINDING_NO_PARTS;
	case GMIME_WARN_TRUNCATED_MESSAGE:
		return FINDING_NO_END;
	case GMIME_CRIT_NESTING_OVERFLOW:
		return FINDING_DEEP;
	default:
		return FINDING_COUNT;
	}
}

static void
warn(
    gint64 offset, GMimeParserWarning warning, const gchar *item, gpointer data)
{
	struct mime *m = data;
	enum finding finding = finding_of(warning);

	(void)offset;
	(void)item;
	if (finding != FINDING_COUNT)
		m->findings |= FINDING_BIT(finding);
}

static GMimeParserOptions *
new_options(struct mime *m)
{
	static const char *charsets[] = {"utf-8", "windows-1252", NULL};
	GMimeParserOptions *options = g_mime_parser_options_new();

	g_mime_parser_options_set_fallback_charsets(options, charsets);
	g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
	g_mime_parser_options_set_warning_callback(options, warn, m);
	return options;
}

/* Whether the library fell back to a type the mail does not name. */
static bool
is_fallback(GMimeObject *object, GMimeContentType *type)
{
	struct span written;

	if (!g_mime_content_type_is_type(type, "application", "octet-stream"))
		return false;
	written = field_trim(mime_raw(object, "Content-Type"));
	return written.p != NULL &&
	       (written.n < 11 ||
		   g_ascii_strncasecmp(written.p, "application", 11) != 0);
}

/* The type as text. What has none, or none that can be read, is plain text
 * (RFC 2045, 5.2), and so is a multipart without parts. */
static char *
type_text(struct mime *m, GMimeObject *object, bool empty)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text;

	if (type == NULL || empty)
		return alloc_string("text/plain");
	if (is_fallback(object, type)) {
		m->findings |= FINDING_BIT(FINDING_BAD_CONTENT_TYPE);
		return alloc_string("text/plain");
	}
	text = alloc_format("%s/%s",
	    mime_text(g_mime_content_type_get_media_type(type)),
	    mime_text(g_mime_content_type_get_media_subtype(type)));
	for (char *p = text; *p != '\0'; p++)
		*p = g_ascii_tolower(*p);
	return text;
}

static const char *
parameter(GMimeContentType *type, const char *name)
{
	if (type == NULL)
		return "";
	return mime_text(g_mime_content_type_get_parameter(type, name));
}

static enum mime_kind
kind_of(GMimeObject *object, bool empty)
{
	if (GMIME_IS_MULTIPART(object) && !empty)
		return MIME_MULTIPART;
	return GMIME_IS_MESSAGE_PART(object) ? MIME_MESSAGE : MIME_LEAF;
}

/* The file name, to be freed; "" if there is none. It may be in two fields. */
static char *
name_text(struct mime *m, GMimeObject *object)
{
	struct span disposition = mime_raw(object, "Content-Disposition");
	struct span type = mime_raw(object, "Content-Type");
	struct buf name, other;
	char *text;

	buf_init(&name, MAIL_HEADER_TEXT);
	buf_init(&other, MAIL_HEADER_TEXT);
	(void)param_text(disposition, "filename", &name, &m->findings);
	(void)param_text(type, "name", &other, &m->findings);
	if (name.len != 0 && other.len != 0 &&
	    !span_equal((struct span){name.data, name.len},
		(struct span){other.data, other.len}))
		m->findings |= FINDING_BIT(FINDING_CONFLICTING_PARAMETER);
	text = name.len != 0 ? alloc_text(name.data, name.len)
			     : alloc_text(other.data, other.len);
	for (size_t i = 0; i < (name.len != 0 ? name.len : other.len); i++)
		if (text[i] == '\0') /* an end for some programs */
			text[i] = '\1';
	buf_free(&name);
	buf_free(&other);
	return text;
}

/* An encoding that nobody knows, or one where none may be. */
static void
check_encoding(struct mime *m, GMimeObject *object)
{
	struct span raw =
	    field_trim(mime_raw(object, "Content-Transfer-Encoding"));
	char word[32];
	GMimeContentEncoding encoding;

	if (raw.n == 0)
		return;
	encoding = span_copy(raw, word, sizeof word) != 0
		       ? GMIME_CONTENT_ENCODING_DEFAULT
		       : g_mime_content_encoding_from_string(word);
	if (encoding == GMIME_CONTENT_ENCODING_DEFAULT ||
	    (!GMIME_IS_PART(object) &&
		encoding > GMIME_CONTENT_ENCODING_BINARY))
		m->findings |= FINDING_BIT(FINDING_BAD_ENCODING);
}

/* Append a node for `object`. */
static struct mime_part *
add_part(struct mime *m, GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *disposition = g_mime_object_get_disposition(object);
	bool empty = GMIME_IS_MULTIPART(object) &&
		     g_mime_multipart_get_count(GMIME_MULTIPART(object)) == 0;
	struct mime_part *part;

	if (empty)
		m->findings |= FINDING_BIT(FINDING_NO_PARTS);
	if (m->count == m->cap) {
		m->cap = m->cap == 0 ? 8 : m->cap * 2;
		m->parts = alloc_resize(m->parts, m->cap, sizeof *m->parts);
	}
	part = &m->parts[m->count++];
	*part = (struct mime_part){
	    .kind = kind_of(object, empty),
	    .end = m->count,
	    .type = type_text(m, object, empty),
	    .charset = parameter(type, "charset"),
	    .name = name_text(m, object),
	    .id = mime_text(g_mime_object_get_content_id(object)),
	    .start = parameter(type, "start"),
	    .attachment = mime_is_word(disposition, "attachment"),
	    .inlined = mime_is_word(disposition, "inline"),
	    .flowed = mime_is_word(parameter(type, "format"), "flowed"),
	    .delsp = mime_is_word(parameter(type, "delsp"), "yes"),
	    .object = object,
	};
	check_encoding(m, object);
	return part;
}

/* The body of a mail inside; NULL if it has none or is too deep. */
static GMimeObject *
inner_body(struct mime *m, GMimeObject *object, unsigned messages)
{
	GMimeMessage *inner =
	    g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

	if (inner == NULL)
		return NULL;
	if (messages >= MAIL_MESSAGES) {
		m->findings |= FINDING_BIT(FINDING_DEEP);
		return NULL;
	}
	return g_mime_message_get_mime_part(inner);
}

/* The tree in text order; `messages` mails are around it. Recursion is bounded
 * by MAIL_DEPTH. */
static void
add_tree(struct mime *m, GMimeObject *object, unsigned depth, unsigned messages)
{
	size_t index = m->count;
	enum mime_kind kind;
	int children;

	if (object == NULL)
		return;
	if (depth > MAIL_DEPTH || m->count > MAIL_PARTS) {
		m->left_out++;
		if (depth > MAIL_DEPTH)
			m->findings |= FINDING_BIT(FINDING_DEEP);
		return;
	}
	kind = add_part(m, object)->kind;
	if (kind == MIME_MESSAGE)
		add_tree(m, inner_body(m, object, messages), depth + 1,
		    messages + 1);
	children = kind == MIME_MULTIPART
		       ? g_mime_multipart_get_count(GMIME_MULTIPART(object))
		       : 0;
	for (int i = 0; i < children; i++)
		add_tree(m,
		    g_mime_multipart_get_part(GMIME_MULTIPART(object), i),
		    depth + 1, messages);
	m->parts[index].end = m->count;
}

void
mime_warm(void)
{
	static const char mail[] =
	    "From: =?utf-8?q?a?= <a@example.org>\n"
	    "Date: Thu, 1 Jan 2026 00:00:00 +0000\n"
	    "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\nContent-Type: text/plain; charset=utf-8\n\nx\n"
	    "--b\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n--b--\n";

	g_mime_init();
	mime_free(mime_new(SPAN(mail)));
}

struct mime *
mime_new(struct span mail)
{
	struct mime *m = alloc_bytes(sizeof *m);
	GMimeStream *stream;
	GMimeParser *parser;

	m->options = new_options(m);
	if (mail.n == 0)
		return m;
	m->bytes.data = (guint8 *)(uintptr_t)mail.p;
	m->bytes.len = (guint)mail.n;
	stream = g_mime_stream_mem_new_with_byte_array(&m->bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	m->message = g_mime_parser_construct_message(parser, m->options);
	g_object_unref(parser);
	g_object_unref(stream);
	if (m->message != NULL)
		add_tree(m, g_mime_message_get_mime_part(m->message), 0, 0);
	return m;
}

void
mime_free(struct mime *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->count; i++) {
		free((void *)(uintptr_t)m->parts[i].type);
		free((void *)(uintptr_t)m->parts[i].name);
	}
	free(m->parts);
	if (m->message != NULL)
		g_object_unref(m->message);
	g_mime_parser_options_free(m->options);
	free(m);
}

uint64_t
mime_findings(const struct mime *m)
{
	return m->findings;
}

size_t
mime_count(const struct mime *m)
{
	return m->count;
}

const struct mime_part *
mime_part(const struct mime *m, size_t index)
{
	if (index >= m->count)
		bug("part %zu of %zu", index, m->count);
	return &m->parts[index];
}

size_t
mime_left_out(const struct mime *m)
{
	return m->left_out;
}

/* The content of a leaf as it is in the mail. A stream of the library over
 * memory is a view with bounds. */
static struct span
encoded_content(GMimeStream *stream)
{
	GByteArray *bytes;
	gint64 end;

	if (!GMIME_IS_STREAM_MEM(stream))
		bug("content that is not in memory");
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	end = stream->bound_end < 0 ? (gint64)bytes->len : stream->bound_end;
	if (stream->bound_start < 0 || stream->bound_start > end ||
	    end > (gint64)bytes->len)
		bug("content outside of the mail");
	return (struct span){(const char *)bytes->data + stream->bound_start,
	    (size_t)(end - stream->bound_start)};
}

static int
decode_base64(struct mime *m, struct span raw,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	struct base64_in state = {0};
	char made[PIECE_BYTES / 4 * 3 + 3];
	int rc = 0;

	while (rc == 0 && raw.n != 0) {
		size_t n = raw.n < PIECE_BYTES ? raw.n : PIECE_BYTES;

		rc = take(with, made, base64_step(&state, raw.p, n, made));
		raw.p += n;
		raw.n -= n;
	}
	if (rc == 0)
		rc = take(with, made, base64_end(&state, made));
	if (state.odd)
		m->findings |= FINDING_BIT(FINDING_BAD_ENCODING);
	return rc;
}

/* Quoted-printable, and uuencode behind its line "begin". */
static int
decode_other(struct span raw, GMimeContentEncoding encoding,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeEncoding state;
	char *made;
	int rc = 0;

	g_mime_encoding_init_decode(&state, encoding);
	if (encoding == GMIME_CONTENT_ENCODING_UUENCODE)
		state.state |= GMIME_UUDECODE_STATE_BEGIN;
	made = alloc_bytes(g_mime_encoding_outlen(&state, PIECE_BYTES) + 1);
	while (rc == 0 && raw.n != 0) {
		size_t n = raw.n < PIECE_BYTES ? raw.n : PIECE_BYTES;

		rc = take(
		    with, made, g_mime_encoding_step(&state, raw.p, n, made));
		raw.p += n;
		raw.n -= n;
	}
	if (rc == 0)
		rc = take(
		    with, made, g_mime_encoding_flush(&state, "", 0, made));
	free(made);
	return rc;
}

/* Content without a line "begin" is in no encoding that anybody reads; what
 * is in front of that line is passed over, and said. */
static int
decode_uu(struct mime *m, struct span raw,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	size_t at = uu_content(raw);

	if (at == 0 || !span_starts(field_trim(raw), "begin "))
		m->findings |= FINDING_BIT(FINDING_BAD_ENCODING);
	if (at == 0)
		return take(with, raw.p, raw.n);
	raw = (struct span){raw.p + at, raw.n - at};
	return decode_other(raw, GMIME_CONTENT_ENCODING_UUENCODE, take, with);
}

/* What stands where a multipart's parts should be. */
static struct span
prologue(const struct mime_part *part)
{
	return span_of(mime_text(
	    g_mime_multipart_get_prologue(GMIME_MULTIPART(part->object))));
}

/* A mail inside this one, as it would be written. */
static int
take_object(GMimeObject *object,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;
	int rc = -ERR_IO;

	if (g_mime_object_write_content_to_stream(object, NULL, stream) >= 0) {
		bytes =
		    g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		rc = take(with, (const char *)bytes->data, bytes->len);
	}
	g_object_unref(stream);
	return rc;
}

bool
mime_plain(const struct mime_part *part, struct span *out)
{
	GMimeDataWrapper *content;

	*out = SPAN("");
	if (GMIME_IS_MULTIPART(part->object)) {
		*out = prologue(part);
		return true;
	}
	if (!GMIME_IS_PART(part->object))
		return false;
	content = g_mime_part_get_content(part->object);
	if (content == NULL)
		return true;
	if (g_mime_data_wrapper_get_encoding(content) >
	    GMIME_CONTENT_ENCODING_BINARY)
		return false;
	*out = encoded_content(g_mime_data_wrapper_get_stream(content));
	return true;
}

int
mime_content(struct mime *m, const struct mime_part *part,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeDataWrapper *content;
	GMimeContentEncoding encoding;
	struct span raw;

	if (mime_plain(part, &raw))
		return take(with, raw.p, raw.n);
	if (!GMIME_IS_PART(part->object))
		return take_object(part->object, take, with);
	content = g_mime_part_get_content(part->object);
	encoding = g_mime_data_wrapper_get_encoding(content);
	raw = encoded_content(g_mime_data_wrapper_get_stream(content));
	if (encoding == GMIME_CONTENT_ENCODING_BASE64)
		return decode_base64(m, raw, take, with);
	if (encoding == GMIME_CONTENT_ENCODING_UUENCODE)
		return decode_uu(m, raw, take, with);
	return decode_other(raw, encoding, take, with);
}
