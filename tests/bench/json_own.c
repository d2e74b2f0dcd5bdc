/*
 * The suite's JSON reader on one request, beside peer_jansson. Time is the
 * process's own.
 *
 *   json_own parse|message FILE COUNT
 *
 * parse is the JSON alone; message is all that is checked before a handler
 * runs: JSON, envelope, method, sender, size and shape.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "proto/message.h"
#include "tests/bench/bench.h"

int
main(int argc, char **argv)
{
	static struct json_doc doc;
	static char bytes[65536];
	struct message message;
	struct span text = {bytes, 0};
	size_t count;
	int whole, rc = 0;
	double begin;

	if (argc != 4)
		errx(64, "usage: json_own parse|message FILE COUNT");
	whole = strcmp(argv[1], "message") == 0;
	text.n = bench_load(argv[2], bytes, sizeof bytes);
	count = bench_count(argv[3]);
	json_init(&doc);
	begin = bench_cpu_us();
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = whole ? message_parse(text, SIDE_PLANNER, SIDE_EXECUTOR,
				 &doc, &message, NULL)
			   : json_parse(&doc, text, NULL, NULL);
	if (rc != 0)
		errx(1, "the request is refused: %d", rc);
	printf(
	    "{\"each_us\":%.4f}\n", (bench_cpu_us() - begin) / (double)count);
	json_done(&doc);
	return 0;
}
