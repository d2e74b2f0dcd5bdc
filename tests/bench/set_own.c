/*
 * set_own load|back|one COUNT: elements of an account's sets, in a network
 * namespace that has its rules. load: COUNT into both sets; back: the same,
 * then read both back and compare; one: a single one, COUNT times, the samples.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/firewall/model.h"
#include "executor/firewall/set.h"
#include "tests/bench/bench.h"

#define ACCOUNT 4242
#define TRIES 50
#define ONE_BASE 0xb0000000u /* 176.0.0.0 */

/* The host of an element is as long as a usual one. */
static struct set_item
make(size_t i, uint32_t base)
{
	uint32_t address = htonl(base + (uint32_t)i);
	struct set_item item = {.address = {.family = ADDRESS_4},
	    .port = 443,
	    .protocol = MODEL_TCP,
	    .timeout_s = 3600};

	memcpy(item.address.bytes, &address, sizeof address);
	(void)snprintf(item.name, sizeof item.name, "api.example.com");
	return item;
}

static void
load(struct set *set, size_t count)
{
	static struct set_item items[SET_BATCH];

	for (size_t done = 0; done < count;) {
		size_t n = count - done < SET_BATCH ? count - done : SET_BATCH;
		int rc;

		for (size_t i = 0; i < n; i++)
			items[i] = make(done + i, 0x0a000000u);
		rc = set_load(set, ACCOUNT, items, n);
		if (rc != 0)
			errx(1, "set_load: %d", rc);
		done += n;
	}
}

struct seen {
	unsigned char *bits;
	size_t count, wanted;
};

static int
see(void *data, const struct set_item *item)
{
	struct seen *seen = data;
	uint32_t address;
	size_t i;

	memcpy(&address, item->address.bytes, sizeof address);
	i = ntohl(address) - 0x0a000000u;
	if (i >= seen->wanted || item->port != 443 ||
	    strcmp(item->name, "api.example.com") != 0)
		errx(1, "an element that is not ours");
	seen->count += (seen->bits[i / 8] & 1u << i % 8) == 0;
	seen->bits[i / 8] |= (unsigned char)(1u << i % 8);
	return 0;
}

/* Until all are seen: while the kernel makes its table larger some come twice
 * and others not at all, to nft as to us. */
static void
read_back(struct set *set, size_t count, bool known)
{
	struct seen seen = {.bits = calloc(count / 8 + 1, 1), .wanted = count};

	for (int tries = 0; seen.count != count; tries++) {
		int rc = set_list(set, ACCOUNT, known, see, &seen);

		if (rc != 0 || tries == TRIES)
			errx(1, "read back %zu of %zu: %d", seen.count, count,
			    rc);
	}
	free(seen.bits);
}

static void
one(struct set *set, size_t count)
{
	struct bench bench;

	bench_begin(&bench, count);
	for (size_t i = 0; i < count; i++) {
		/* each address twice: new, and once more */
		struct set_item item = make(i / 2, ONE_BASE);
		double begin = bench_now_us();
		int rc = set_add(set, ACCOUNT, &item, 1);

		if (rc != 0)
			errx(1, "set_add: %d", rc);
		bench_add(&bench, bench_now_us() - begin);
	}
	bench_end(&bench, count);
}

int
main(int argc, char **argv)
{
	char reason[256];
	struct set *set;
	size_t count;

	if (argc != 3)
		errx(64, "usage: set_own load|back|one COUNT");
	count = bench_count(argv[2]);
	set = set_open(FIREWALL_NFT, reason, sizeof reason);
	if (set == NULL)
		errx(1, "%s", reason);
	if (strcmp(argv[1], "one") == 0) {
		one(set, count);
	} else {
		load(set, count);
		if (strcmp(argv[1], "back") == 0) {
			read_back(set, count, false);
			read_back(set, count, true);
		}
	}
	set_close(set);
	return 0;
}
