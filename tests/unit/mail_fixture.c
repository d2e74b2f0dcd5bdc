#include "tests/unit/mail_fixture.h"

#include <check.h>
#include <string.h>

#include "common/limits.h"
#include "reader/limits.h"
#include "reader/mail.h"

struct buf clean, record;
struct json_doc doc;
struct clean_view view;

void
mail_setup(void)
{
	buf_init(&clean, CLEAN_MAX_BYTES);
	buf_init(&record, RECORD_MAX_BYTES);
	json_init(&doc);
}

void
mail_teardown(void)
{
	buf_free(&clean);
	buf_free(&record);
	json_done(&doc);
}

/* Read a mail; its object has to pass the check. */
void
read_mail(struct span raw)
{
	struct json_error where = {0};
	char text[300] = "";

	buf_clear(&clean);
	buf_clear(&record);
	ck_assert_int_eq(mail_clean(raw, &clean, &record), 0);
	ck_assert_int_eq(
	    json_parse(
		&doc, (struct span){record.data, record.len}, NULL, NULL),
	    0);
	ck_assert_int_eq(
	    json_parse(&doc, (struct span){clean.data, clean.len}, NULL, NULL),
	    0);
	if (clean_check(&doc, json_root(&doc), &view, &where) != 0)
		json_error_text(&where, text, sizeof text);
	ck_assert_str_eq(text, "");
}

bool
contains(const struct buf *text, const char *what)
{
	return memmem(text->data, text->len, what, strlen(what)) != NULL;
}

void
expect(const char *pointer, const char *want)
{
	const struct json_node *node =
	    json_pointer(&doc, json_root(&doc), span_of(pointer));

	if (want == NULL) {
		ck_assert_msg(node == NULL || node->count == 0,
		    "%s is not empty in %.*s", pointer, (int)clean.len,
		    clean.data);
		return;
	}
	ck_assert_msg(node != NULL && json_is_string(node, want),
	    "%s is not \"%s\" in %.*s", pointer, want, (int)clean.len,
	    clean.data);
}
