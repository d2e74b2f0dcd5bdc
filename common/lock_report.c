/*
 * The attestation: what was achieved as one JSON object, and what another
 * process says of itself against what is required.
 */
#include <stdio.h>
#include <string.h>

#include "common/cgroup.h"
#include "common/err.h"
#include "common/firewall.h"
#include "common/lock.h"
#include "common/text.h"

struct word {
	uint32_t bit;
	const char *name;
};

static const struct word namespaces[] = {
    {LOCK_NET, "net"},
    {LOCK_MOUNT, "mount"},
    {LOCK_IPC, "ipc"},
    {LOCK_UTS, "uts"},
    {LOCK_PID, "pid"},
    {LOCK_USER, "user"},
};

static const struct word cgroup_limits[] = {
    {CGROUP_MEMORY, "memory"},
    {CGROUP_PIDS, "pids"},
    {CGROUP_CPU, "cpu"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
put_words(struct json_writer *w, const char *key, uint32_t bits,
    const struct word *words, size_t count)
{
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < count; i++)
		if ((bits & words[i].bit) != 0)
			json_text(w, words[i].name);
	json_close(w, ']');
}

static void
put_hash(struct json_writer *w, const char *key, const unsigned char *hash)
{
	char hex[2 * LOCK_HASH_BYTES + 1];

	hex_encode(hash, LOCK_HASH_BYTES, hex);
	json_put_text(w, key, hex);
}

static void
put_bits(struct json_writer *w, const char *key, uint64_t bits)
{
	char hex[17];

	(void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)bits);
	json_put_text(w, key, hex);
}

/* "none": a packet has nowhere to go; "dropped": rules drop it. */
static const char *
network_of(const struct lock_report *r)
{
	if (r->interfaces == 0)
		return "none";
	return r->firewall != 0 ? "dropped" : "host";
}

void
lock_report_write(const struct lock_report *r, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_open(&w, '{');
	json_put_text(&w, "profile", r->profile);
	json_put_text(&w, "role", r->role);
	json_put_integer(&w, "uid", r->uid);
	json_put_integer(&w, "gid", r->gid);
	json_put_integer(&w, "groups", r->groups);
	json_put_boolean(&w, "no_new_privs", r->no_new_privs != 0);
	json_put_boolean(&w, "dumpable", r->dumpable != 0);
	json_put_boolean(&w, "core_dumps", r->core_dumps != 0);
	put_bits(&w, "capabilities", r->capabilities);
	put_bits(&w, "bounding", r->bounding);
	json_put_integer(&w, "calls", r->filter);
	if (r->filter != 0)
		put_hash(&w, "filter", r->filter_hash);
	json_put_integer(&w, "landlock", r->landlock);
	json_put_boolean(&w, "seatbelt", r->seatbelt != 0);
	put_words(
	    &w, "namespaces", r->namespaces, namespaces, COUNT(namespaces));
	json_put_boolean(&w, "own_root", r->own_root != 0);
	put_words(&w, "cgroup", r->cgroup, cgroup_limits, COUNT(cgroup_limits));
	json_put_text(&w, "network", network_of(r));
	json_put_integer(&w, "interfaces", r->interfaces);
	if (r->firewall != 0) {
		json_put_text(&w, "firewall",
		    firewall_backend_name(
			(enum firewall_backend)(r->firewall - 1)));
		put_hash(&w, "rules", r->rules_hash);
	}
	json_put_integer(&w, "probes", r->probes);
	json_put_text(&w, "gap", r->gap);
	json_close(&w, '}');
	if (out->overflow)
		bug("attestation without room");
}

static bool
ends(const char *text, size_t room)
{
	const char *end = memchr(text, '\0', room);

	return end != NULL && utf8_check(text, (size_t)(end - text));
}

bool
lock_report_is(const struct lock_report *r, const char *role)
{
	return strcmp(r->role, role) == 0 &&
	       strcmp(r->profile, lock_table()->profile) == 0;
}

bool
lock_report_sound(const struct lock_report *r)
{
	return ends(r->role, sizeof r->role) &&
	       ends(r->profile, sizeof r->profile) &&
	       ends(r->gap, sizeof r->gap) &&
	       r->firewall <= FIREWALL_BACKEND_COUNT;
}

/*
 * Needs.
 */
static bool
is_true(const struct json_doc *doc, const struct json_node *a, const char *key)
{
	const struct json_node *node = json_get(doc, a, key);

	return node != NULL && node->type == JSON_BOOL && node->value.boolean;
}

