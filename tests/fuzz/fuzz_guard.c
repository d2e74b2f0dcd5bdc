/*
 * A question to the DNS guard, and the answer. The first byte chooses how many
 * addresses are answered, and by UDP or TCP. The answer is as long as its
 * sender takes, repeats what was asked byte for byte, and is no question.
 */
#include <stdint.h>
#include <string.h>

#include "executor/firewall/guard_message.h"
#include "executor/firewall/link.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
name_holds(const struct guard_query *query)
{
	size_t length = strlen(query->name);

	must(length < sizeof query->name);
	for (size_t i = 0; i < length; i++) {
		must(query->name[i] > 0x20 && query->name[i] < 0x7f);
		must(query->name[i] < 'A' || query->name[i] > 'Z');
		must(query->name[i] != '?' || query->odd);
	}
}

static void
answer_holds(const struct guard_query *query, size_t count, bool tcp)
{
	struct address addresses[LINK_ADDRESSES_MAX] = {0};
	struct guard_answer answer = {.ttl_s = 60, .addresses = addresses};
	unsigned char *out = malloc(GUARD_UDP_BYTES);
	struct guard_query back;
	size_t length;

	answer.count = count;
	for (size_t i = 0; i < count; i++)
		addresses[i].family =
		    query->type == GUARD_A ? ADDRESS_4 : ADDRESS_6;
	length = guard_write(query, &answer, tcp, out);
	must(length >= 12 && length <= GUARD_UDP_BYTES);
	must(tcp || length <= 512 || (query->edns && length <= query->room));
	must(out[0] == query->id >> 8 && out[1] == (query->id & 0xff));
	must((out[2] & 0x80) != 0);
	must(memcmp(out + 12, query->question, query->question_bytes) == 0);
	must(guard_parse(out, length, &back) == -1);
	must((out[2] & 2) != 0 || out[7] == count);
	must(!tcp || (out[2] & 2) == 0);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_query query;
	size_t count;
	int code;

	if (size == 0 || size > GUARD_QUERY_BYTES + 1)
		return 0;
	code = guard_parse(data + 1, size - 1, &query);
	if (code < 0)
		return 0;
	name_holds(&query);
	must(query.question_bytes <= sizeof query.question);
	must(code != GUARD_NOERROR || query.question_bytes >= 5);
	count = code == GUARD_NOERROR ? data[0] & 31 : 0;
	answer_holds(&query, count, (data[0] & 0x80) != 0);
	return 0;
}
