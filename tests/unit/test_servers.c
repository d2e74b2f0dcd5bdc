/*
 * Name servers: how they are written, and those of resolv.conf(5).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "executor/config.h"
#include "tests/unit/run_suite.h"

static const struct {
	const char *text, *is; /* NULL: none */
} servers[] = {
    {"192.0.2.53", "192.0.2.53:53"},
    {"192.0.2.53:5353", "192.0.2.53:5353"},
    {"2001:db8::53", "[2001:db8::53]:53"},
    {"[2001:db8::53]", "[2001:db8::53]:53"},
    {"[2001:db8::53]:65535", "[2001:db8::53]:65535"},
    {"", NULL},
    {"dns.example", NULL},
    {"192.0.2.53:", NULL},
    {"192.0.2.53:0", NULL},
    {"192.0.2.53:65536", NULL},
    {"192.0.2.53:053533", NULL},
    {"192.0.2.53:5 ", NULL},
    {"[192.0.2.53]:53", NULL},
    {"[2001:db8::53", NULL},
    {"[2001:db8::53]53", NULL},
    {"[]:53", NULL},
    {"fe80::1%eth0", NULL},
};

START_TEST(reads_servers)
{
	char text[CONFIG_SERVER_BYTES];
	struct config_server server;
	bool is = config_server_read(span_of(servers[_i].text), &server);

	ck_assert_int_eq(is, servers[_i].is != NULL);
	if (!is)
		return;
	config_server_format(&server, text);
	ck_assert_str_eq(text, servers[_i].is);
}
END_TEST

START_TEST(reads_resolv_conf)
{
	static const char text[] = "# nameserver 192.0.2.1\n"
				   "search example.com\n"
				   "nameserver 192.0.2.2\n"
				   "nameserver\t2001:db8::3 # here\n"
				   "nameserver fe80::1%eth0\n"
				   "nameserver  192.0.2.4";
	char path[] = "/tmp/servers-XXXXXX", is[CONFIG_SERVER_BYTES];
	struct config_server found[CONFIG_MAX_SERVERS];
	struct config config = {.server_count = 0};
	int fd = mkstemp(path);

	ck_assert_int_eq(
	    write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
	ck_assert_uint_eq(config_servers(&config, path, found), 3);
	config_server_format(&found[1], is);
	ck_assert_str_eq(is, "[2001:db8::3]:53");
	config.servers[config.server_count++] = found[2];
	ck_assert_uint_eq(config_servers(&config, path, found), 1);
	config_server_format(&found[0], is);
	ck_assert_str_eq(is, "192.0.2.4:53");
	close(fd);
	unlink(path);
	config.server_count = 0;
	ck_assert_uint_eq(config_servers(&config, path, found), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("servers");
	TCase *c = tcase_create("servers");

	tcase_add_loop_test(
	    c, reads_servers, 0, sizeof servers / sizeof servers[0]);
	tcase_add_test(c, reads_resolv_conf);
	suite_add_tcase(s, c);
	return run_suite(s);
}
