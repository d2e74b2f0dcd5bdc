/*
 * MIME through GMime 3. Runs in the worker on a mail that scan_mail bounded;
 * believes the library to stay inside its memory, and the worker's walls to
 * hold when it does not. Content is decoded here step by step, so that no
 * attachment is ever in memory twice.
 */
#include "reader/mime.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "proto/clean.h"
#include "reader/limits.h"

#define PIECE_BYTES 16384

struct mime {
	GByteArray bytes; /* the mail, as the library wants it */
	GMimeParserOptions *options;
	GMimeMessage *message;
	uint64_t findings;
	struct mime_part *parts;
	size_t count, cap, left_out;
};

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

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
	const char *written = g_mime_object_get_header(object, "Content-Type");

	return written != NULL &&
	       g_mime_content_type_is_type(
		   type, "application", "octet-stream") &&
	       g_ascii_strncasecmp(written, "application", 11) != 0;
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
	    or_empty(g_mime_content_type_get_media_type(type)),
	    or_empty(g_mime_content_type_get_media_subtype(type)));
	for (char *p = text; *p != '\0'; p++)
		*p = g_ascii_tolower(*p);
	return text;
}

static const char *
parameter(GMimeContentType *type, const char *name)
{
	if (type == NULL)
		return "";
	return or_empty(g_mime_content_type_get_parameter(type, name));
}

static bool
is_word(const char *text, const char *word)
{
	return text != NULL && g_ascii_strcasecmp(text, word) == 0;
}

static enum mime_kind
kind_of(GMimeObject *object, bool empty)
{
	if (GMIME_IS_MULTIPART(object) && !empty)
		return MIME_MULTIPART;
	return GMIME_IS_MESSAGE_PART(object) ? MIME_MESSAGE : MIME_LEAF;
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
	    .name = "",
	    .id = or_empty(g_mime_object_get_content_id(object)),
	    .start = parameter(type, "start"),
	    .attachment = is_word(disposition, "attachment"),
	    .inlined = is_word(disposition, "inline"),
	    .flowed = is_word(parameter(type, "format"), "flowed"),
	    .delsp = is_word(parameter(type, "delsp"), "yes"),
	    .object = object,
	};
	if (GMIME_IS_PART(object))
		part->name =
		    or_empty(g_mime_part_get_filename(GMIME_PART(object)));
	return part;
}

/* The tree in text order. Recursion is bounded by MAIL_DEPTH. */
static void
add_tree(struct mime *m, GMimeObject *object, unsigned depth)
{
	size_t index = m->count;
	int children;

	if (object == NULL)
		return;
	if (depth > MAIL_DEPTH || m->count > MAIL_PARTS) {
		m->left_out++;
		if (depth > MAIL_DEPTH)
			m->findings |= FINDING_BIT(FINDING_DEEP);
		return;
	}
	if (add_part(m, object)->kind != MIME_MULTIPART)
		return;
	children = g_mime_multipart_get_count(GMIME_MULTIPART(object));
	for (int i = 0; i < children; i++)
		add_tree(m,
		    g_mime_multipart_get_part(GMIME_MULTIPART(object), i),
		    depth + 1);
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
		add_tree(m, g_mime_message_get_mime_part(m->message), 0);
	return m;
}

void
mime_free(struct mime *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->count; i++)
		free((void *)(uintptr_t)m->parts[i].type);
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

const char *
mime_header(const struct mime *m, const char *name, size_t n)
{
	GMimeHeaderList *list;
	int count;

	if (m->message == NULL)
		return NULL;
	list = g_mime_object_get_header_list(GMIME_OBJECT(m->message));
	count = g_mime_header_list_get_count(list);
	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);

		if (is_word(g_mime_header_get_name(header), name) && n-- == 0)
			return or_empty(g_mime_header_get_raw_value(header));
	}
	return NULL;
}

