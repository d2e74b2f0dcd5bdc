/*
 * Arguments of the kinds without a courier: what no policy can admit. Runs in
 * the broker, in couriers once there are some, and in the operator's commands.
 * Believes the settings, and nothing of the arguments. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "common/ascii.h"
#include "common/err.h"
#include "executor/kind_remote_impl.h"
#include "executor/schema.h"

#define HTTPS_PORT 443
#define HOST_BYTES 253

static int
say(char *detail, size_t room, int error, const char *reason)
{
	snprintf(detail, room, "%s", reason);
	return error;
}

/* Whether a name of a URL's query is one that servers take a secret under. */
static bool
is_secret_name(struct span name)
{
	static const char *const parts[] = {"token", "secret", "passw", "auth",
	    "credential", "apikey", "api_key", "api-key", "signature"};
	static const char *const whole[] = {"key", "sig", "pwd", "code", "jwt"};
	char text[64];

	if (name.n >= sizeof text || memchr(name.p, '%', name.n) != NULL)
		return true; /* nobody can say what it is */
	for (size_t i = 0; i < name.n; i++)
		text[i] = ascii_lower(name.p[i]);
	text[name.n] = '\0';
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strstr(text, parts[i]) != NULL)
			return true;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		if (strcmp(text, whole[i]) == 0)
			return true;
	return false;
}

static int
check_query(struct span query, char *detail, size_t room)
{
	while (query.n != 0) {
		size_t n = 0, equals;

		while (n < query.n && query.p[n] != '&' && query.p[n] != ';')
			n++;
		for (equals = 0; equals < n && query.p[equals] != '=';)
			equals++;
		if (is_secret_name((struct span){query.p, equals}))
			return say(detail, room, -ERR_SCHEMA,
			    "url has a name in its query that is for a "
			    "credential, which is never an argument");
		n += n < query.n;
		query = (struct span){query.p + n, query.n - n};
	}
	return 0;
}

/* Whether a step at `path` may be: no empty part, none that begins with a dot,
 * no escape but of a blank. */
static bool
is_plain_step(struct span path)
{
	if (path.p[0] == '/')
		return path.n == 1 || (path.p[1] != '/' && path.p[1] != '.');
	return path.p[0] != '%' || span_starts(path, "%20");
}

/* No way up and no spelling that a server may read as one. */
static int
check_path(struct span path, const char *prefix, char *detail, size_t room)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < path.n; i++)
		if (!is_plain_step((struct span){path.p + i, path.n - i}))
			return say(detail, room, -ERR_PATH,
			    "the path of url has //, a part that begins with "
			    "a dot, or an escape other than %20");
	if (!span_starts(path, prefix) ||
	    (prefix[n - 1] != '/' && path.n > n && path.p[n] != '/'))
		return say(detail, room, -ERR_PATH,
		    "url does not lie below the path of this capability");
	return 0;
}

/* https, the host and port of the settings, and its path below the prefix;
 * the base schema has seen to its characters. */
static int
check_url(const struct remote_settings *settings, struct span url, char *detail,
    size_t room)
{
	const struct remote_value *prefix = remote_value_of(settings, "path");
	int64_t port = remote_value_of(settings, "port")->number;
	const char *host = remote_value_of(settings, "host")->text;
	char origin[HOST_BYTES + 20];
	size_t n, end;
	int rc;

	if (port == HTTPS_PORT)
		snprintf(origin, sizeof origin, "https://%s/", host);
	else
		snprintf(origin, sizeof origin, "https://%s:%lld/", host,
		    (long long)port);
	n = strlen(origin) - 1;
	if (!span_starts(url, origin))
		return say(detail, room, -ERR_SCHEMA,
		    "url is not of the host and port of this capability");
	for (end = n; end < url.n && url.p[end] != '?';)
		end++;
	rc = check_path((struct span){url.p + n, end - n},
	    prefix->text == NULL ? "/" : prefix->text, detail, room);
	if (rc != 0 || end == url.n)
		return rc;
	return check_query(
	    (struct span){url.p + end + 1, url.n - end - 1}, detail, room);
}

static bool
has_line(const struct remote_value *value, struct span text)
{
	for (size_t i = 0; i < value->count; i++)
		if (span_is(text, value->lines[i]))
			return true;
	return false;
}

/* An option can make a program start another: only those that are listed, with
 * any value behind an equals sign. */
static int
check_argv(const struct remote_settings *settings, const struct json_doc *doc,
    const struct json_node *list, char *detail, size_t room)
{
	const struct remote_value *options =
	    remote_value_of(settings, "options");
	const struct json_node *at;

	for (at = json_first(doc, list); at != NULL;
	     at = json_next(doc, list, at)) {
		struct span text = at->value.string;
		const char *equals =
		    text.n == 0 ? NULL : memchr(text.p, '=', text.n);

		if (text.n == 0 || text.p[0] != '-' || has_line(options, text))
			continue;
		if (equals != NULL)
			text.n = (size_t)(equals - text.p);
		if (equals == NULL || !has_line(options, text))
			return say(detail, room, -ERR_SCHEMA,
			    "argv has an option that the settings do not "
			    "list");
	}
	return 0;
}

static size_t
count_of(const struct json_doc *doc, const struct json_node *arguments,
    const char *key)
{
	const struct json_node *list = json_get(doc, arguments, key);

	return list == NULL ? 0 : list->count;
}

/* What a schema cannot say: it depends on the settings. */
static int
check_settings(const struct remote_settings *settings,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t room)
{
	const struct json_node *url = json_get(doc, arguments, "url");
	const struct json_node *argv = json_get(doc, arguments, "argv");
	const struct json_node *to = json_get(doc, arguments, "to");
	const struct json_node *tokens = json_get(doc, arguments, "max_tokens");
	const struct remote_value *most =
	    remote_value_of(settings, "max_recipients");
	const struct remote_value *folders = remote_value_of(settings, "to");
	const struct remote_value *ceiling =
	    remote_value_of(settings, "max_tokens");

	if (url != NULL)
		return check_url(settings, url->value.string, detail, room);
	if (argv != NULL)
		return check_argv(settings, doc, argv, detail, room);
	if (most != NULL &&
	    to->count + count_of(doc, arguments, "cc") > (size_t)most->number)
		return say(detail, room, -ERR_SCHEMA,
		    "more recipients than this capability writes to");
	if (folders != NULL && !has_line(folders, to->value.string))
		return say(detail, room, -ERR_SCHEMA,
		    "to is none of the folders of this capability");
	if (ceiling != NULL && tokens != NULL &&
	    tokens->value.integer > ceiling->number)
		return say(detail, room, -ERR_SCHEMA,
		    "max_tokens is more than this capability asks for");
	return 0;
}

int
kind_remote_check(const void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room)
{
	const struct remote_settings *settings = untyped;
	int rc =
	    schema_check(settings->base, doc, arguments, detail, detail_room);

	(void)method;
	if (rc != 0)
		return rc == -ERR_LIMIT ? -ERR_SCHEMA : rc;
	return check_settings(settings, doc, arguments, detail, detail_room);
}
