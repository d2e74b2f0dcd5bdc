/*
 * jansson on one request, as json_own reads it: UTF-8 is checked, a key that
 * comes twice is refused.
 *
 *   peer_jansson parse|dump FILE COUNT
 *
 * dump writes it again as well, which a broker on jansson would do.
 */
#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

static void
read_once(const char *text, size_t bytes, int dump)
{
	json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);

	if (root == NULL)
		errx(1, "the request is refused");
	if (dump)
		free(json_dumps(root, JSON_COMPACT));
	json_decref(root);
}

int
main(int argc, char **argv)
{
	static char text[65536];
	size_t bytes, count;
	double begin;
	int dump;

	if (argc != 4)
		errx(64, "usage: peer_jansson parse|dump FILE COUNT");
	dump = strcmp(argv[1], "dump") == 0;
	bytes = bench_load(argv[2], text, sizeof text);
	count = bench_count(argv[3]);
	begin = bench_cpu_us();
	for (size_t i = 0; i < count; i++)
		read_once(text, bytes, dump);
	printf(
	    "{\"each_us\":%.4f}\n", (bench_cpu_us() - begin) / (double)count);
	return 0;
}
