/*
 * The name servers in config.json that accounts' names are looked up with, or
 * those of resolv.conf(5). Runs in the parent, and in the broker on the text
 * the parent gave it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/config_impl.h"

#define PORT_DEFAULT 53
#define LINE_BYTES 1024

struct resolver_text {
	const struct json_node *servers;
};

/* 1 to 65535, all of it digits. */
static bool
read_port(struct span text, uint16_t *out)
{
	unsigned port = 0;

	if (text.n == 0 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text.p[i] - '0');
	}
	*out = (uint16_t)port;
	return port != 0 && port <= UINT16_MAX;
}

bool
config_server_read(struct span text, struct config_server *out)
{
	struct span host = text, port = {NULL, 0};
	const char *end;

	*out = (struct config_server){.port = PORT_DEFAULT};
	if (address_parse(text, &out->address))
		return true;
	if (text.n != 0 && text.p[0] == '[') {
		end = memchr(text.p, ']', text.n);
		if (end == NULL)
			return false;
		host = (struct span){text.p + 1, (size_t)(end - text.p) - 1};
		end++;
	} else {
		end = memchr(text.p, ':', text.n);
		if (end == NULL)
			return false;
		host.n = (size_t)(end - text.p);
	}
	port = (struct span){end, text.n - (size_t)(end - text.p)};
	if (port.n != 0 &&
	    (port.p[0] != ':' ||
		!read_port((struct span){port.p + 1, port.n - 1}, &out->port)))
		return false;
	return address_parse(host, &out->address) &&
	       (out->address.family == ADDRESS_6) == (text.p[0] == '[');
}

int
config_read_resolver(struct config *config, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	static const struct json_field fields[] = {
	    {"servers", JSON_WANT_ARRAY, true,
		offsetof(struct resolver_text, servers), 1, CONFIG_MAX_SERVERS},
	};
	struct resolver_text text = {0};
	const struct json_node *at;
	int rc;

	if (node == NULL)
		return 0;
	rc = json_read(doc, node, fields, 1, &text, where);
	if (rc != 0)
		return rc;
	for (at = json_first(doc, text.servers); at != NULL;
	     at = json_next(doc, text.servers, at)) {
		if (at->type != JSON_STRING ||
		    !config_server_read(at->value.string,
			&config->servers[config->server_count]))
			return json_complain(doc, at, where, ERR_RANGE,
			    "a server is an address, as \"192.0.2.53\", "
			    "\"192.0.2.53:5353\", \"2001:db8::53\" or "
			    "\"[2001:db8::53]:5353\"");
		config->server_count++;
	}
	return 0;
}

/* "nameserver ADDRESS", what is behind it is a comment. */
static bool
read_line(char *line, struct config_server *out)
{
	char *rest = line, *word = strsep(&rest, " \t");

	if (strcmp(word, "nameserver") != 0 || rest == NULL)
		return false;
	rest += strspn(rest, " \t");
	rest[strcspn(rest, " \t\r\n#;")] = '\0';
	*out = (struct config_server){.port = PORT_DEFAULT};
	return address_parse(span_of(rest), &out->address);
}

size_t
config_servers(const struct config *config, const char *path,
    struct config_server out[CONFIG_MAX_SERVERS])
{
	char line[LINE_BYTES];
	size_t count = 0;
	FILE *file;

	if (config->server_count != 0) {
		memcpy(out, config->servers, sizeof config->servers);
		return config->server_count;
	}
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (count < CONFIG_MAX_SERVERS &&
	       fgets(line, sizeof line, file) != NULL)
		count += read_line(line, &out[count]);
	(void)fclose(file);
	return count;
}

void
config_server_format(
    const struct config_server *server, char out[CONFIG_SERVER_BYTES])
{
	char address[ADDRESS_TEXT_BYTES];
	bool six = server->address.family == ADDRESS_6;

	address_format(&server->address, address);
	(void)snprintf(out, CONFIG_SERVER_BYTES, "%s%s%s:%u", six ? "[" : "",
	    address, six ? "]" : "", server->port);
}
