/*
 * Header fields of the tree: raw values, address lists, dates.
 */
#include <string.h>

#include "common/err.h"
#include "reader/limits.h"
#include "reader/mime_impl.h"

struct span
mime_raw(GMimeObject *object, const char *name)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	GMimeHeader *header = g_mime_header_list_get_header(list, name);
	const char *raw =
	    header == NULL ? NULL : g_mime_header_get_raw_value(header);

	if (raw == NULL)
		return (struct span){NULL, 0};
	return (struct span){raw, strnlen(raw, MAIL_FIELD_BYTES)};
}

const char *
mime_field(const struct mime *m, size_t index, const char **name_out)
{
	GMimeHeaderList *list;
	GMimeHeader *header;

	if (m->message == NULL)
		return NULL;
	list = g_mime_object_get_header_list(GMIME_OBJECT(m->message));
	if (index >= (size_t)g_mime_header_list_get_count(list))
		return NULL;
	header = g_mime_header_list_get_header_at(list, (int)index);
	*name_out = mime_text(g_mime_header_get_name(header));
	return mime_text(g_mime_header_get_raw_value(header));
}

bool
mime_field_strict(const struct mime *m, size_t index)
{
	GMimeHeader *header = g_mime_header_list_get_header_at(
	    g_mime_object_get_header_list(GMIME_OBJECT(m->message)),
	    (int)index);
	gint64 start = g_mime_header_get_offset(header);
	size_t colon;

	if (start < 0)
		return false;
	colon =
	    (size_t)start + strlen(mime_text(g_mime_header_get_name(header)));
	return colon < m->bytes.len && m->bytes.data[colon] == ':';
}

const char *
mime_header(const struct mime *m, const char *name, size_t n)
{
	GMimeHeader *first =
	    m->message == NULL
		? NULL
		: g_mime_header_list_get_header(
		      g_mime_object_get_header_list(GMIME_OBJECT(m->message)),
		      name);
	const char *field, *raw;

	if (first == NULL || n == 0)
		return first == NULL
			   ? NULL
			   : mime_text(g_mime_header_get_raw_value(first));
	for (size_t i = 0; (raw = mime_field(m, i, &field)) != NULL; i++)
		if (mime_is_word(field, name) && n-- == 0)
			return raw;
	return NULL;
}

struct span
mime_inner_header(const struct mime_part *part, const char *name)
{
	GMimeMessage *inner;

	if (part->kind != MIME_MESSAGE)
		bug("%s has no header", part->type);
	inner =
	    g_mime_message_part_get_message(GMIME_MESSAGE_PART(part->object));
	if (inner == NULL)
		return (struct span){NULL, 0};
	return mime_raw(GMIME_OBJECT(inner), name);
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
			take(with, mime_text(internet_address_get_name(a)),
			    mime_text(internet_address_mailbox_get_addr(
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
