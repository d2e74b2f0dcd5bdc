/*
 * What is announced of a machine: names, and the one form it may have. What
 * says it is the operator's side, but its words end up in the audit and in
 * `status`; so they are few, short and plain.
 */
#include "executor/machine.h"

#include <string.h>

#include "common/ascii.h"
#include "common/err.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Which isolation a provider can have; container: with gVisor or without; orb:
 * a machine that is not isolated is no wall. */
static const struct {
	const char *name;
	unsigned isolations;
} providers[PROVIDER_COUNT] = {
    [PROVIDER_ANY] = {"-", 0},
    [PROVIDER_PROCESS] = {"process", 1u << ISOLATION_PROCESS},
    [PROVIDER_CONTAINER] = {"container",
	1u << ISOLATION_CONTAINER | 1u << ISOLATION_GVISOR},
    [PROVIDER_ORB] = {"orb", 1u << ISOLATION_PROCESS | 1u << ISOLATION_ORB},
    [PROVIDER_MICROVM] = {"microvm", 1u << ISOLATION_MICROVM},
};

static const char *const isolations[ISOLATION_COUNT] = {
    [ISOLATION_ANY] = "-",
    [ISOLATION_PROCESS] = "process",
    [ISOLATION_CONTAINER] = "container",
    [ISOLATION_ORB] = "orb",
    [ISOLATION_GVISOR] = "gvisor",
    [ISOLATION_MICROVM] = "microvm",
};

const char *
provider_name(enum provider provider)
{
	return providers[provider].name;
}

enum provider
provider_find(struct span name)
{
	int i = PROVIDER_COUNT - 1;

	while (i > PROVIDER_ANY && !span_is(name, providers[i].name))
		i--;
	return (enum provider)i;
}

const char *
isolation_name(enum isolation isolation)
{
	return isolations[isolation];
}

enum isolation
isolation_find(struct span name)
{
	int i = ISOLATION_COUNT - 1;

	while (i > ISOLATION_ANY && !span_is(name, isolations[i]))
		i--;
	return (enum isolation)i;
}

struct machine_text {
	struct span provider, isolation, image;
	const struct json_node *devices, *namespaces;
	int64_t memory_mb, cpus, recycle_after, recycle_ms;
};

#define FIELD(member, want, required, least, most)                             \
	{                                                                      \
#member, want, required,                                       \
		    offsetof(struct machine_text, member), least, most         \
	}

static const struct json_field fields[] = {
    FIELD(provider, JSON_WANT_STRING, true, 1, 32),
    FIELD(isolation, JSON_WANT_STRING, true, 1, 32),
    FIELD(image, JSON_WANT_STRING, false, 0, 2 * SHA256_BYTES),
    FIELD(devices, JSON_WANT_ARRAY, false, 0, MACHINE_NAMES_MAX),
    FIELD(namespaces, JSON_WANT_ARRAY, false, 0, MACHINE_NAMES_MAX),
    FIELD(memory_mb, JSON_WANT_INTEGER, false, 0, MACHINE_MEMORY_MAX_MB),
    FIELD(cpus, JSON_WANT_INTEGER, false, 0, MACHINE_CPUS_MAX),
    FIELD(recycle_after, JSON_WANT_INTEGER, false, 0, MACHINE_RECYCLE_MAX),
    FIELD(recycle_ms, JSON_WANT_INTEGER, false, 0,
	(int64_t)MACHINE_RECYCLE_MAX_MINUTES * 60000),
};

/* Letters, digits and what names of devices have besides. */
static bool
is_plain(struct span name)
{
	static const char marks[] = "._-+:,/=";

	if (name.n == 0 || name.n > MACHINE_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alpha(name.p[i]) && !is_digit(name.p[i]) &&
		    memchr(marks, name.p[i], sizeof marks - 1) == NULL)
			return false;
	return true;
}

static int
check_names(const struct json_doc *doc, const struct json_node *list,
    struct json_error *where)
{
	const struct json_node *node;

	for (node = list == NULL ? NULL : json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node))
		if (!is_plain(json_span(node)))
			return json_complain(doc, node, where, ERR_RANGE,
			    "a name of at most %d letters, digits and "
			    "._-+:,/=",
			    MACHINE_NAME_MAX_BYTES);
	return 0;
}

static int
take_text(const struct json_doc *doc, const struct json_node *node,
    const struct machine_text *text, struct machine *out,
    struct json_error *where)
{
	out->provider = provider_find(text->provider);
	out->isolation = isolation_find(text->isolation);
	if (out->provider == PROVIDER_ANY)
		return json_complain(doc, json_get(doc, node, "provider"),
		    where, ERR_RANGE,
		    "a provider is process, container, orb or microvm");
	if ((providers[out->provider].isolations & 1u << out->isolation) == 0)
		return json_complain(doc, json_get(doc, node, "isolation"),
		    where, ERR_RANGE, "the provider %s does not isolate so",
		    provider_name(out->provider));
	if (text->image.n != 0 &&
	    (text->image.n != 2 * SHA256_BYTES ||
		hex_length(text->image.p, text->image.n) != text->image.n))
		return json_complain(doc, json_get(doc, node, "image"), where,
		    ERR_RANGE, "an image is 64 digits of its SHA-256, or \"\"");
	return span_copy(text->image, out->image, sizeof out->image);
}

int
machine_read(const struct json_doc *doc, const struct json_node *node,
    struct machine *out, struct json_error *where)
{
	struct machine_text text = {0};
	int rc = json_read(doc, node, fields, COUNT(fields), &text, where);

	memset(out, 0, sizeof *out);
	if (rc == 0)
		rc = take_text(doc, node, &text, out, where);
	if (rc == 0)
		rc = check_names(doc, text.devices, where);
	if (rc == 0)
		rc = check_names(doc, text.namespaces, where);
	out->devices = text.devices;
	out->namespaces = text.namespaces;
	out->memory_mb = (uint32_t)text.memory_mb;
	out->cpus = (uint32_t)text.cpus;
	out->recycle_after = (uint32_t)text.recycle_after;
	out->recycle_ms = text.recycle_ms;
	return rc;
}

static void
put_names(struct json_writer *w, const char *key, const struct json_doc *doc,
    const struct json_node *list)
{
	const struct json_node *node;

	if (list == NULL)
		return;
	json_key(w, key);
	json_open(w, '[');
	for (node = json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node))
		json_string(w, json_span(node));
	json_close(w, ']');
}

void
machine_put(struct json_writer *w, const struct json_doc *doc,
    const struct machine *machine)
{
	json_put_text(w, "provider", provider_name(machine->provider));
	json_put_text(w, "isolation", isolation_name(machine->isolation));
	json_put_text(w, "image", machine->image);
	json_put_integer(w, "memory_mb", machine->memory_mb);
	json_put_integer(w, "cpus", machine->cpus);
	json_put_integer(w, "recycle_after", machine->recycle_after);
	json_put_integer(w, "recycle_ms", machine->recycle_ms);
	if (doc == NULL)
		return;
	put_names(w, "devices", doc, machine->devices);
	put_names(w, "namespaces", doc, machine->namespaces);
}
