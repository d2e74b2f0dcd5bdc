/*
 * What a decision asks of every rule first, packed: a policy of 10,000 rules
 * is some megabytes, of which most decisions need a few kilobytes. Made when
 * a policy is loaded, and never changed after that.
 */
#include <stdlib.h>

#include "common/alloc.h"
#include "executor/policy_impl.h"

#define HASHED_BYTES 64 /* of a text, and its length */

/* FNV-1a, 32 bits (RFC 9923). Two texts may have one hash: who asks compares
 * them still. */
uint32_t
index_hash(struct span text)
{
	uint32_t hash = 2166136261u ^ (uint32_t)text.n;

	for (size_t i = 0; i < text.n && i < HASHED_BYTES; i++)
		hash = (hash ^ (unsigned char)text.p[i]) * 16777619u;
	return hash <= INDEX_OTHER ? INDEX_OTHER + 1 : hash;
}

/* The number of a name among those the index looks up, from 1; 0: it has no
 * room for another. */
static unsigned char
key_of(struct rule_index *index, struct span name)
{
	unsigned char i = 0;

	while (i < index->key_count && !span_equal(index->keys[i], name))
		i++;
	if (i == INDEX_KEYS_MAX)
		return 0;
	if (i == index->key_count)
		index->keys[index->key_count++] = name;
	return (unsigned char)(i + 1);
}

void
index_look(const struct rule_index *index, const struct json_doc *doc,
    const struct json_node *arguments, uint32_t found_out[INDEX_KEYS_MAX + 1])
{
	found_out[0] = INDEX_ABSENT;
	for (unsigned i = 0; i < index->key_count; i++) {
		const struct json_node *value =
		    json_get_named(doc, arguments, index->keys[i]);

		found_out[i + 1] = value == NULL ? INDEX_ABSENT
				   : value->type != JSON_STRING
				       ? INDEX_OTHER
				       : index_hash(value->value.string);
	}
}

static struct probe
probe_of(struct rule_index *index, const struct rule *rule)
{
	struct span name, text;
	unsigned char key = 0;

	if (rule->arguments != NULL &&
	    schema_fixes_text(rule->arguments, &name, &text))
		key = key_of(index, name);
	return (struct probe){
	    .zone = rule->zone == NULL ? 0 : index_hash(span_of(rule->zone)),
	    .key = key,
	    .text = key == 0 ? 0 : index_hash(text),
	    .effects_has = rule->effects_has,
	    .effects_not = rule->effects_not,
	    .without_legs = (unsigned char)rule->without_legs,
	    .denies = rule->verdict == VERDICT_DENY};
}

void
index_make(struct policy *policy)
{
	struct rule_index *index = &policy->index;

	index->words = (policy->rule_count + 63) / 64;
	index->probes =
	    alloc_array(policy->rule_count + 1, sizeof *index->probes);
	index->named =
	    alloc_array((size_t)policy->capability_count * index->words + 1,
		sizeof *index->named);
	for (uint32_t r = 0; r < policy->rule_count; r++) {
		const struct rule *rule = &policy->rules[r];

		index->probes[r] = probe_of(index, rule);
		for (uint32_t c = 0; c < policy->capability_count; c++)
			if (rule_names(rule, c))
				index->named[(size_t)c * index->words +
					     r / 64] |= UINT64_C(1) << r % 64;
	}
}

void
index_done(struct policy *policy)
{
	free(policy->index.probes);
	free(policy->index.named);
}

uint32_t
index_next(const struct policy *policy, uint32_t capability, uint32_t from)
{
	const struct rule_index *index = &policy->index;
	const uint64_t *named =
	    index->named + (size_t)capability * index->words;
	size_t word = from / 64;
	uint64_t bits;

	if (from >= policy->rule_count)
		return policy->rule_count;
	bits = named[word] >> from % 64 << from % 64;
	while (bits == 0 && ++word < index->words)
		bits = named[word];
	return bits == 0
		   ? policy->rule_count
		   : (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
}
