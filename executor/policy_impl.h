/*
 * What the files of the policy module share; nobody else includes this.
 */
#ifndef TRIZONE_EXECUTOR_POLICY_IMPL_H
#define TRIZONE_EXECUTOR_POLICY_IMPL_H

#include "executor/policy.h"
#include "executor/schema.h"

#define SET_WORDS (POLICY_MAX_CAPABILITIES / 64)

/* Which values a rule's "from" speaks of: arguments of a role, and links. */
enum from {
	FROM_DESTINATION = ARGUMENT_DESTINATION,
	FROM_OBJECT = ARGUMENT_OBJECT,
	FROM_TITLE = ARGUMENT_TITLE,
	FROM_CONTENT = ARGUMENT_CONTENT,
	FROM_SELECTOR = ARGUMENT_SELECTOR,
	FROM_LINKS, /* URLs in titles and content; there need not be any */
	FROM_COUNT
};

const char *from_name(enum from from);

#define DAY_MINUTES (24 * 60)
#define WEEK_MINUTES (7 * DAY_MINUTES)

struct rule {
	char *id;
	char *why;
	enum verdict verdict;
	bool any;		  /* "*": also what does not exist later */
	uint64_t set[SET_WORDS];  /* else: one bit per capability number */
	char *zone;		  /* NULL: any */
	struct schema *arguments; /* NULL: any */
	unsigned without_legs;
	unsigned effects_has, effects_not; /* enum effect bits */
	unsigned from[FROM_COUNT];	   /* enum origin bits; 0: any */
	char *model_after_untrusted;	   /* its why; NULL: not accepted */
	bool has_hours;
	uint32_t hours_from, hours_to; /* minutes of a day; to > from */
	unsigned days;		       /* bit 0 is Monday */
};

/* What most rules are passed over by, in 20 bytes. */
struct probe {
	uint32_t zone; /* hash of its name; 0: any */
	uint32_t text; /* hash of what the argument has to be, if it is there */
	uint32_t effects_has, effects_not;
	unsigned char key; /* number of that argument's name; 0: none */
	unsigned char without_legs;
	bool denies;
};
#define INDEX_KEYS_MAX 15 /* names of arguments that rules ask for */
/* What stands for a hash: there is none; there is one, but no text. */
enum { INDEX_ABSENT, INDEX_OTHER };

/* policy_index.c */
struct rule_index {
	struct probe *probes; /* by rule */
	uint64_t *named;      /* by capability: one bit for each rule */
	size_t words;	      /* of one capability's */
	struct span keys[INDEX_KEYS_MAX];
	unsigned char key_count;
};

/* An exception from the floor. */
struct floor_exception {
	char *why;
	uint64_t set[SET_WORDS];
};

struct limit_row {
	struct limit limit;
	bool any; /* "*" */
	uint64_t set[SET_WORDS];
};

/* Most bytes that may leak. */
struct leak_caps {
	bool capped, deny; /* else: ask */
	uint64_t destination, session;
};

struct policy {
	struct capability **capabilities; /* by number, in text order */
	uint32_t capability_count;
	uint32_t *by_name; /* numbers, ordered by name */
	struct rule *rules;
	uint32_t rule_count;
	struct rule_index index;
	enum verdict floor; /* of the third leg: ask or deny */
	struct floor_exception *exceptions;
	uint32_t exception_count;
	struct extract **extracts;
	uint32_t extract_count;
	struct limit_row *limits;
	uint32_t limit_count;
	struct leak_caps leak;
	struct model firewall;
};

/* 10,000 rules of ten values, and schemas. */
extern const struct json_limits policy_text_limits;

/* Fill `capability`, which is zero, from its object; the caller frees it with
 * capability_free in any case. capability.c. */
int capability_read(const struct json_doc *doc, const struct json_node *node,
    struct capability *capability, struct json_error *where);

/* A copy of a string node. */
char *policy_string(const struct json_node *node);

/* Whether the rule speaks of the capability of that number. */
bool rule_names(const struct rule *rule, uint32_t number);

/* policy_index.c: once the rules are read; and free what that made. */
void index_make(struct policy *policy);
void index_done(struct policy *policy);
uint32_t index_hash(struct span text);
/* Of each key, by its number, what a call has for it. */
void index_look(const struct rule_index *index, const struct json_doc *doc,
    const struct json_node *arguments, uint32_t found_out[INDEX_KEYS_MAX + 1]);
/* The next rule from `from` on that names the capability; rule_count if there
 * is none. */
