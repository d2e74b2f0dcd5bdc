/*
 * Lines in /etc/hosts. Not tried on a Mac.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/firewall_impl.h"
#include "executor/hosts_file.h"

#define HOSTS_FILE "/private/etc/hosts"
#define MARK_BYTES 80
#define LINES_BYTES (1u << 19)
#define SAID_BYTES 1024

struct lines {
	char begin[MARK_BYTES], end[MARK_BYTES];
	struct span text; /* with the marks; empty: take them out */
};

static void
make_marks(const char *name, struct lines *out)
{
	(void)snprintf(
	    out->begin, sizeof out->begin, "# trizone %s: begin", name);
	(void)snprintf(out->end, sizeof out->end, "# trizone %s: end", name);
}

static int
edit(void *data, struct span old, struct buf *out)
{
	const struct lines *lines = data;
	int rc = firewall_without(old, lines->begin, lines->end, out);

	(void)buf_add(out, lines->text.p, lines->text.n);
	return rc;
}

static int
write_lines(struct lines *lines, char *reason, size_t room)
{
	struct buf said;
	int rc;

	buf_init(&said, SAID_BYTES);
	rc = firewall_edit("", HOSTS_FILE, edit, lines, &said, reason, room);
	if (rc == 0 && said.len != 0)
		fwrite(said.data, 1, said.len, stdout);
	buf_free(&said);
	return rc;
}

static bool
address_of(const struct addrinfo *at, struct address *out)
{
	*out = (struct address){.family = ADDRESS_NONE};
	if (at->ai_family == AF_INET) {
		const struct sockaddr_in *sa = (const void *)at->ai_addr;

		out->family = ADDRESS_4;
		memcpy(out->bytes, &sa->sin_addr, 4);
	} else if (at->ai_family == AF_INET6) {
		const struct sockaddr_in6 *sa = (const void *)at->ai_addr;

		out->family = ADDRESS_6;
		memcpy(out->bytes, &sa->sin6_addr, 16);
	}
	return out->family != ADDRESS_NONE;
}

/* Addresses that its rules would refuse do not stand there either. */
static void
put_name(const struct model_account *account, const char *name, struct buf *out)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL;
	char text[ADDRESS_TEXT_BYTES];
	struct address a;

	if (getaddrinfo(name, NULL, &hints, &all) != 0)
		fprintf(stderr, "warning: %s cannot be looked up\n", name);
	for (const struct addrinfo *at = all; at != NULL; at = at->ai_next) {
		if (!address_of(at, &a) || model_refuses(account, &a) != NULL)
			continue;
		address_format(&a, text);
		buf_add_format(out, "%s %s\n", text, name);
	}
	if (all != NULL)
		freeaddrinfo(all);
}

int
hosts_file_put(
    const struct model *model, const char *name, char *reason, size_t room)
{
	struct lines lines = {.text = {NULL, 0}};
	struct model_account *account = model_find(model, span_of(name));
	struct buf text;
	int rc;

	fputs("warning: these addresses hold for every user of this machine, "
	      "and nobody follows their changes; --remove takes them out\n",
	    stderr);
	make_marks(name, &lines);
	buf_init(&text, LINES_BYTES);
	buf_add_format(&text, "%s\n", lines.begin);
	for (size_t i = 0; account != NULL && i < account->host_count; i++)
		if (account->hosts[i].address.family == ADDRESS_NONE)
			put_name(account, account->hosts[i].name, &text);
	buf_add_format(&text, "%s\n", lines.end);
	lines.text = (struct span){text.data, text.len};
	rc = write_lines(&lines, reason, room);
	buf_free(&text);
	return rc;
}

int
hosts_file_take(const char *name, char *reason, size_t room)
{
	struct lines lines = {.text = {NULL, 0}};

	make_marks(name, &lines);
	return write_lines(&lines, reason, room);
}
