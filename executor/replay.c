/*
 * Rows of the side store to classes. Runs in the operator's command; decides
 * with decide() and nothing else.
 */
#include "executor/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/audit_verify.h"
#include "executor/record.h"

#define ROW_ALONE_MS 10000 /* from a row to its record, at most */

static const char time_shape[] = "0000-00-00T00:00:00.000Z";

const char *
replay_class_name(enum replay_class group)
{
	static const char *const names[REPLAY_CLASS_COUNT] = {"newly allowed",
	    "newly asked", "newly denied", "undecidable", "unchanged"};

	return names[group];
}

static bool
time_is_sound(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		bool digit = i < sizeof time_shape - 1 && time_shape[i] == '0';

		if (i >= sizeof time_shape - 1 ||
		    (digit ? text.p[i] < '0' || text.p[i] > '9'
			   : text.p[i] != time_shape[i]))
			return false;
	}
	return text.n >= 4;
}

static bool
is_wanted(const struct replay *r, struct span time)
{
	return memcmp(time.p, r->since.p, r->since.n) >= 0;
}

static struct span
time_of(uint64_t ms, char out[sizeof time_shape])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	memcpy(out, time_shape, sizeof time_shape);
	if (gmtime_r(&seconds, &tm) != NULL &&
	    strftime(out, sizeof time_shape, "%Y-%m-%dT%H:%M:%S", &tm) != 0)
		snprintf(out + sizeof "0000-00-00T00:00:00" - 1, sizeof ".000Z",
		    ".%03uZ", (unsigned)(ms % 1000));
	return (struct span){out, sizeof time_shape - 1};
}

/*
 * The audit: which rows there have to be.
 */
static int
see_line(void *context, struct span line, uint64_t offset)
{
	static const char key[] = ",\"inputs\":\"";
	struct replay *r = context;
	struct replay_record record = {.sequence = record_seq(line)};
	const char *at;

	(void)offset;
	r->last = record.sequence;
	record.wanted = is_wanted(r, record_time(line));
	if (!record_is(line, RECORD_DECISION) &&
	    !record_is(line, RECORD_INTENT))
		return 0;
	/* a quote inside a text stands as \" there, so this is the member */
	at = memmem(line.p, line.n, key, sizeof key - 1);
	if (at == NULL)
		return 0;
	at += sizeof key - 1;
	if ((size_t)(line.p + line.n - at) < 2 * SHA256_BYTES ||
	    hex_decode((struct span){at, (size_t)2 * SHA256_BYTES},
		record.reference, SHA256_BYTES) != 0)
		return 0;
	if ((r->record_count & (r->record_count - 1)) == 0)
		r->records = alloc_resize(r->records,
		    r->record_count == 0 ? 1 : 2 * r->record_count,
		    sizeof *r->records);
	r->records[r->record_count++] = record;
	return 0;
}

static int
read_audit(struct replay *r, char *reason, size_t room)
{
	struct audit_reader *reader = NULL;
	struct verify_result result;
	int fd = openat(r->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -ERR_PEER : audit_reader_open_fd(fd, &reader);

	r->began_ms = (uint64_t)clock_utc_ms();
	if (rc == 0)
		rc = audit_verify_reader(reader, NULL, see_line, r, &result);
	audit_reader_close(reader);
	if (fd >= 0)
		close(fd);
	if (rc != 0) {
		snprintf(reason, room, "the audit: %s", err_text(rc));
		return rc;
	}
	if (result.count == 0 && result.damage == DAMAGE_NONE)
		return 0;
	r->with_log = true;
	/* while the service runs the last line may be on its way */
	if (result.damage != DAMAGE_NONE && result.damage != DAMAGE_TORN) {
		fprintf(stderr,
		    "the audit is damaged behind record %llu: see audit "
		    "verify\n",
		    (unsigned long long)result.last);
		r->damaged = true;
	}
	return 0;
}

int
replay_open(struct replay *r, const char *path, const char *identity,
    const char *since, char *reason, size_t room)
{
	*r = (struct replay){
	    .identity = identity, .since = span_of(since == NULL ? "" : since)};
	json_init(&r->doc);
	if (since != NULL && !time_is_sound(r->since)) {
		snprintf(reason, room,
		    "--since has to be a time as "
		    "2026-01-02T03:04:05, or its first part");
		return -ERR_RANGE;
	}
	r->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0) {
		bool denied = errno == EACCES || errno == EPERM;

		snprintf(reason, room, "%s: %s: %s", path, strerror(errno),
		    denied ? "run it as root or the auditor's user"
			   : "decisions are kept where the configuration has "
			     "an audit recipient");
		return denied ? -ERR_PEER : -ERR_NOT_FOUND;
	}
	r->sealed = alloc_bytes(INPUTS_SEALED_MAX);
	r->opened = alloc_bytes(INPUTS_SEALED_MAX);
	return read_audit(r, reason, room);
}

