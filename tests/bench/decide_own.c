/*
 * One decision of the broker, over and over: the last of RULES rules matches.
 *
 *   decide_own mixed|schema|email RULES COUNT
 *
 * mixed: a third of the rules before it name another zone, a third a leg the
 * session has, a third an argument with another value. schema: each has a
 * schema of four keywords. email: each asserts a format and a pattern. Time is
 * the process's own; a sample is as many decisions as look at SAMPLE_RULES
 * rules, since the clock itself takes time. An allocation after the first
 * decision ends the program, and so does memory that grows. %zu in
 * a condition is the rule's number.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/policy.h"
#include "tests/bench/bench.h"

#define POLICY_BYTES (1u << 20)
#define KEPT_KIB 256 /* code that is read for the first time */
#define SAMPLE_RULES 10000
#define CAPABILITY                                                               \
	"{\"name\":\"t\",\"kind\":\"notify\",\"method\":\"send\",\"why\":\"w\"," \
	"\"settings\":{\"to\":\"syslog\"}}"

static const char *const mixed[] = {"\"zone\":\"helper\"",
    "\"without_legs\":[\"B\"]",
    "\"arguments\":{\"properties\":{\"text\":{\"const\":\"n%zu\"}}}"};
static const char *const schema[] = {
    "\"arguments\":{\"type\":\"object\",\"required\":[\"text\"],"
    "\"properties\":{\"title\":{\"maxLength\":9},\"text\":{\"type\":"
    "\"string\",\"minLength\":99}},\"additionalProperties\":false}"};
static const char *const email[] = {
    "\"arguments\":{\"properties\":{\"title\":{\"format\":\"email\"},"
    "\"text\":{\"pattern\":\"^Dear %zu\"}}}"};

/*
 * Every allocation of the process is counted, PCRE2's too (glibc).
 */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

static size_t allocations;

void *
malloc(size_t bytes)
{
	allocations++;
	return __libc_malloc(bytes);
}

void *
calloc(size_t count, size_t bytes)
{
	allocations++;
	return __libc_calloc(count, bytes);
}

void *
realloc(void *old, size_t bytes)
{
	allocations++;
	return __libc_realloc(old, bytes);
}

static size_t
resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1)
		errx(1, "/proc/self/statm does not tell");
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void
add_condition(struct buf *text, const char *condition, size_t number)
{
	const char *at = strstr(condition, "%zu");

	if (at == NULL) {
		buf_add_text(text, condition);
		return;
	}
	buf_add_format(text, "%.*s%zu%s", (int)(at - condition), condition,
	    number, at + strlen("%zu"));
}

static struct policy *
policy_of(const char *const *conditions, size_t kinds, size_t rules)
{
	struct policy *policy = NULL;
	struct json_error where;
	struct buf text;

	buf_init(&text, POLICY_BYTES);
	buf_add_text(&text,
	    "{\"version\":1,\"capabilities\":[" CAPABILITY "],\"rules\":[");
	for (size_t i = 1; i < rules; i++) {
		buf_add_format(&text,
		    "{\"id\":\"r%zu\",\"why\":\"w\",\"verdict\":\"deny\","
		    "\"capability\":\"t\",",
		    i);
		add_condition(&text, conditions[i % kinds], i);
		buf_add_text(&text, "},");
	}
	buf_add_text(&text, "{\"id\":\"last\",\"why\":\"w\",\"verdict\":"
			    "\"allow\",\"capability\":\"t\"}]}");
	if (text.overflow)
		errx(1, "the policy does not fit %u bytes", POLICY_BYTES);
	if (policy_parse((struct span){text.data, text.len}, &policy, &where) !=
	    0)
		errx(1, "the policy does not load: %s", where.detail);
	buf_free(&text);
	return policy;
}

static struct policy *
policy_named(const char *name, size_t rules)
{
	if (strcmp(name, "mixed") == 0)
		return policy_of(mixed, sizeof mixed / sizeof mixed[0], rules);
	return policy_of(strcmp(name, "email") == 0 ? email : schema, 1, rules);
}

int
main(int argc, char **argv)
{
	struct decide_request request = {
	    .capability = SPAN("t"), .zone = SPAN("planner"), .legs = LEG_B};
	struct decision decision;
	struct policy *policy;
	struct bench bench;
	struct json_doc doc;
	size_t rules, count, batch, resident, before;

	if (argc != 4)
		errx(64, "usage: decide_own mixed|schema|email RULES COUNT");
	rules = bench_count(argv[2]);
	count = bench_count(argv[3]);
	policy = policy_named(argv[1], rules);
	json_init(&doc);
	if (json_parse(&doc,
		SPAN("{\"title\":\"ada@example.org\",\"text\":\"The draft of "
		     "the minutes is in the shared folder.\"}"),
		NULL, NULL) != 0)
		errx(1, "the request is no JSON");
	request.doc = &doc;
	request.arguments = json_root(&doc);
	batch = rules < SAMPLE_RULES ? SAMPLE_RULES / rules : 1;
	decide(policy, &request, &decision);
	bench_begin(&bench, count);
	resident = resident_kib();
	before = allocations;
	for (size_t i = 0; i < count; i += batch) {
		double begin = bench_cpu_us();

		for (size_t j = 0; j < batch; j++)
			decide(policy, &request, &decision);
		bench_add(&bench, (bench_cpu_us() - begin) / (double)batch);
		if (decision.rule_number != rules)
			errx(1, "rule %s matches", decision.rule);
	}
	if (allocations != before)
		errx(1, "%zu allocations", allocations - before);
	if (resident_kib() > resident + KEPT_KIB)
		errx(
		    1, "%zu KiB of memory, from %zu", resident_kib(), resident);
	bench_end(&bench, count);
	json_done(&doc);
	policy_free(policy);
	return 0;
}
