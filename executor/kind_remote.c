/*
 * Settings of the kinds without a courier: reading them and saying what they
 * mean. Runs in the broker and in the operator's commands. Believes the
 * operator's intent, not his typing. What each method has is data, in
 * kind_remote_table.c.
 */
#include "executor/kind_remote_impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/beneath.h"
#include "executor/name.h"
#include "executor/policy_impl.h"
#include "executor/schema.h"

static const struct remote_method *
row_of(const struct kind_method *method)
{
	for (size_t i = 0; i < remote_method_count; i++)
		if (remote_methods[i].method == method)
			return &remote_methods[i];
	bug("method %s has no row", method->name);
}

const struct remote_value *
remote_value_of(const struct remote_settings *settings, const char *key)
{
	const struct remote_setting *s = settings->row->settings;

	for (size_t i = 0; s[i].key != NULL; i++)
		if (strcmp(s[i].key, key) == 0)
			return &settings->values[i];
	return NULL;
}

static int
complain(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, const char *reason,
    struct json_error *where)
{
	return json_complain(
	    doc, node, where, ERR_CONFIG, "\"%s\" %s", s->key, reason);
}

static bool
is_host(struct span text)
{
	char form[VALUE_BYTES];
	size_t n = value_canonical(VALUE_URL, text, form);

	return n == text.n && memcmp(form, text.p, n) == 0 &&
	       memchr(text.p, '/', text.n) == NULL &&
	       memchr(text.p, ':', text.n) == NULL;
}

/* What makes a program of one of its arguments, or starts another one: then
 * a list of arguments would be a text for a shell all the same. */
static bool
is_launcher(const char *path)
{
	static const char *const names[] = {"sh", "bash", "dash", "zsh", "ksh",
	    "mksh", "fish", "csh", "tcsh", "ash", "busybox", "toybox", "env",
	    "xargs", "find", "time", "timeout", "nice", "nohup", "setsid",
	    "stdbuf", "sudo", "su", "doas", "ssh", "awk", "gawk", "mawk",
	    "perl", "python", "python3", "ruby", "node", "osascript", "eval"};
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int
read_path(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, struct remote_value *value,
    struct json_error *where)
{
	char reason[80];

	if (beneath_check_absolute(node->value.string, reason, sizeof reason) !=
	    0)
		return complain(doc, node, s, reason, where);
	value->text = alloc_text(node->value.string.p, node->value.string.n);
	if (s->type == SETTING_PROGRAM && is_launcher(value->text))
		return complain(doc, node, s,
		    "starts what its arguments say: name the program itself, "
		    "or use the kind code",
		    where);
	return 0;
}

static int
read_line(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, char **out, struct json_error *where)
{
	int rc = line_require(doc, node, s->key, where);

	if (rc == 0 && node->value.string.n > (size_t)s->most)
		rc = complain(doc, node, s, "is too long", where);
	if (rc == 0)
		*out = alloc_text(node->value.string.p, node->value.string.n);
	return rc;
}

static int
read_lines(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, struct remote_value *value,
    struct json_error *where)
{
	const struct json_node *at;
	int rc = 0;

	if (node->type != JSON_ARRAY || node->count == 0 ||
	    node->count > REMOTE_LIST_MAX)
		return complain(
		    doc, node, s, "has to be a list of 1 to 64 lines", where);
	value->lines = alloc_array(node->count, sizeof *value->lines);
	for (at = json_first(doc, node); at != NULL && rc == 0;
	     at = json_next(doc, node, at)) {
		rc = read_line(doc, at, s, &value->lines[value->count], where);
		if (rc == 0)
			value->count++;
	}
	return rc;
}

/* Of those the method has; none that it has not, and all that no operator can
 * know better about. */
static int
read_effects(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, struct remote_settings *settings,
    struct json_error *where)
{
	unsigned all = settings->row->method->effects.effects, effects = 0;
	int rc;

	if (node->type != JSON_ARRAY)
		return complain(
		    doc, node, s, "has to be a list of effects", where);
	rc = policy_bits_read(doc, node, POLICY_EFFECTS, &effects, where);
	if (rc != 0)
		return rc;
	if ((effects & ~all) != 0 || ((unsigned)s->least & ~effects) != 0)
		return complain(doc, node, s,
		    "has an effect that the method has not, or leaves one out "
		    "that it always has",
		    where);
	settings->effects.effects = effects;
	return 0;
}

static int
read_text(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, struct remote_value *value,
    struct json_error *where)
{
	struct span text;
	char form[VALUE_BYTES];

	if (node->type != JSON_STRING)
		return complain(doc, node, s, "has to be a string", where);
	text = node->value.string;
	if (text.n < (size_t)s->least || text.n > (size_t)s->most)
		return complain(doc, node, s, "is too long or empty", where);
	if (s->type == SETTING_HOST && !is_host(text))
		return complain(doc, node, s,
		    "has to be a host name in lower case, without scheme, "
		    "port or path",
		    where);
	if (s->type == SETTING_CREDENTIAL && !name_check(text))
		return complain(doc, node, s,
		    "is the name of a secret (a-z 0-9 _ . -), never the "
		    "secret itself",
		    where);
	if (s->type == SETTING_ADDRESS &&
	    value_canonical(VALUE_ADDRESS, text, form) == 0)
		return complain(doc, node, s, "has to be an address", where);
	if (s->type == SETTING_PREFIX && text.p[0] != '/')
		return complain(doc, node, s, "begins with a slash", where);
	value->text = alloc_text(text.p, text.n);
	return 0;
}

static int
read_setting(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *s, struct remote_value *value,
    struct remote_settings *settings, struct json_error *where)
{
	switch (s->type) {
	case SETTING_NUMBER:
		value->number =
		    node->type == JSON_INTEGER ? node->value.integer : 0;
		if (node->type == JSON_INTEGER && value->number >= s->least &&
		    value->number <= s->most)
			return 0;
		return json_complain(doc, node, where, ERR_RANGE,
		    "\"%s\" has to be a number from %lld to %lld", s->key,
		    (long long)s->least, (long long)s->most);
	case SETTING_LINE:
		return read_line(doc, node, s, &value->text, where);
	case SETTING_LINES:
		return read_lines(doc, node, s, value, where);
	case SETTING_EFFECTS:
		return read_effects(doc, node, s, settings, where);
	case SETTING_PROGRAM:
	case SETTING_FOLDER:
		if (node->type != JSON_STRING)
			return complain(
			    doc, node, s, "has to be a string", where);
		return read_path(doc, node, s, value, where);
	default:
		return read_text(doc, node, s, value, where);
	}
}

static int
refuse_unknown(const struct json_doc *doc, const struct json_node *node,
    const struct remote_setting *known, struct json_error *where)
{
	const struct json_node *key;

	for (key = json_first(doc, node); key != NULL;
	     key = json_next(doc, node, key)) {
		size_t i = 0;

		while (
		    known[i].key != NULL && !json_is_string(key, known[i].key))
			i++;
		if (known[i].key == NULL)
			return json_complain(doc, key, where, ERR_UNKNOWN_KEY,
			    "\"%.*s\"", (int)key->value.string.n,
			    key->value.string.p);
	}
	return 0;
}

static int
read_settings(const struct json_doc *doc, const struct json_node *node,
    struct remote_settings *settings, struct json_error *where)
{
	const struct remote_setting *s = settings->row->settings;
	int rc = refuse_unknown(doc, node, s, where);

	for (size_t i = 0; s[i].key != NULL && rc == 0; i++) {
		const struct json_node *value = json_get(doc, node, s[i].key);

		settings->values[i].number = s[i].otherwise;
		if (value != NULL)
			rc = read_setting(doc, value, &s[i],
			    &settings->values[i], settings, where);
		else if (s[i].required)
			rc = json_complain(doc, node, where, ERR_MISSING_KEY,
			    "\"%s\"", s[i].key);
	}
	return rc;
}

int
kind_remote_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where)
{
	struct remote_settings *settings = alloc_bytes(sizeof *settings);
	int rc;

	settings->row = row_of(method);
	settings->effects = method->effects;
	rc = read_settings(doc, node, settings, where);
	if (rc != 0) {
		kind_remote_settings_free(settings);
		return rc;
	}
	settings->base = kind_schema(method);
	*settings_out = settings;
	return 0;
}

