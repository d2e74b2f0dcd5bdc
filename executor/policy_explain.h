/*
 * Why a call is decided as it is, and the smallest change that would alter
 * that. Says only what decide() says: the decision is its own, and a change is
 * told after decide() was asked with it applied. Pure but for memory.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_EXPLAIN_H
#define TRIZONE_EXECUTOR_POLICY_EXPLAIN_H

#include "executor/policy.h"
#include "executor/policy_impl.h"

/* Stands for a zone that no rule names; no name looks like it. */
#define EXPLAIN_OTHER_ZONE "(another)"
#define EXPLAIN_TRIES 30000u	  /* decisions asked for, of a small policy */
#define EXPLAIN_TRIES_LEAST 2000u /* and of a large one, beside single ones */

/* Why a rule does not match, all reasons at once. */
struct misses {
	bool effects; /* of the call; nothing of a session changes them */
	bool zone, hours;
	unsigned legs;	/* that the session has and must not have */
	unsigned roles; /* bits by enum from: origins it does not accept */
	unsigned none;	/* of these, roles the call has no value of */
	bool arguments; /* they do not fit its schema */
	bool unclear;	/* whether they do takes too much work */
};

/* A rule that names the capability and was looked at, in order. */
struct explained_rule {
	const struct rule *rule;
	bool matched;
	struct misses misses;
};

/* What would have to be different. The spans of `request` are those of the
 * call or of the policy, its `supposed` is this struct's. */
struct change {
	unsigned size; /* how many things; 0: none was found */
	bool complete; /* nothing smaller exists in legs, origins, zone, time
			  and count; else nothing smaller was found */
	struct decide_request request;
	unsigned supposed[FROM_COUNT];
	unsigned roles;	   /* bits by enum from that it supposes anew */
	unsigned together; /* those of them that need all their origins */
	struct decision decision; /* with it */
};

struct explanation {
	struct decision decision;
	unsigned effects; /* enum effect bits of this call */
	struct leaves leaves;
	struct explained_rule *rules;
	size_t rule_count;
	struct change change;
};

/* Fill `out`; explanation_done frees what is in it. Policy and request have
 * to outlive it. */
void explain(const struct policy *policy, const struct decide_request *request,
    struct explanation *out);
void explanation_done(struct explanation *explanation);

/* In words, and as one JSON object. policy_explain_print.c. */
void explanation_print(const struct explanation *explanation,
    const struct decide_request *request, const struct policy *policy,
    struct buf *out);
void explanation_print_json(const struct explanation *explanation,
    const struct decide_request *request, const struct policy *policy,
    struct buf *out);

/* What the whole policy means: capability, verdict, conditions; 80 columns
 * wide, and as one JSON object. policy_table.c. */
void policy_table_print(const struct policy *policy, struct buf *out);
void policy_table_print_json(const struct policy *policy, struct buf *out);

/* The conditions of a rule as short phrases ("destination from operator, book",
 * "no leg A"), each given to `each`. policy_table.c. */
void rule_phrases(const struct rule *rule,
    void (*each)(void *context, const char *phrase), void *context);

#endif
