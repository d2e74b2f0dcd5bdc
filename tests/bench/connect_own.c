/*
 * What connect() costs, and the rules of accounts to measure it under.
 *
 *   connect_own serve ADDRESS PORT          accept and close, until killed
 *   connect_own connect ADDRESS PORT COUNT  connect and reset, one at a time
 *   connect_own nft ACCOUNTS UID ADDRESS PORT ADDRESSES
 *       rules of so many accounts, the first of which has UID, reaches ADDRESS
 *       at PORT, and so many addresses more
 *   connect_own ip 4|6 ACCOUNTS UID ADDRESS PORT ADDRESSES
 *       the routing that belongs to them, for `ip -batch -`
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/firewall/model.h"
#include "executor/firewall/text.h"
#include "tests/bench/bench.h"

static struct sockaddr_in
place(char *const argv[])
{
	struct sockaddr_in out = {.sin_family = AF_INET};

	out.sin_port = htons((uint16_t)bench_count(argv[1]));
	if (inet_pton(AF_INET, argv[0], &out.sin_addr) != 1)
		errx(1, "%s is no address", argv[0]);
	return out;
}

static void
serve(char *const argv[])
{
	struct sockaddr_in here = place(argv);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0 ||
	    listen(fd, 128) != 0)
		err(1, "listen");
	puts("ready");
	(void)fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		char byte;

		/* until it has gone, as the next connect() would wait */
		if (peer >= 0 && read(peer, &byte, 1) < 0)
			byte = 0;
		(void)close(peer);
	}
}

static void
connect_often(char *const argv[])
{
	const struct linger reset = {1, 0};
	struct sockaddr_in there = place(argv);
	size_t count = bench_count(argv[2]);
	struct bench bench;

	bench_begin(&bench, count);
	for (size_t i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		double began = bench_now_us();

		if (connect(fd, (struct sockaddr *)&there, sizeof there) != 0)
			err(1, "connect");
		bench_add(&bench, bench_now_us() - began);
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		(void)close(fd);
	}
	bench_end(&bench, count);
}

static void
add_host(struct model_account *account, const char *address, unsigned port)
{
	struct model_host *host = &account->hosts[account->host_count++];

	(void)snprintf(host->name, sizeof host->name, "%s", address);
	if (!address_parse(span_of(address), &host->address))
		errx(1, "%s is no address", address);
	host->port = (uint16_t)port;
	host->protocol = MODEL_TCP;
}

static void
make_model(char *const argv[], struct model *out)
{
	size_t addresses = strtoul(argv[4], NULL, 10);
	uid_t uid = (uid_t)bench_count(argv[1]);

	out->count = bench_count(argv[0]);
	if (out->count > MODEL_ACCOUNTS_MAX || addresses > MODEL_HOSTS_MAX - 1)
		errx(1, "at most %u accounts and %u addresses",
		    MODEL_ACCOUNTS_MAX, MODEL_HOSTS_MAX - 1);
	for (size_t i = 0; i < out->count; i++) {
		struct model_account *account = &out->accounts[i];

		(void)snprintf(
		    account->name, sizeof account->name, "account%zu", i);
		account->uid = uid + (uid_t)i;
		account->guard_port = (uint16_t)(MODEL_GUARD_PORT + i);
		account->hosts = calloc(addresses + 1, sizeof *account->hosts);
		if (account->hosts == NULL)
			err(1, "calloc");
		add_host(account, argv[2], (unsigned)bench_count(argv[3]));
		for (size_t n = 0; n < addresses; n++) {
			char text[ADDRESS_TEXT_BYTES];

			(void)snprintf(text, sizeof text, "11.20.%zu.%zu",
			    n / 250, n % 250);
			add_host(account, text, 443);
		}
	}
}

int
main(int argc, char **argv)
{
	static struct model model;
	struct buf out;

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(argv + 2);
	if (argc == 5 && strcmp(argv[1], "connect") == 0) {
		connect_often(argv + 2);
		return 0;
	}
	buf_init(&out, TEXT_MAX_BYTES);
	if (argc == 7 && strcmp(argv[1], "nft") == 0) {
		make_model(argv + 2, &model);
		text_nft(&model, &out);
	} else if (argc == 8 && strcmp(argv[1], "ip") == 0) {
		make_model(argv + 3, &model);
		text_routes(argv[2][0] == '6' ? ADDRESS_6 : ADDRESS_4, &out);
		text_routing_rules(&model, &out);
	} else {
		errx(64, "see the first lines of connect_own.c");
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	return 0;
}