void
kind_remote_settings_free(void *untyped)
{
	struct remote_settings *settings = untyped;

	if (settings == NULL)
		return;
	for (size_t i = 0; i < REMOTE_SETTINGS_MAX; i++) {
		struct remote_value *value = &settings->values[i];

		for (size_t line = 0; line < value->count; line++)
			free(value->lines[line]);
		free(value->lines);
		free(value->text);
	}
	schema_free(settings->base);
	free(settings);
}

const struct kind_effects *
kind_remote_effects(const void *untyped)
{
	const struct remote_settings *settings = untyped;

	return &settings->effects;
}

/* A server, or a program. */
void
kind_remote_target(const void *untyped, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out)
{
	const struct remote_value *host = remote_value_of(untyped, "host");
	const struct remote_value *port = remote_value_of(untyped, "port");
	const struct remote_value *program =
	    remote_value_of(untyped, "program");

	(void)method;
	(void)doc;
	(void)arguments;
	if (host != NULL && port != NULL)
		buf_add_format(
		    out, "%s:%lld", host->text, (long long)port->number);
	else if (program != NULL)
		buf_add_text(out, program->text);
}

const char *
kind_remote_credential(const void *untyped)
{
	const struct remote_value *value =
	    remote_value_of(untyped, "credential");

	return value == NULL ? NULL : value->text;
}

size_t
kind_remote_content_max(const void *untyped, const struct kind_method *method)
{
	const struct remote_value *value =
	    remote_value_of(untyped, "max_bytes");

	(void)method;
	return value == NULL ? 0 : (size_t)value->number;
}

static void
print_value(const struct remote_setting *s, const struct remote_value *value,
    struct buf *out)
{
	if (s->type == SETTING_NUMBER) {
		buf_add_format(
		    out, "; %s %lld", s->key, (long long)value->number);
	} else if (value->text != NULL) {
		buf_add_format(out, "; %s %s", s->key, value->text);
	} else if (value->count != 0) {
		buf_add_format(out, "; %s", s->key);
		for (size_t i = 0; i < value->count; i++)
			buf_add_format(out, "%s \"%s\"", i == 0 ? "" : ",",
			    value->lines[i]);
	}
}

void
kind_remote_settings_print(
    const void *untyped, const struct kind_method *method, struct buf *out)
{
	const struct remote_settings *settings = untyped;
	const struct remote_setting *s = settings->row->settings;

	buf_add_text(out, settings->row->does);
	for (size_t i = 0; s[i].key != NULL; i++)
		print_value(&s[i], &settings->values[i], out);
	if (settings->effects.effects != method->effects.effects)
		buf_add_text(out, "; the operator says that it does less than "
				  "its kind can");
	buf_add_text(out, ".");
}