void
mime_decode_text(const struct mime *m, const char *raw, struct buf *out)
{
	char *flat = g_mime_utils_header_unfold(raw);
	char *text = g_mime_utils_header_decode_text(m->options, flat);
	size_t bytes = strlen(text);

	buf_clear(out);
	(void)buf_add(out, text, bytes < out->max ? bytes : out->max);
	g_free(text);
	g_free(flat);
}

/* One mailbox or the members of a group. Recursion is bounded by the depth
 * of groups, which RFC 5322 does not nest. */
static void
take_list(InternetAddressList *list, unsigned depth,
    void (*take)(void *with, const char *name, const char *address), void *with)
{
	int count = internet_address_list_length(list);

	for (int i = 0; i < count; i++) {
		InternetAddress *a = internet_address_list_get_address(list, i);

		if (INTERNET_ADDRESS_IS_MAILBOX(a))
			take(with, or_empty(internet_address_get_name(a)),
			    or_empty(internet_address_mailbox_get_addr(
				INTERNET_ADDRESS_MAILBOX(a))));
		else if (INTERNET_ADDRESS_IS_GROUP(a) && depth == 0)
			take_list(internet_address_group_get_members(
				      INTERNET_ADDRESS_GROUP(a)),
			    depth + 1, take, with);
	}
}

void
mime_addresses(const struct mime *m, const char *raw,
    void (*take)(void *with, const char *name, const char *address), void *with)
{
	char *flat = g_mime_utils_header_unfold(raw);
	InternetAddressList *list =
	    internet_address_list_parse(m->options, flat);

	if (list != NULL) {
		take_list(list, 0, take, with);
		g_object_unref(list);
	}
	g_free(flat);
}

int
mime_date(const char *raw, int64_t *seconds_out)
{
	GDateTime *date = g_mime_utils_header_decode_date(raw);

	if (date == NULL)
		return -ERR_SYNTAX;
	*seconds_out = g_date_time_to_unix(date);
	g_date_time_unref(date);
	return 0;
}

/* Raw bytes of a leaf through its transfer decoder. */
static int
decode_stream(GMimeStream *stream, GMimeContentEncoding encoding,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeEncoding state;
	char raw[PIECE_BYTES];
	char *made;
	ssize_t n;
	int rc = 0;

	g_mime_encoding_init_decode(&state, encoding);
	made = alloc_bytes(g_mime_encoding_outlen(&state, sizeof raw) + 1);
	g_mime_stream_reset(stream);
	while (rc == 0 && (n = g_mime_stream_read(stream, raw, sizeof raw)) > 0)
		rc = take(with, made,
		    g_mime_encoding_step(&state, raw, (size_t)n, made));
	if (rc == 0)
		rc = take(
		    with, made, g_mime_encoding_flush(&state, raw, 0, made));
	free(made);
	return rc;
}

/* What stands where a multipart's parts should be. */
static int
take_prologue(GMimeMultipart *multipart,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	const char *text = or_empty(g_mime_multipart_get_prologue(multipart));

	return take(with, text, strlen(text));
}

/* A mail inside this one, as it would be written. */
static int
take_object(GMimeObject *object,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;
	int rc = 0;

	if (g_mime_object_write_content_to_stream(object, NULL, stream) >= 0) {
		bytes =
		    g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		rc = take(with, (const char *)bytes->data, bytes->len);
	}
	g_object_unref(stream);
	return rc;
}

int
mime_content(const struct mime_part *part,
    int (*take)(void *with, const char *bytes, size_t count), void *with)
{
	GMimeDataWrapper *content;

	if (GMIME_IS_MULTIPART(part->object))
		return take_prologue(part->object, take, with);
	if (!GMIME_IS_PART(part->object))
		return take_object(part->object, take, with);
	content = g_mime_part_get_content(part->object);
	if (content == NULL)
		return 0;
	return decode_stream(g_mime_data_wrapper_get_stream(content),
	    g_mime_data_wrapper_get_encoding(content), take, with);
}
