/*
 * A policy with a kind that sends mail to addresses and one that pays (the stub
 * of tests/replay), and calls that are decided as the broker does it.
 */
#ifndef TRIZONE_TESTS_UNIT_TRIAL_H
#define TRIZONE_TESTS_UNIT_TRIAL_H

#include "executor/counter.h"
#include "executor/facts.h"
#include "executor/leak.h"
#include "executor/policy.h"

#define MAIL                                                                   \
	"{\"name\":\"mail.send\",\"kind\":\"stub\",\"method\":\"call\","       \
	"\"why\":\"w\",\"arguments\":{\"type\":\"object\"},"                   \
	"\"settings\":{\"effects\":[\"leaves\"],\"arguments\":["               \
	"{\"name\":\"to\",\"role\":\"destination\",\"type\":\"address\"},"     \
	"{\"name\":\"text\",\"role\":\"content\",\"type\":\"text\"}]}%s}"
#define PAY                                                                    \
	"{\"name\":\"bank.pay\",\"kind\":\"stub\",\"method\":\"call\","        \
	"\"why\":\"w\",\"arguments\":{\"type\":\"object\"},"                   \
	"\"settings\":{\"effects\":[\"leaves\",\"transacts\"],"                \
	"\"arguments\":["                                                      \
	"{\"name\":\"to\",\"role\":\"destination\",\"type\":\"id\"},"          \
	"{\"name\":\"amount\",\"role\":\"content\",\"type\":\"number\","       \
	"\"what\":\"money\"}]}}"
#define ALLOW                                                                  \
	"{\"id\":\"yes\",\"why\":\"w\",\"verdict\":\"allow\","                 \
	"\"capability\":[\"mail.send\",\"bank.pay\"]%s}"

/* The capabilities "mail.send" and "bank.pay", which one rule allows; `more`
 * are members of the policy, `outbound` of mail.send, `condition` of the rule,
 * each with a comma before it. */
struct policy *policy_of(
    const char *more, const char *outbound, const char *condition);

/* One call, decided as the broker does it. */
struct trial {
	struct policy *policy;
	struct counters *counters;
	struct leak leak;
	struct facts *facts;
	unsigned legs;
	int64_t session, now;
	bool timed; /* nothing but the call itself */
	struct decision decision;
	struct charge charge;
	destination_labels labels;
};

/* The policy is the trial's then. */
void trial_begin(struct trial *t, struct policy *policy);
void trial_end(struct trial *t);

/* Decide, and take what an allow takes. The id of the rule. */
const char *call(struct trial *t, const char *name, const char *arguments);
const char *mail_to(struct trial *t, const char *to);

#endif
