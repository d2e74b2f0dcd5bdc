/*
 * Fuzz driver: what outbound rules let through has no novel link, no live
 * markup, and is what it stays when they see it again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/outbound.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_defanged(struct span text)
{
	struct buf out;
	struct span found;
	size_t at = 0;

	buf_init(&out, 8 * text.n + 64);
	must(outbound_defang(NULL, text, &out) == 0);
	must(out.len == 0 || utf8_check(out.data, out.len));
	must(!outbound_next((struct span){out.data, out.len}, &at, &found));
	buf_free(&out);
}

static void
check_plain(struct span text)
{
	struct buf out, again;

	buf_init(&out, 8 * text.n + 64);
	buf_init(&again, 16 * text.n + 64);
	must(outbound_plain(text, &out) == 0);
	must(out.len == 0 || utf8_check(out.data, out.len));
	for (size_t i = 0; i + 1 < out.len; i++)
		must(out.data[i] != ']' ||
		     (out.data[i + 1] != '(' && out.data[i + 1] != ':'));
	must(outbound_plain((struct span){out.data, out.len}, &again) == 0);
	must(out.len == again.len &&
	     (out.len == 0 || memcmp(out.data, again.data, out.len) == 0));
	check_defanged((struct span){out.data, out.len});
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	if (size == 0 || !utf8_check(text.p, text.n))
		return 0;
	check_defanged(text);
	check_plain(text);
	return 0;
}
