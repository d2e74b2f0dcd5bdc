/*
 * Deciding again what was decided: the segments of a store, opened with the
 * operator's identity, each row under a candidate policy by the same decide().
 */
#ifndef TRIZONE_EXECUTOR_REPLAY_H
#define TRIZONE_EXECUTOR_REPLAY_H

#include "executor/inputs.h"
#include "executor/inputs_key.h"

enum replay_class {
	REPLAY_ALLOWED, /* what was denied or asked would be allowed */
	REPLAY_ASKED,
	REPLAY_DENIED,
	REPLAY_UNDECIDABLE, /* it cannot be said; never counted as unchanged */
	REPLAY_UNCHANGED,
	REPLAY_CLASS_COUNT
};

const char *replay_class_name(enum replay_class group);

#define REPLAY_STEPS_MAX 1000000  /* segments of one start; 500 years */
#define REPLAY_CHANGES_MAX 100000 /* listed; more are counted only */

struct replay_change {
	enum replay_class group;
	uint64_t sequence; /* of its record */
	int64_t time_ms, session;
	enum verdict was, now;
	char *capability, *was_rule, *now_rule; /* now_rule may be NULL */
	const char *reason;			/* why it is undecidable */
};

/* A record of the audit that names a row. */
struct replay_record {
	uint64_t sequence;
	unsigned char reference[SHA256_BYTES];
	bool wanted; /* by its time */
	bool seen;   /* its row was found */
};

struct replay {
	const struct policy *policy; /* the caller's, set before replay_run */
	uint64_t counts[REPLAY_CLASS_COUNT];
	struct replay_change *changes;
	size_t change_count;
	uint64_t left_off;
	bool damaged;  /* something did not open, or is not what the audit
			  names: the result is not the whole truth */
	bool with_log; /* the audit was there to compare with */

	/* inside */
	int folder;
	const char *identity;
	struct span since; /* "" or a time as records have it, or its front */
	struct replay_record *records;
	size_t record_count;
	uint64_t last;	   /* record of the audit when it was read */
	uint64_t began_ms; /* before it was */
	unsigned char wrapped_hash[SHA256_BYTES]; /* whose key `first` is */
	unsigned char first[SEAL_KEY_BYTES];
	bool has_first;
	struct json_doc doc;
	unsigned char *sealed, *opened; /* one row */
};

/* Open the folder of segments, and read the audit in the folder above if it is
 * one. Strings are borrowed. 0; -ERR_RANGE: no such time; -ERR_NOT_FOUND,
 * -ERR_PEER, -ERR_IO; with words in `reason`. */
int replay_open(struct replay *r, const char *path, const char *identity,
    const char *since, char *reason, size_t room);

/* All of it. What cannot be opened is told on standard error. */
void replay_run(struct replay *r);

/* Frees the policy too. */
void replay_close(struct replay *r);

#endif
