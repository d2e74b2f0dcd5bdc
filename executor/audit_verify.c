/*
 * Checking a log: `audit verify`, and the auditor at its start. Reads hostile
 * bytes and believes nothing; never writes to the log.
 */
#include "executor/audit_verify.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/record.h"

struct check {
	struct audit_reader *reader;
	const struct verify_known *known;
	struct chain chain;
	struct verify_result *result;
	struct audit_rest rest; /* behind the last line */
	bool whole;		/* a segment with all its records was seen */
	uint64_t whole_segment; /* the first such one */
	uint64_t gap;		/* last record that a stub has no more */
	uint64_t told; /* last record that a removal record has as removed */
};

static const struct {
	const char *name, *text;
} damages[DAMAGE_COUNT] = {
    [DAMAGE_NONE] = {"none", "no damage"},
    [DAMAGE_MALFORMED] = {"changed", "it is not a line of this format"},
    [DAMAGE_HASH] = {"changed", "its bytes do not match its hash"},
    [DAMAGE_SEQUENCE] = {"sequence", "a record is missing, doubled or moved"},
    [DAMAGE_REORDERED] = {"reordered", "the record of this place comes later"},
    [DAMAGE_DUPLICATED] = {"duplicated", "it was there already"},
    [DAMAGE_CUT] = {"cut", "records are missing here"},
    [DAMAGE_SPLICED] = {"spliced", "it does not follow the record before it"},
    [DAMAGE_SIGNATURE] = {"forged", "its signature is not good"},
    [DAMAGE_KEY] = {"forged", "it is not signed by the key that was to come"},
    [DAMAGE_ROOT] = {"root", "the log does not begin with the root key"},
    [DAMAGE_START] = {"unanchored-start",
	"a start after a crash that no anchor knows"},
    [DAMAGE_TORN] = {"torn", "the last write is not complete"},
    [DAMAGE_TAIL] = {"tail-cut",
	"records are missing at the end: a receipt or anchor knows more"},
    [DAMAGE_RECEIPT] = {"rewritten",
	"it is not the record that a receipt or anchor knows"},
};

const char *
damage_name(enum damage damage)
{
	return damages[damage].name;
}

const char *
damage_text(enum damage damage)
{
	return damages[damage].text;
}

void
chain_init(struct chain *chain, struct sha256 *digest)
{
	*chain = (struct chain){.digest = digest};
	memset(chain->head_digits, '0', sizeof chain->head_digits);
}

static enum damage
follow(struct chain *chain, struct span line, bool skip)
{
	char digits[RECORD_HASH_DIGITS + 1];
	unsigned char hash[SHA256_BYTES];
	uint64_t seq;
	bool gap;

	if (record_check(line) != 0)
		return DAMAGE_MALFORMED;
	record_hash(chain->digest, line, hash);
	hex_encode(hash, sizeof hash, digits);
	if (memcmp(line.p + RECORD_HASH_AT, digits, RECORD_HASH_DIGITS) != 0)
		return DAMAGE_HASH;
	seq = record_seq(line);
	gap = skip && seq > chain->last + 1;
	if (seq != chain->last + 1 && !gap)
		return DAMAGE_SEQUENCE;
	if (!gap && memcmp(line.p + RECORD_PREV_AT, chain->head_digits,
			RECORD_HASH_DIGITS) != 0)
		return DAMAGE_SPLICED;
	chain->last = seq;
	memcpy(chain->head, hash, sizeof hash);
	memcpy(chain->head_digits, digits, sizeof chain->head_digits);
	return DAMAGE_NONE;
}

enum damage
chain_next(struct chain *chain, struct span line)
{
	return follow(chain, line, false);
}

enum damage
chain_skip(struct chain *chain, struct span line)
{
	return follow(chain, line, true);
}

/* The record `seq` as the log has it first, or from `reader`'s place on: its
 * line in *line_out; 1, or 0 if there is none that can be read. */
static int
find_record(
    struct audit_reader *reader, uint64_t seq, struct audit_line *line_out)
{
	int rc;

	while ((rc = audit_reader_next(reader, line_out)) == 1)
		if (record_check(line_out->text) == 0 &&
		    record_seq(line_out->text) == seq)
			return 1;
	return rc < 0 && rc != -ERR_TOO_LARGE ? rc : 0;
}

/* A good line with another sequence than the next. Leaves the reader's place.
 */