/*
 * Results.
 */
static struct replay_change *
count_as(struct replay *r, enum replay_class group)
{
	struct replay_change *change;

	r->counts[group]++;
	if (group == REPLAY_UNCHANGED)
		return NULL;
	if (r->change_count == REPLAY_CHANGES_MAX) {
		r->left_off++;
		return NULL;
	}
	if ((r->change_count & (r->change_count - 1)) == 0)
		r->changes = alloc_resize(r->changes,
		    r->change_count == 0 ? 1 : 2 * r->change_count,
		    sizeof *r->changes);
	change = &r->changes[r->change_count++];
	*change = (struct replay_change){.group = group};
	return change;
}

static void
undecidable(struct replay *r, uint64_t sequence, uint64_t time_ms,
    const struct inputs *inputs, const char *reason)
{
	struct replay_change *c = count_as(r, REPLAY_UNDECIDABLE);

	if (c == NULL)
		return;
	c->sequence = sequence;
	c->time_ms = (int64_t)time_ms;
	c->reason = reason;
	c->capability = inputs == NULL
			    ? alloc_string("?")
			    : alloc_text(inputs->request.capability.p,
				  inputs->request.capability.n);
	c->session = inputs == NULL ? 0 : inputs->session;
}

static enum replay_class
class_of(enum verdict was, enum verdict now)
{
	if (was == now)
		return REPLAY_UNCHANGED;
	if (now == VERDICT_ALLOW)
		return REPLAY_ALLOWED;
	return now == VERDICT_ASK ? REPLAY_ASKED : REPLAY_DENIED;
}

static bool
is_again(struct span rule)
{
	static const char lead[] = "again:";

	return rule.n > sizeof lead - 1 &&
	       memcmp(rule.p, lead, sizeof lead - 1) == 0;
}

static void
decide_again(struct replay *r, uint64_t sequence, struct inputs *inputs)
{
	struct decision d;
	struct replay_change *c;

	if (span_is(inputs->rule, "outbound") && inputs->error != 0 &&
	    inputs->error != ERR_DENIED) {
		undecidable(r, sequence, (uint64_t)inputs->time_ms, inputs,
		    "outbound rules could not make its text fit to leave");
		return;
	}
	inputs_use(inputs, r->policy);
	decide(r->policy, &inputs->request, &d);
	if (d.capability == NULL && !span_is(inputs->rule, d.rule)) {
		undecidable(r, sequence, (uint64_t)inputs->time_ms, inputs,
		    "the candidate has no such capability");
		return;
	}
	if (d.unknown) {
		undecidable(r, sequence, (uint64_t)inputs->time_ms, inputs,
		    "a rule asks where a value came from, or a limit what was "
		    "used, and that was not recorded: the capability or the "
		    "limit was another one then");
		return;
	}
	if (d.verdict == VERDICT_ASK && is_again(inputs->rule)) {
		undecidable(r, sequence, (uint64_t)inputs->time_ms, inputs,
		    "the candidate asks, and a rule of \"don't ask again\" "
		    "allowed it then: no policy has those");
		return;
	}
	c = count_as(r, class_of(inputs->verdict, d.verdict));
	if (c == NULL)
		return;
	c->sequence = sequence;
	c->time_ms = inputs->time_ms;
	c->session = inputs->session;
	c->was = inputs->verdict;
	c->now = d.verdict;
	c->capability = alloc_text(
	    inputs->request.capability.p, inputs->request.capability.n);
	c->was_rule = alloc_text(inputs->rule.p, inputs->rule.n);
	c->now_rule = alloc_string(d.rule);
}