static bool
is_positive(
    const struct json_doc *doc, const struct json_node *a, const char *key)
{
	const struct json_node *node = json_get(doc, a, key);

	return node != NULL && node->type == JSON_INTEGER &&
	       node->value.integer > 0;
}

static bool
has_word(const struct json_doc *doc, const struct json_node *a, const char *key,
    const char *word)
{
	const struct json_node *list = json_get(doc, a, key), *node;

	if (list == NULL || list->type != JSON_ARRAY)
		return false;
	for (node = json_first(doc, list); node != NULL;
	     node = json_next(doc, list, node))
		if (json_is_string(node, word))
			return true;
	return false;
}

static bool
has_filter(const struct json_doc *doc, const struct json_node *a)
{
	return is_positive(doc, a, "calls") || is_true(doc, a, "seatbelt");
}

static bool
has_landlock(const struct json_doc *doc, const struct json_node *a)
{
	return is_positive(doc, a, "landlock") || is_true(doc, a, "seatbelt");
}

static bool
has_no_network(const struct json_doc *doc, const struct json_node *a)
{
	const struct json_node *network = json_get(doc, a, "network");

	return json_is_string(network, "none") ||
	       json_is_string(network, "dropped");
}

static bool
has_namespaces(const struct json_doc *doc, const struct json_node *a)
{
	return has_word(doc, a, "namespaces", "net") &&
	       has_word(doc, a, "namespaces", "mount") &&
	       has_word(doc, a, "namespaces", "pid");
}

static bool
has_own_root(const struct json_doc *doc, const struct json_node *a)
{
	return is_true(doc, a, "own_root");
}

static bool
has_user(const struct json_doc *doc, const struct json_node *a)
{
	return is_positive(doc, a, "uid");
}

static bool
has_cgroup(const struct json_doc *doc, const struct json_node *a)
{
	return has_word(doc, a, "cgroup", "memory") &&
	       has_word(doc, a, "cgroup", "pids");
}

static bool
has_probes(const struct json_doc *doc, const struct json_node *a)
{
	return is_positive(doc, a, "probes");
}

static bool
has_profile(const struct json_doc *doc, const struct json_node *a)
{
	return json_get(doc, a, "profile") != NULL && !lock_foreign(doc, a);
}

static const struct {
	const char *name;
	bool (*met)(const struct json_doc *doc, const struct json_node *a);
} needs_table[NEED_COUNT] = {
    [NEED_FILTER] = {"filter", has_filter},
    [NEED_LANDLOCK] = {"landlock", has_landlock},
    [NEED_NO_NETWORK] = {"no-network", has_no_network},
    [NEED_NAMESPACES] = {"namespaces", has_namespaces},
    [NEED_OWN_ROOT] = {"own-root", has_own_root},
    [NEED_OWN_USER] = {"own-user", has_user},
    [NEED_CGROUP] = {"cgroup", has_cgroup},
    [NEED_PROBES] = {"probes", has_probes},
    [NEED_PROFILE] = {"profile", has_profile},
};

const char *
need_name(enum lock_need need)
{
	return needs_table[need].name;
}

bool
lock_foreign(const struct json_doc *doc, const struct json_node *attestation)
{
	const struct json_node *profile = json_get(doc, attestation, "profile");

	return profile != NULL &&
	       !json_is_string(profile, lock_table()->profile);
}

static bool
is_user_of(const struct json_doc *doc, const struct json_node *a,
    const struct lock_report *ours, size_t count)
{
	const struct json_node *uid = json_get(doc, a, "uid");

	for (size_t i = 0; i < count; i++)
		if (uid != NULL && uid->type == JSON_INTEGER &&
		    uid->value.integer == (int64_t)ours[i].uid)
			return true;
	return false;
}

uint32_t
lock_unmet(const struct json_doc *doc, const struct json_node *attestation,
    uint32_t needs, const struct lock_report *ours, size_t count)
{
	uint32_t unmet = 0;

	if (lock_foreign(doc, attestation))
		return needs | NEED_BIT(NEED_PROFILE);
	for (unsigned i = 0; i < NEED_COUNT; i++)
		if ((needs & NEED_BIT(i)) != 0 &&
		    !needs_table[i].met(doc, attestation))
			unmet |= NEED_BIT(i);
	if (is_user_of(doc, attestation, ours, count))
		unmet |= needs & NEED_BIT(NEED_OWN_USER);
	return unmet;
}
