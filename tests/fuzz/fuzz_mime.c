/*
 * Any bytes through the bounding scan and the MIME tree: the bounds hold, the
 * tree is one, and every content can be had.
 */
#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "reader/auth.h"
#include "reader/charset.h"
#include "reader/limits.h"
#include "reader/mime.h"
#include "reader/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
count(void *with, const char *bytes, size_t n)
{
	size_t *sum = with;

	(void)bytes;
	*sum += n;
	return 0;
}

static void
check_tree(struct mime *m, size_t bytes)
{
	for (size_t i = 0; i < mime_count(m); i++) {
		const struct mime_part *part = mime_part(m, i);
		size_t sum = 0;

		if (part->end <= i || part->end > mime_count(m))
			bug("a tree that is none");
		if (!utf8_check(part->name, strlen(part->name)))
			bug("a name that is not UTF-8");
		if (part->kind == MIME_MESSAGE)
			(void)mime_inner_header(part, "Subject");
		if (part->kind == MIME_MULTIPART)
			continue;
		(void)mime_content(m, part, count, &sum);
		if (part->kind == MIME_LEAF && sum > bytes)
			bug("content larger than the mail");
	}
}

static void
check_scan(const struct scan *s, size_t bytes)
{
	if (s->mail.n > bytes + (4u << 20) || s->parts_kept > s->parts ||
	    s->headers_kept > s->headers)
		bug("the bounds of the scan");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool warm;
	struct record notes;
	struct scan scan;
	struct clean c;
	struct mime *m;

	if (!warm) {
		charset_warm();
		mime_warm();
		if (auth_trust("mx.example") != 0)
			bug("a host that is none");
	}
	warm = true;
	record_init(&notes);
	clean_init(&c, "mail");
	scan_mail((struct span){(const char *)data, size}, &notes, &scan);
	check_scan(&scan, size);
	m = mime_new(scan.mail);
	check_tree(m, size);
	auth_read(m, &c);
	mime_free(m);
	scan_done(&scan);
	clean_done(&c);
	record_done(&notes);
	return 0;
}