/*
 * Rows.
 */
static struct replay_record *
find_record(struct replay *r, uint64_t sequence)
{
	size_t low = 0, high = r->record_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->records[middle].sequence == sequence)
			return &r->records[middle];
		if (r->records[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int
read_sealed(
    struct replay *r, int fd, uint64_t offset, const struct inputs_row *row)
{
	size_t have = 0;

	while (have < row->sealed_bytes) {
		ssize_t got = pread(fd, r->sealed + have,
		    row->sealed_bytes - have, (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -ERR_IO;
		have += (size_t)got;
	}
	return 0;
}

static const char *
open_row(struct replay *r, const struct inputs_row *row, uint64_t segment,
    const unsigned char *key, const struct replay_record *record,
    struct inputs *inputs)
{
	unsigned char row_key[SEAL_KEY_BYTES], reference[SHA256_BYTES];
	struct span text = {
	    (const char *)r->opened, row->sealed_bytes - SEAL_TAG_BYTES};

	if (inputs_row_open(row, segment, key, r->sealed, row_key, r->opened) !=
	    0)
		return "its row is damaged";
	inputs_reference(row_key, text, reference);
	wipe(row_key, sizeof row_key);
	if (r->with_log &&
	    (record == NULL ||
		memcmp(reference, record->reference, SHA256_BYTES) != 0))
		return "its row is not the one the audit names";
	if (inputs_parse(&r->doc, text, inputs) != 0)
		return "its row is of another version";
	return NULL;
}

/* Whether the row is one to be looked at: of the time that was asked for, which
 * is its record's where there is one, and no newer than the audit was read. */
static bool
row_is_wanted(const struct replay *r, const struct inputs_row *row,
    const struct replay_record *record)
{
	char time[sizeof time_shape];

	if (record != NULL)
		return record->wanted;
	return r->with_log ? row->sequence <= r->last
			   : is_wanted(r, time_of(row->time_ms, time));
}

/* Whether its record would be in the audit if nobody had cut that: the service
 * may write on, but no row stands so long without its record. */
static bool
is_cut_off(const struct replay *r, const struct inputs_row *row)
{
	return r->with_log && row->sequence > r->last &&
	       row->time_ms + ROW_ALONE_MS < r->began_ms;
}

static void
take_row(struct replay *r, int fd, uint64_t offset,
    const struct inputs_segment *segment, const unsigned char *key,
    const struct inputs_row *row)
{
	static struct inputs inputs;
	struct replay_record *record = find_record(r, row->sequence);
	const char *problem = NULL;

	if (is_cut_off(r, row)) {
		fprintf(stderr, "record %llu is not in the audit any more\n",
		    (unsigned long long)row->sequence);
		r->damaged = true;
		undecidable(r, row->sequence, row->time_ms, NULL,
		    "its record is missing");
		return;
	}
	if (!row_is_wanted(r, row, record))
		return;
	if (record != NULL && record->seen) {
		fprintf(stderr, "record %llu has a second row\n",
		    (unsigned long long)row->sequence);
		r->damaged = true;
		return;
	}
	if (record != NULL)
		record->seen = true;
	if (row->erased) {
		undecidable(
		    r, row->sequence, row->time_ms, NULL, "its row was erased");
		return;
	}
	inputs = (struct inputs){0};
	if (key == NULL)
		problem = "its segment does not open with this identity";
	else if (read_sealed(r, fd, offset + INPUTS_ROW_BYTES, row) != 0)
		problem = "its row cannot be read";
	else
		problem =
		    open_row(r, row, segment->number, key, record, &inputs);
	if (problem == NULL) {
		decide_again(r, row->sequence, &inputs);
		return;
	}
	r->damaged = true;
	undecidable(r, row->sequence, row->time_ms, NULL, problem);
}

/* The segment's key; false if it does not open. */
static bool
segment_key(struct replay *r, const struct inputs_segment *segment,
    const char *name, unsigned char key[SEAL_KEY_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	struct span wrapped = {
	    (const char *)segment->wrapped, segment->wrapped_bytes};
	char reason[1024];
	int rc;

	sha256_of(wrapped.p, wrapped.n, hash);
	if (!r->has_first || memcmp(hash, r->wrapped_hash, sizeof hash) != 0) {
		r->has_first = false;
		rc = inputs_key_open(
		    r->identity, wrapped, r->first, reason, sizeof reason);
		if (rc != 0) {
			fprintf(stderr, "%s: not opened: %s\n", name, reason);
			return false;
		}
		memcpy(r->wrapped_hash, hash, sizeof hash);
		r->has_first = true;
	}
	memcpy(key, r->first, SEAL_KEY_BYTES);
	for (uint32_t i = 0; i < segment->steps; i++)
		seal_next_key(key);
	return true;
}

static void
take_segment(struct replay *r, int fd, const char *name)
{
	static struct inputs_segment segment;
	unsigned char key[SEAL_KEY_BYTES];
	struct inputs_row row;
	uint64_t offset;
	bool opens;
	int rc = inputs_segment_read(fd, &segment, &offset);

	if (rc != 0 || segment.steps > REPLAY_STEPS_MAX) {
		fprintf(stderr, "%s: %s\n", name, err_text(-ERR_CORRUPT));
		r->damaged = true;
		return;
	}
	opens = segment_key(r, &segment, name, key);
	r->damaged |= !opens;
	while ((rc = inputs_row_read(fd, offset, &row)) == 1) {
		take_row(r, fd, offset, &segment, opens ? key : NULL, &row);
		offset += INPUTS_ROW_BYTES + row.sealed_bytes;
	}
	wipe(key, sizeof key);
	if (rc == 0)
		return;
	fprintf(stderr, "%s: damaged behind byte %llu\n", name,
	    (unsigned long long)offset);
	r->damaged = true;
}

/* Records whose rows are not there: dropped by age or size, or lost. */
static void
count_missing(struct replay *r)
{
	for (size_t i = 0; i < r->record_count; i++)
		if (!r->records[i].seen && r->records[i].wanted)
			undecidable(r, r->records[i].sequence, 0, NULL,
			    "its row is not kept any more");
}

void
replay_run(struct replay *r)
{
	char name[INPUTS_NAME_BYTES];
	uint64_t *numbers = NULL;
	int count = inputs_list(r->folder, &numbers);

	if (count < 0)
		die(EXIT_SYSTEM, "the store cannot be listed");
	for (int i = 0; i < count; i++) {
		int fd;

		inputs_name(numbers[i], name);
		fd = openat(r->folder, name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0) {
			fprintf(stderr, "%s: %s\n", name, strerror(errno));
			r->damaged |= errno != ENOENT; /* dropped just now */
			continue;
		}
		take_segment(r, fd, name);
		close(fd);
	}
	free(numbers);
	count_missing(r);
}

void
replay_close(struct replay *r)
{
	for (size_t i = 0; i < r->change_count; i++) {
		free(r->changes[i].capability);
		free(r->changes[i].was_rule);
		free(r->changes[i].now_rule);
	}
	free(r->changes);
	free(r->records);
	wipe(r->first, sizeof r->first);
	wipe(r->opened, INPUTS_SEALED_MAX);
	free(r->sealed);
	free(r->opened);
	json_done(&r->doc);
	policy_free((struct policy *)(uintptr_t)r->policy);
	close(r->folder);
}
