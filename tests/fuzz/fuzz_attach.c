/*
 * Any bytes as an attachment: the first says as what. Outlook containers and
 * uuencoded texts give views into what went in, base64 no more than fits.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "proto/clean.h"
#include "reader/limits.h"
#include "reader/sniff.h"
#include "reader/tnef.h"
#include "reader/transfer.h"
#include "reader/uu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span whole;

static void
check_inside(struct span part)
{
	if (part.n != 0 &&
	    (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		bug("a view of something else");
}

static void
take_file(void *with, struct span name, struct span label, struct span bytes)
{
	(void)with;
	(void)label;
	check_inside(name);
	check_inside(bytes);
}

static void
take_text(void *with, struct span text, struct span label)
{
	(void)with;
	(void)label;
	check_inside(text);
}

static void
take_rtf(void *with, struct span compressed)
{
	(void)with;
	check_inside(compressed);
}

static void
try_uu(void)
{
	struct uu_block block;
	struct buf out;
	size_t at = 0;
	bool broken = false;

	buf_init(&out, MAIL_TEXT_BYTES);
	while (uu_next(whole, at, &block, &out, &broken)) {
		check_inside(block.name);
		if (block.start < at || block.end <= block.start ||
		    block.end > whole.n)
			bug("a block outside of its text");
		at = block.end;
	}
	buf_free(&out);
}

static void
try_base64(void)
{
	struct base64_in state = {0};
	size_t room = whole.n / 4 * 3 + 3;
	char *out = alloc_bytes(room), end[2];

	if (base64_step(&state, whole.p, whole.n, out) > room)
		bug("more than fits");
	(void)base64_end(&state, end);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tnef_taker taker = {NULL, take_file, take_text, take_rtf};

	if (size == 0)
		return 0;
	whole = (struct span){(const char *)data + 1, size - 1};
	if (data[0] == 't')
		(void)tnef_read(whole, &taker);
	else if (data[0] == 'u')
		try_uu();
	else if (data[0] == 'b')
		try_base64();
	else if (!clean_type_valid(span_of(sniff_type(whole))))
		bug("a type that is none");
	return 0;
}