static int
judge_sequence(struct check *check, struct span line, enum damage *damage)
{
	uint64_t seq = record_seq(line);
	char hash[RECORD_HASH_DIGITS];
	struct audit_line found;
	int rc;

	memcpy(hash, line.p + RECORD_HASH_AT, sizeof hash);
	if (seq <= check->chain.last) {
		rc = audit_reader_seek(check->reader, 0);
		if (rc == 0)
			rc = find_record(check->reader, seq, &found);
		*damage = rc == 1 && memcmp(found.text.p + RECORD_HASH_AT, hash,
					 sizeof hash) == 0
			      ? DAMAGE_DUPLICATED
			      : DAMAGE_SPLICED;
	} else {
		rc = find_record(check->reader, check->chain.last + 1, &found);
		*damage = rc == 1 ? DAMAGE_REORDERED : DAMAGE_CUT;
	}
	return rc < 0 ? rc : 0;
}

/* The line at the next record's place is bad: say how. */
static int
note_damage(
    struct check *check, const struct audit_line *line, enum damage damage)
{
	struct verify_result *result = check->result;
	struct audit_rest rest;
	int rc = 0;

	result->bad_record = check->chain.last + 1;
	result->bad_segment = line->segment;
	result->bad_offset = line->offset;
	if (damage == DAMAGE_MALFORMED) {
		rc = audit_reader_rest(check->reader, line, &rest);
		if (rc == 0 && rest.torn) {
			damage = DAMAGE_TORN;
			result->torn_bytes = rest.bytes;
		}
	}
	if (rc == 0 && damage == DAMAGE_SEQUENCE)
		rc = judge_sequence(check, line->text, &damage);
	result->damage = damage;
	return rc;
}

/* A lineage or checkpoint: who signed it. */
static enum damage
check_seal(struct check *check, const struct seal_line *seal)
{
	struct verify_result *result = check->result;
	const unsigned char *root =
	    check->known == NULL ? NULL : check->known->root;
	bool begun = result->keys.begun;
	int rc;

	if (!begun && root != NULL &&
	    memcmp(seal->key, root, SIGN_KEY_BYTES) != 0)
		return DAMAGE_ROOT;
	rc = seal_keys_follow(&result->keys, seal);
	if (rc != 0)
		return rc == -ERR_WRONG_STATE ? DAMAGE_KEY : DAMAGE_SIGNATURE;
	if (begun && seal->lineage)
		result->starts++;
	return DAMAGE_NONE;
}

/* What receipts and anchors say of a good record. */
static enum damage
check_proofs(struct check *check, const struct seal_line *seal)
{
	struct verify_result *result = check->result;
	static const unsigned char no_key[SIGN_KEY_BYTES];
	struct proofs *proofs =
	    check->known == NULL ? NULL : check->known->proofs;
	bool anchored = false;
	int rc = 0;

	if (proofs != NULL)
		rc = proofs_see(proofs, check->chain.last, check->chain.head,
		    seal != NULL ? seal->key : no_key, &anchored);
	if (rc < 0)
		return DAMAGE_RECEIPT;
	if (rc == 1)
		result->proved = check->chain.last;
	if (seal == NULL || !seal->lineage || seal->first || anchored)
		return DAMAGE_NONE;
	result->lone++;
	result->lone_last = check->chain.last;
	return proofs != NULL && proofs->anchors ? DAMAGE_START : DAMAGE_NONE;
}

/* Of a good line: what is missing before it, or what it says of that. */
static void
note_removed(
    struct check *check, const struct audit_line *line, uint64_t wanted)
{
	uint64_t told = record_removes(line->text);

	if (check->chain.last > wanted)
		check->gap = check->chain.last - 1;
	check->result->removed += check->chain.last - wanted;
	if (!check->whole)
		return;
	if (check->whole_segment == 0)
		check->whole_segment = line->segment;
	if (told > check->told)
		check->told = told;
}

static enum damage
check_line(struct check *check, const struct audit_line *line)
{
	struct chain before = check->chain;
	struct seal_line seal, *sealed = NULL;
	enum damage damage;

	/* what retention removes is the oldest */
	check->whole = check->whole || !line->stub;
	damage = check->whole ? chain_next(&check->chain, line->text)
			      : chain_skip(&check->chain, line->text);
	if (damage != DAMAGE_NONE)
		return damage;
	if (seal_line_is(line->text)) {
		sealed = &seal;
		damage = seal_line_parse(line->text, sealed) != 0
			     ? DAMAGE_MALFORMED
			     : DAMAGE_NONE;
		if (damage == DAMAGE_NONE)
			damage = check_seal(check, sealed);
	}
	if (damage == DAMAGE_NONE)
		damage = check_proofs(check, sealed);
	if (damage == DAMAGE_NONE)
		note_removed(check, line, before.last + 1);
	if (damage != DAMAGE_NONE)
		check->chain = before;
	else if (sealed != NULL)
		check->result->sealed = check->chain.last;
	return damage;
}

