/*
 * A writer of the audit log to be killed: it does what the auditor does with
 * orders, as fast as it can, and says on its standard output, which the test
 * keeps, what others would act on. It ends when the log cannot be written.
 *
 *   audit_crash FOLDER SEED
 *
 *   open RECORDS TORN LINEAGE   the log was opened
 *   effect SEQ                  the intent SEQ is on disk and acted upon
 *   ack SEQ HASH                everything up to SEQ is on disk
 *
 * audit_crash_nosync is the same with syncs that do nothing: the control.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/text.h"
#include "executor/audit_log.h"
#include "executor/audit_retain.h"
#include "executor/audit_seal.h"

#define INTENTS 24 /* in one batch, at most */
#define OPEN_MOST 200

static unsigned seed;
static struct audit *audit;
static uint64_t open_intents[OPEN_MOST];
static size_t open_count;
static uint64_t grant;

static unsigned
chance(unsigned below)
{
	return (unsigned)rand_r(&seed) % below;
}

/* The log is at its end for us; that is no failure. */
static _Noreturn void
give_up(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, err_text(rc));
	exit(3);
}

static int
on_unfinished(const struct record *intent, uint64_t seq, void *context)
{
	struct record record = *intent;

	(void)context;
	record.kind = RECORD_OUTCOME;
	record.intent = seq;
	record.status = OUTCOME_UNKNOWN;
	return audit_append(audit, &record, NULL, NULL);
}

static uint64_t
append(const struct record *record, unsigned char hash[SHA256_BYTES])
{
	uint64_t seq;
	int rc = audit_append(audit, record, &seq, hash);

	if (rc != 0)
		give_up("append", rc);
	return seq;
}

/* An order's record; some have long texts, some a grant. */
static uint64_t
append_intent(unsigned char hash[SHA256_BYTES])
{
	static const unsigned char body[SHA256_BYTES] = {1};
	char detail[900];
	struct record record = {.kind = RECORD_INTENT,
	    .request = 1 + chance(1000),
	    .zone = SPAN("mail"),
	    .capability = SPAN("notify.send"),
	    .rule = SPAN("tell-me"),
	    .body = body};

	memset(detail, 'a' + (int)chance(26), sizeof detail);
	record.detail = (struct span){detail, chance(sizeof detail)};
	if (chance(4) == 0)
		record.grant = ++grant;
	return append(&record, hash);
}

static void
append_outcomes(unsigned char hash[SHA256_BYTES], uint64_t *last)
{
	while (open_count > OPEN_MOST / 2 || (open_count > 0 && chance(3))) {
		struct record record = {.kind = RECORD_OUTCOME,
		    .intent = open_intents[0],
		    .status = OUTCOME_DONE};

		memmove(open_intents, open_intents + 1,
		    --open_count * sizeof open_intents[0]);
		*last = append(&record, hash);
	}
}

/* One group commit, and what is told of it. */
static void
commit(void)
{
	unsigned count = 1 + chance(INTENTS);
	unsigned char hash[SHA256_BYTES];
	char digits[2 * SHA256_BYTES + 1], text[INTENTS * 32 + 128];
	size_t length = 0;
	uint64_t last = 0;
	int rc;

	append_outcomes(hash, &last);
	for (unsigned i = 0; i < count; i++) {
		last = append_intent(hash);
		open_intents[open_count++] = last;
		length += (size_t)snprintf(text + length, sizeof text - length,
		    "effect %llu\n", (unsigned long long)last);
	}
	rc = audit_flush(audit, true);
	if (rc != 0)
		give_up("flush", rc);
	hex_encode(hash, SHA256_BYTES, digits);
	length += (size_t)snprintf(text + length, sizeof text - length,
	    "ack %llu %s\n", (unsigned long long)last, digits);
	if (write(STDOUT_FILENO, text, length) != (ssize_t)length)
		exit(3);
}

int
main(int argc, char **argv)
{
	static const struct audit_limits limits = {98304, 60, 50};
	static const struct audit_keep keep = {400000, 0};
	struct audit_found found;
	struct audit_problem problem;
	int rc;

	if (argc != 3)
		errx(64, "usage: audit_crash FOLDER SEED");
	seed = (unsigned)strtoul(argv[2], NULL, 10);
	grant = (uint64_t)seed << 20;
	rc = audit_open(argv[1], &limits, &audit, &found, &problem);
	if (rc != 0) {
		fprintf(stderr, "%s\n", problem.text);
		return rc == -ERR_CORRUPT ? 1 : 3;
	}
	printf("open %llu %llu %s\n", (unsigned long long)found.records,
	    (unsigned long long)found.torn_bytes,
	    found.lineage == NULL ? "-" : found.lineage);
	fflush(stdout);
	rc = audit_unfinished(audit, on_unfinished, NULL);
	if (rc != 0)
		give_up("unfinished", rc);
	for (;;) {
		commit();
		rc = audit_retain(audit, &keep);
		if (rc < 0)
			give_up("retain", rc);
	}
}
