/*
 * Regular expressions with a price. The operator writes the patterns, hostile
 * peers the texts. PCRE2's own match limit counts anew at each start position
 * and does not see long repeats, so a callout before every item charges the
 * distance travelled; match, depth and heap limits stand behind it. No JIT:
 * it needs memory that is writable and executable.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "executor/pattern.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/pattern_ecma.h"

#define MATCH_LIMIT 1000000u /* backtracking points at one start position */
#define DEPTH_LIMIT 100000u  /* nested backtracking points */
#define HEAP_LIMIT_KIB 4096u /* for the backtracking points */

#define TRANSLATED_MAX (64u * 1024)

#define COMPILE_OPTIONS                                                        \
	(PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_AUTO_CALLOUT |               \
	    PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX |                         \
	    PCRE2_ALLOW_EMPTY_CLASS)

#define PREFIX_BYTES 32

struct pattern {
	pcre2_code *code;
	/* what every text it matches begins with; spares most texts PCRE2 */
	char prefix[PREFIX_BYTES];
	size_t prefix_bytes;
};

/* What one match has cost so far. */
struct meter {
	uint64_t *work;
	size_t last; /* offset at the last callout */
};

/* The match area, 20 KiB and more, is shared: it carries nothing from one
 * match to the next, and a policy may have thousands of patterns. */
static struct {
	size_t users; /* patterns alive */
	pcre2_match_context *context;
	pcre2_match_data *data;
} area;

static int
charge(pcre2_callout_block *block, void *data)
{
	struct meter *meter = data;
	size_t at = block->current_position;
	uint64_t cost =
	    1 + (at > meter->last ? at - meter->last : meter->last - at);

	meter->last = at;
	if (cost > *meter->work) {
		*meter->work = 0;
		return PCRE2_ERROR_MATCHLIMIT;
	}
	*meter->work -= cost;
	return 0;
}

static void
area_enter(void)
{
	if (area.users++ != 0)
		return;
	area.context = pcre2_match_context_create(NULL);
	area.data = pcre2_match_data_create(1, NULL);
	if (area.context == NULL || area.data == NULL)
		die(EXIT_SYSTEM, "out of memory for patterns");
	pcre2_set_match_limit(area.context, MATCH_LIMIT);
	pcre2_set_depth_limit(area.context, DEPTH_LIMIT);
	pcre2_set_heap_limit(area.context, HEAP_LIMIT_KIB);
}

static void
area_leave(void)
{
	if (--area.users != 0)
		return;
	pcre2_match_data_free(area.data);
	pcre2_match_context_free(area.context);
	area.data = NULL;
	area.context = NULL;
}

static pcre2_compile_context *
compile_context_new(void)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	if (context == NULL)
		die(EXIT_SYSTEM, "out of memory for patterns");
	pcre2_set_newline(context, PCRE2_NEWLINE_ANY);
	pcre2_set_parens_nest_limit(context, PATTERN_MAX_NESTING);
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	return context;
}

static int
refuse(char *detail, size_t room, size_t at, const char *reason)
{
	snprintf(detail, room, "pattern, at its byte %zu: %s", at, reason);
	return -ERR_SYNTAX;
}

/* Comparing what was matched before has a cost that no callout sees. */
static bool
refers_back(const pcre2_code *code)
{
	uint32_t highest;

	return pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &highest) != 0 ||
	       highest != 0;
}

/* Where in `source` the translation's byte `offset` comes from. */
static size_t
find_origin(struct span source, size_t offset)
{
	size_t n = 0;
	struct buf out;

	buf_init(&out, TRANSLATED_MAX);
	while (n < source.n) {
		buf_clear(&out);
		pattern_translate(&out, (struct span){source.p, n + 1});
		if (out.len >= offset)
			break;
		n++;
	}
	buf_free(&out);
	return offset == 0 || n == source.n ? n : n + 1;
}

/* The same pattern for PCRE2. */
static int
translate(struct span source, struct buf *out, char *detail, size_t room)
{
	size_t foreign = pattern_translate(out, source);

	if (source.n > PATTERN_MAX_BYTES || out->overflow) {
		snprintf(detail, room, "pattern longer than %u bytes",
		    PATTERN_MAX_BYTES);
		return -ERR_TOO_LARGE;
	}
	if (foreign != source.n)
		return refuse(detail, room, foreign,
		    "not of the kinds in trizone-policy(5)");
	return 0;
}

static int
compile(struct span source, struct buf *out, pcre2_code **code_out,
    char *detail, size_t room)
{
	pcre2_compile_context *context;
	PCRE2_UCHAR text[120];
	PCRE2_SIZE offset;
	int error, rc = translate(source, out, detail, room);

	if (rc != 0)
		return rc;
	context = compile_context_new();
	*code_out = pcre2_compile((PCRE2_SPTR)(out->len == 0 ? "" : out->data),
	    out->len, COMPILE_OPTIONS, &error, &offset, context);
	pcre2_compile_context_free(context);
	if (*code_out != NULL)
		return 0;
	pcre2_get_error_message(error, text, sizeof text);
	return refuse(
	    detail, room, find_origin(source, offset), (const char *)text);
}

static bool
is_literal(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" @_:/,", c) != NULL);
}

/* Plain characters behind a leading ^, but for the last where one that may be
 * a quantifier follows. With | anywhere there is no such prefix. */
static void
find_prefix(struct pattern *pattern, struct span source)
{
	size_t n = 0;

	if (source.n == 0 || source.p[0] != '^' ||
	    memchr(source.p, '|', source.n) != NULL)
		return;
	while (
	    n < PREFIX_BYTES && n + 1 < source.n && is_literal(source.p[n + 1]))
		n++;
	if (n > 0 && n + 1 < source.n &&
	    strchr("*+?{", source.p[n + 1]) != NULL)
		n--;
	memcpy(pattern->prefix, source.p + 1, n);
	pattern->prefix_bytes = n;
}

int
pattern_compile(
    struct span source, struct pattern **pattern_out, char *detail, size_t room)
{
	pcre2_code *code = NULL;
	struct buf out;
	int rc;

	buf_init(&out, TRANSLATED_MAX);
	rc = compile(source, &out, &code, detail, room);
	buf_free(&out);
	if (rc != 0)
		return rc;
	if (refers_back(code)) {
		pcre2_code_free(code);
		return refuse(detail, room, source.n,
		    "back references cost too much to match");
	}
	area_enter();
	*pattern_out = alloc_bytes(sizeof **pattern_out);
	(*pattern_out)->code = code;
	find_prefix(*pattern_out, source);
	return 0;
}

void
pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_code_free(pattern->code);
	free(pattern);
	area_leave();
}

int
pattern_match(const struct pattern *pattern, struct span text, uint64_t *work,
    bool *match_out)
{
	struct meter meter = {.work = work};
	int rc;

	if (text.n >= *work) {
		*work = 0;
		return -ERR_LIMIT;
	}
	*work -= text.n;
	if (text.n < pattern->prefix_bytes ||
	    memcmp(text.n == 0 ? "" : text.p, pattern->prefix,
		pattern->prefix_bytes) != 0) {
		*match_out = false;
		return 0;
	}
	pcre2_set_callout(area.context, charge, &meter);
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)(text.n == 0 ? "" : text.p),
	    text.n, 0, 0, area.data, area.context);
	pcre2_set_callout(area.context, NULL, NULL);
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH) {
		*match_out = rc >= 0;
		return 0;
	}
	if (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21)
		return -ERR_UTF8;
	return -ERR_LIMIT;
}
