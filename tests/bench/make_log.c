/*
 * Make an audit log of many records for measuring what reads it: segments as
 * the auditor cuts them, one chain, no signatures.
 *
 * usage: make_log FOLDER RECORDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "executor/audit_segment.h"
#include "executor/record.h"

#define START_MS UINT64_C(1785542400000) /* 2026-08-01 */
#define STEP_MS 2500
#define RECORDS_MAX 100000000

static const char *const capabilities[] = {
    "mail.read", "mail.search", "file.read", "notify.send", "calendar.add"};

/* Of a session of some ten calls: what a planner's life looks like. */
static struct record
record_of(uint64_t seq, char detail[200], char destination[64])
{
	uint64_t call = seq / 3;
	struct record record = {.kind = RECORD_INTENT,
	    .intent = seq - 1,
	    .request = call,
	    .session = 1 + call / 10,
	    .zone = SPAN("planner"),
	    .capability = span_of(capabilities[call % 5]),
	    .number = (uint32_t)(call % 5),
	    .rule = SPAN("read-what-was-put-there"),
	    .why = SPAN("What was put there is meant to be read."),
	    .message = 1 + call / 10,
	    .bytes = 240};

	snprintf(detail, 200,
	    "leak: 40 bytes in 2 fields, %llu in this session",
	    (unsigned long long)(call % 4000));
	record.detail = span_of(detail);
	snprintf(destination, 64, "user%llu@example.org",
	    (unsigned long long)(call % 997));
	record.destination = span_of(destination);
	record.effects = call % 5 < 3 ? 6 : 9;
	if (seq % 3 == 1) {
		record.kind = RECORD_OUTCOME;
		record.status =
		    call % 50000 == 7 ? OUTCOME_UNKNOWN : OUTCOME_DONE;
	}
	if (seq % 3 == 2) {
		record.kind = RECORD_DECISION;
		record.verdict = VERDICT_DENY;
		record.rule = call % 9 == 0 ? SPAN("default") : SPAN("no-out");
	}
	if (seq % 20000 == 2) {
		record.kind = RECORD_BLOCKED;
		record.destination = SPAN("evil.example:443");
		record.detail = SPAN("{\"user\":\"agent\",\"count\":2}");
	}
	return record;
}

static FILE *
segment_open(const char *folder, uint64_t first)
{
	struct segment segment = {.first = first, .kind = SEGMENT_RECORDS};
	char name[SEGMENT_NAME_BYTES], path[512];
	FILE *file;

	segment_name(&segment, name);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "wx");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	return file;
}

int
main(int argc, char **argv)
{
	long long count = argc == 3 ? atoll(argv[2]) : 0;
	unsigned char head[SHA256_BYTES] = {0};
	struct sha256 *digest = sha256_new();
	size_t used = 0;
	FILE *file = NULL;
	struct buf out;

	if (count < 1 || count > RECORDS_MAX) {
		fprintf(stderr, "usage: make_log FOLDER RECORDS\n");
		return EXIT_USAGE;
	}
	buf_init(&out, RECORD_LINE_MAX);
	for (uint64_t seq = 1; seq <= (uint64_t)count; seq++) {
		struct record_head at = {.seq = seq, .prev = head};
		char detail[200], destination[64];
		struct record record = record_of(seq, detail, destination);

		at.time_ms = START_MS + seq * STEP_MS;
		buf_clear(&out);
		if (record_add(&out, digest, &at, &record, head) != 0)
			return 1;
		if (file == NULL || used + out.len > SEGMENT_BYTES) {
			if (file != NULL && fclose(file) != 0)
				return 1;
			file = segment_open(argv[1], seq);
			used = 0;
		}
		if (fwrite(out.data, 1, out.len, file) != out.len)
			return 1;
		used += out.len;
	}
	buf_free(&out);
	sha256_free(digest);
	return fclose(file) == 0 ? 0 : 1;
}