static void
note_good(struct check *check, const struct audit_line *line)
{
	struct verify_result *result = check->result;

	result->count++;
	if (result->first == 0)
		result->first = check->chain.last;
	result->last = check->chain.last;
	result->bytes += line->text.n + 1;
	memcpy(result->head, check->chain.head, SHA256_BYTES);
}

/* Nothing is wrong with what is there. */
static int
note_end(struct check *check, const struct audit_line *end)
{
	const struct verify_known *known = check->known;
	struct verify_result *result = check->result;

	result->end_segment = end->segment;
	result->end_offset = end->offset;
	if (check->rest.bytes != 0)
		return note_damage(check, end, DAMAGE_MALFORMED);
	if (known != NULL && known->root != NULL && !result->keys.begun)
		result->damage = DAMAGE_ROOT;
	if (known != NULL && known->proofs != NULL &&
	    proofs_left(known->proofs, result->last))
		result->damage = DAMAGE_TAIL;
	if (result->damage != DAMAGE_NONE) {
		result->bad_record = result->last + 1;
		result->bad_segment = end->segment;
		result->bad_offset = end->offset;
	}
	return 0;
}

/* Whoever can write in the folder can make stubs, but not the record that says
 * so: that of the last one is in no stub, or there would be a later one. */
static void
check_removed(struct check *check)
{
	struct verify_result *result = check->result;

	if (check->gap <= check->told ||
	    (result->damage != DAMAGE_NONE && result->damage != DAMAGE_TORN &&
		result->damage != DAMAGE_TAIL))
		return;
	result->damage = DAMAGE_CUT;
	result->bad_record = check->gap;
	result->bad_segment = check->whole_segment;
	result->bad_offset = 0;
}

/* The next line. What seems to be behind the end can have been written since
 * that was read. */
static int
next_line(struct check *check, struct audit_line *line)
{
	int rc = audit_reader_next(check->reader, line);

	if (rc != 0)
		return rc;
	rc = audit_reader_rest(check->reader, NULL, &check->rest);
	if (rc != 0 || check->rest.bytes == 0)
		return rc;
	return audit_reader_next(check->reader, line);
}

/* The kernel shows a write bit by bit to who reads meanwhile. */
static bool
is_changing(const struct check *check, const struct audit_line *line)
{
	char buffer[RECORD_LINE_MAX];
	struct span now;

	return audit_reader_at(check->reader, line->place, buffer, &now) == 0 &&
	       (now.n != line->text.n ||
		   memcmp(now.p, line->text.p, now.n) != 0);
}

static int
verify_lines(struct check *check,
    int (*each)(void *context, struct span line, uint64_t place), void *context)
{
	struct audit_line line = {.segment = 0};
	enum damage damage;
	int rc;

	while ((rc = next_line(check, &line)) == 1) {
		damage = check_line(check, &line);
		if (damage != DAMAGE_NONE) {
			check->result->changing = is_changing(check, &line);
			check->result->end_segment = line.segment;
			check->result->end_offset = line.offset;
			return note_damage(check, &line, damage);
		}
		note_good(check, &line);
		rc = each == NULL ? 0 : each(context, line.text, line.place);
		if (rc != 0)
			return rc;
	}
	if (rc == -ERR_TOO_LARGE)
		return note_damage(check, &line, DAMAGE_MALFORMED);
	return rc != 0 ? rc : note_end(check, &line);
}

int
audit_verify_reader(struct audit_reader *reader,
    const struct verify_known *known,
    int (*each)(void *context, struct span line, uint64_t place), void *context,
    struct verify_result *result)
{
	struct sha256 *digest = sha256_new();
	struct check check = {
	    .reader = reader, .known = known, .result = result};
	int rc;

	*result = (struct verify_result){0};
	chain_init(&check.chain, digest);
	if (known != NULL && known->proofs != NULL)
		proofs_begin(known->proofs);
	rc = verify_lines(&check, each, context);
	if (rc == 0)
		check_removed(&check);
	sha256_free(digest);
	return rc;
}

int
audit_verify(const char *path,
    int (*each)(void *context, struct span line, uint64_t place), void *context,
    struct verify_result *result)
{
	struct audit_reader *reader = NULL;
	int rc = audit_reader_open(path, &reader);

	if (rc == 0)
		rc = audit_verify_reader(reader, NULL, each, context, result);
	audit_reader_close(reader);
	return rc;
}
