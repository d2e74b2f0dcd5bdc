/*
 * Attestations compared. Believes nothing of them: a zone's are its own words.
 */
#include "executor/audit_report_attest.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_show.h"

#define NAMES_MAX 256 /* roles and zones; later ones are not compared */

struct name {
	char text[2 * NAME_MAX_BYTES];
	unsigned char hash[SHA256_BYTES];
};

struct attested {
	struct json_doc doc;
	bool begun; /* there was a record before the period */
	size_t count;
	struct name names[NAMES_MAX];
};

struct attested *
attested_new(void)
{
	struct attested *attested = alloc_bytes(sizeof *attested);

	json_init(&attested->doc);
	return attested;
}

void
attested_free(struct attested *attested)
{
	json_done(&attested->doc);
	free(attested);
}

bool
attested_is(struct span line)
{
	return record_is(line, RECORD_HELLO) ||
	       record_is(line, RECORD_ATTEST) || record_is(line, RECORD_START);
}

/* The zone that said hello, or the role. */
static struct span
find_name(struct attested *attested, const struct record *record)
{
	const struct json_node *role;

	if (record->kind == RECORD_HELLO)
		return record->zone;
	if (json_parse(&attested->doc, record->detail, NULL, NULL) != 0)
		return (struct span){NULL, 0};
	role = json_get(&attested->doc, json_root(&attested->doc), "role");
	if (role == NULL || role->type != JSON_STRING)
		return (struct span){NULL, 0};
	return role->value.string;
}

static struct name *
find(struct attested *attested, const char *text)
{
	for (size_t i = 0; i < attested->count; i++)
		if (strcmp(attested->names[i].text, text) == 0)
			return &attested->names[i];
	return NULL;
}

static void
tell(struct buf *text, const struct record *record, struct span name,
    const char *what)
{
	buf_add_text(text, record->kind == RECORD_HELLO ? "zone " : "process ");
	show_name(text, name);
	buf_add_text(text, what);
}

int
attested_follow(struct attested *attested, const struct record *record,
    bool in_period, struct buf *text)
{
	struct span name = find_name(attested, record);
	char key[2 * NAME_MAX_BYTES];
	unsigned char hash[SHA256_BYTES];
	struct name *known;
	bool same;

	attested->begun = attested->begun || !in_period;
	key[0] = record->kind == RECORD_HELLO ? 'z' : 'p';
	if (name.n == 0 || span_copy(name, key + 1, sizeof key - 1) != 0)
		return 0;
	if (record->error != 0) {
		if (!in_period)
			return 0;
		tell(text, record, name, " was refused: ");
		show_name(text, record->detail);
		return 1;
	}
	sha256_of(record->detail.p, record->detail.n, hash);
	known = find(attested, key);
	same = known != NULL && memcmp(known->hash, hash, sizeof hash) == 0;
	if (known == NULL && attested->count < NAMES_MAX) {
		known = &attested->names[attested->count++];
		memcpy(known->text, key, sizeof key);
		memcpy(known->hash, hash, sizeof hash);
		if (!in_period || !attested->begun)
			return 0;
		tell(text, record, name, " was not there before");
		return 1;
	}
	if (known == NULL || same)
		return 0;
	memcpy(known->hash, hash, sizeof hash);
	if (!in_period)
		return 0;
	tell(text, record, name, " is locked in another way: ");
	show_name(text, record->detail);
	return 1;
}