uint32_t index_next(
    const struct policy *policy, uint32_t capability, uint32_t from);

/* Whether an exception from the floor names the capability. */
bool floor_excepts(const struct policy *policy, uint32_t number);

/* Legs of enum effect bits, enum leg bits. */
unsigned effects_legs(unsigned effects);

/* policy_rule.c: fill `rule`, which is zero, and free what is in it. */
int rule_read(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct rule *rule, struct json_error *where);
void rule_done(struct rule *rule);
/* A list of words, each at most once, as bits. */
enum policy_words { POLICY_LEGS, POLICY_DAYS, POLICY_ORIGINS, POLICY_EFFECTS };
int policy_bits_read(const struct json_doc *doc, const struct json_node *list,
    enum policy_words words, unsigned *bits_out, struct json_error *where);
/* An object of lists of origins by role. */
int policy_from_read(const struct json_doc *doc, const struct json_node *node,
    unsigned from_out[FROM_COUNT], struct json_error *where);
/* "08:30" in minutes; "24:00" is the end of the day. False: it is none. */
bool clock_read(struct span text, uint32_t *minutes_out);
/* "mon" of 0. */
const char *day_name(unsigned day);
/* A list of names, or one, into a set of capability numbers. */
int capability_set_read(const struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, uint64_t set[SET_WORDS],
    struct json_error *where);

/* What an operator's command may watch of a decision: each rule that names the
 * capability and was looked at, in order. `rc` is 0 if it matched, -ERR_DENIED
 * if not, else it could not be found out. */
typedef void decide_watch(void *context, const struct rule *rule, int rc);
/* decide(), watched. */
void decide_watched(const struct policy *policy,
    const struct decide_request *request, struct decision *decision_out,
    decide_watch *watch, void *context);
struct leaves;
/* Parts of it, for who says why: whether it is the rule's time, the origins it
 * names of a role in a session with these legs, and whether the values of that
 * role have them: each, or of a rule that denies one. */
bool rule_in_hours(const struct rule *rule, uint32_t week_minute);
unsigned rule_accepts(const struct rule *rule, enum from from, unsigned legs);
bool rule_fits(const struct rule *rule, enum from from,
    const struct leaves *leaves, unsigned legs);

/* For `check`. */
void policy_firewall_print(const struct policy *policy, struct buf *out);
void policy_firewall_json(const struct policy *policy, struct json_writer *w);
/* As policy_change. */
int policy_firewall_change(const struct policy *old,
    const struct policy *new_one, char *reason, size_t room);
void limits_print(const struct policy *policy, struct buf *out);
void limits_print_json(const struct policy *policy, struct json_writer *w);

/* policy_limit.c: "limits" and "leak", each of which may be NULL. */
int limits_read(struct policy *policy, const struct json_doc *doc,
    const struct json_node *list, struct json_error *where);
void limits_done(struct policy *policy);
int leak_read(struct policy *policy, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where);

/*
 * decide_value.c: the values of one call and where they came from. Filled at
 * the first rule that asks, as most calls meet none.
 */
struct leaves {
	struct {
		enum from from;
		unsigned origins;
		uint32_t bytes;
	} at[DECIDE_VALUES_MAX];
	uint32_t count;
	bool filled, too_many;
	bool unknown; /* the request's values do not have one of them */
	struct decide_value *found; /* or NULL: what is found goes here too */
	struct label *labels;	    /* of each, for people; or NULL */
	struct span argument;	    /* whose values are being added */
};

void leaves_fill(struct leaves *leaves, const struct decide_request *request,
    const struct kind_effects *effects);
/* Bytes and number of values that may carry something out: titles and content
 * that are not the operator's own words, and destinations, objects and
 * selectors that were seen nowhere or in prose only, as a URL with data in its
 * path. */
void leaves_leak(
    const struct leaves *leaves, uint64_t *bytes_out, uint32_t *fields_out);
/* Whether each value of that role has an origin in `origins`, and there is
 * one; links may be none. */
bool leaves_accept(
    const struct leaves *leaves, enum from from, unsigned origins);
/* Whether a value of that role has one, or that cannot be told, as there are
 * more values than are looked at. */
bool leaves_have(const struct leaves *leaves, enum from from, unsigned origins);
/* The first rule of "don't ask again" that fits a call of `capability`, which
 * `asked_by` asks about; NULL if there is none. */
const struct again *again_find(const struct decide_request *request,
    const struct capability *capability, const char *asked_by);

#endif
