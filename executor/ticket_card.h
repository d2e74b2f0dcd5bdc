/*
 * What a person sees of a ticket before he decides, and the grant he gives.
 * Pure: the same ticket, policy and legs make the same card.
 */
#ifndef TRIZONE_EXECUTOR_TICKET_CARD_H
#define TRIZONE_EXECUTOR_TICKET_CARD_H

#include "executor/policy.h"
#include "executor/ticket.h"

#define CARD_MAX_BYTES (400u * 1024) /* a frame holds it escaped */
#define CARD_CODE_BYTES 9	     /* eight digits and a NUL */
#define CARD_VALUE_CHARS 300	     /* of one value; all of it is below */
#define CARD_VALUES 64
#define CARD_ARGUMENT_BYTES 65536 /* of the rendered bytes */

/* Append the card: plain text, lines. Nothing in it moves a cursor, changes a
 * direction or is invisible; what was cut or replaced is said. `legs` are
 * those the session has now. 0, or the error of parsing the arguments. */
int card_write(struct buf *out, const struct ticket *ticket,
    const struct policy *policy, unsigned legs);

/* A line of a card: a label of ours and a text that is made inert. And a time,
 * which ends the line. */
void card_line(struct buf *out, const char *label, const char *text);
void card_time(struct buf *out, int64_t ms);

/* The short code of a card: the first digits of its SHA-256. */
void card_code(struct span card, char out[CARD_CODE_BYTES]);

/* SHA-256 of what the policy says of a capability: an operator who changes its
 * host or root makes another one of it. Of "" if there is none. */
void card_capability(const struct policy *policy, struct span name,
    unsigned char hash_out[SHA256_BYTES]);

/*
 * The grant for a ticket: SHA-256 over a JSON array of ticket, when it was
 * opened, how many grants it has had, session, zone, capability, the SHA-256 of
 * what the policy says of that, destination, legs, origins, deciding rule and
 * rendered bytes. `approvals` and `legs` are
 * taken from the ticket. The number is the hash's first 53 bits; never 0.
 */
void grant_hash(const struct ticket *ticket, const struct policy *policy,
    unsigned char hash_out[SHA256_BYTES], uint64_t *number_out);

/* A stored call taken apart. `request` is what decide() gets, but for counters,
 * time and rules of "don't ask again", and borrows from all of this, so it must
 * not be moved. */
struct stored_call {
	struct decide_request request;
	struct json_doc doc, origins;
	struct decide_value values[DECIDE_VALUES_MAX];
};

/* 0 or -ERR_CORRUPT; free with stored_call_close in any case. */
int stored_call_open(
    struct stored_call *call, const struct ticket *ticket, unsigned legs);
void stored_call_close(struct stored_call *call);

#endif
