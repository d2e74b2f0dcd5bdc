/*
 * Fuzz driver: any text as the inputs of a decision, which is read from a store
 * and as the limits and values of a ticket. What is read and written again is
 * read as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "executor/inputs.h"

#define TEXT_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_again(const struct inputs *one, const struct buf *text)
{
	static struct inputs two;
	struct json_doc doc;
	struct buf out;

	json_init(&doc);
	buf_init(&out, TEXT_BYTES);
	must(inputs_parse(&doc, (struct span){text->data, text->len}, &two) ==
	     0);
	must(two.request.value_count == one->request.value_count &&
	     two.used_count == one->used_count && two.rule.n == one->rule.n);
	must(inputs_write(&two, &out) == 0);
	must(
	    out.len == text->len && memcmp(out.data, text->data, out.len) == 0);
	buf_free(&out);
	json_done(&doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct inputs inputs;
	struct json_doc doc;
	struct buf out;

	json_init(&doc);
	buf_init(&out, TEXT_BYTES);
	if (inputs_parse(
		&doc, (struct span){(const char *)data, size}, &inputs) == 0 &&
	    inputs_write(&inputs, &out) == 0)
		check_again(&inputs, &out);
	buf_free(&out);
	json_done(&doc);
	return 0;
}
