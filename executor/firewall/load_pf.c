/*
 * Rules in an anchor of pf, which the main file names before the anchors of
 * others. That file is changed once, in marks, and a copy of what it was kept;
 * what an update of the system takes out is put in again.
 */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/run.h"
#include "executor/firewall/load_impl.h"
#include "executor/firewall/text.h"

#define MAIN_FILE "/private/etc/pf.conf"
#define ANCHOR_FILE "/private/etc/pf.anchors/" TEXT_TABLE
#define TOKEN_FILE "/private/etc/pf.anchors/" TEXT_TABLE ".token"
#define TOKEN_BYTES 40
#define TOOL_MS 10000

static int
edit_main(void *data, struct span old, struct buf *out)
{
	return text_pf_main(old, *(const bool *)data, out);
}

static int
edit_whole(void *data, struct span old, struct buf *out)
{
	const struct buf *text = data;

	(void)old;
	return buf_add(out, text->data, text->len);
}

static int
write_whole(struct load *l, const char *path, struct buf *text)
{
	return firewall_edit(
	    "", path, edit_whole, text, l->said, l->reason, l->room);
}

static int
write_main(struct load *l, bool with)
{
	return firewall_edit(
	    "", MAIN_FILE, edit_main, &with, l->said, l->reason, l->room);
}

static int
write_anchor(struct load *l, const struct model *want)
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	text_pf(want, &text);
	rc = write_whole(l, ANCHOR_FILE, &text);
	buf_free(&text);
	return rc;
}

static bool
is_main_anchor(struct span line)
{
	return span_starts(line, "anchor \"" TEXT_TABLE "\"");
}

/* Whether the main rules ask our anchor, and before all others. */
static int
check_main(struct load *l)
{
	static const char *const words[] = {"pfctl", "-q", "-sr", NULL};
	struct buf listing;
	struct span rest, line;
	bool first = true, found = false;
	int rc;

	buf_init(&listing, TEXT_MAX_BYTES);
	rc = firewall_tool(words, SPAN(""), &listing, l->reason, l->room);
	rest = load_view(&listing);
	while (rc == 0 && !found && firewall_line(&rest, &line)) {
		found = first && is_main_anchor(line);
		if (!span_starts(line, "scrub"))
			first = false;
	}
	buf_free(&listing);
	if (rc == 0 && !found) {
		(void)snprintf(l->reason, l->room,
		    "the main rules of pf do not begin with our anchor: an "
		    "update may have replaced " MAIN_FILE "; apply again");
		rc = -ERR_UNAVAILABLE;
	}
	return rc;
}

static int
check_enabled(struct load *l)
{
	static const char *const words[] = {"pfctl", "-q", "-si", NULL};
	struct buf listing;
	int rc;

	buf_init(&listing, TEXT_MAX_BYTES);
	rc = firewall_tool(words, SPAN(""), &listing, l->reason, l->room);
	if (rc == 0 && !span_starts(load_view(&listing), "Status: Enabled")) {
		(void)snprintf(l->reason, l->room, "pf is not enabled");
		rc = -ERR_UNAVAILABLE;
	}
	buf_free(&listing);
	return rc;
}

/*
 * `pfctl -E` counts who wants pf enabled, and gives each a token; with it he
 * says that he wants it no more.
 */
static int
pfctl_token(struct load *l, struct buf *said)
{
	char path[128];
	const char *const argv[] = {path, "-E", NULL};
	int status = 0, rc = -ERR_UNAVAILABLE;

	if (run_find(firewall_tools.folders, "pfctl", path, sizeof path))
		rc = run_program(argv, SPAN(""), NULL, said, TOOL_MS, &status);
	if (rc == 0 && status == 0)
		return 0;
	(void)snprintf(l->reason, l->room, "pfctl -E does not enable pf");
	return -ERR_UNAVAILABLE;
}

/* "Token : 1234" */
static bool
find_token(struct span said, struct buf *out)
{
	struct span line;

	while (firewall_line(&said, &line)) {
		if (!span_starts(line, "Token : "))
			continue;
		for (size_t i = 8; i < line.n; i++)
			if (line.p[i] >= '0' && line.p[i] <= '9')
				(void)buf_add_byte(out, line.p[i]);
	}
	return out->len != 0 && !out->overflow;
}

static int
enable(struct load *l)
{
	struct buf said, token;
	int rc = check_enabled(l);

	if (rc == 0)
		return 0;
	buf_init(&said, 4096);
	buf_init(&token, TOKEN_BYTES);
	rc = pfctl_token(l, &said);
	if (rc == 0 && find_token(load_view(&said), &token))
		rc = write_whole(l, TOKEN_FILE, &token);
	buf_free(&said);
	buf_free(&token);
	return rc;
}

static int
copy_token(void *data, struct span old, struct buf *out)
{
	struct buf *token = data;

	(void)buf_add(token, old.p, old.n);
	(void)out;
	return 0; /* and nothing in it from now on */
}

static void
disable(struct load *l)
{
	char unused[LOAD_REASON_BYTES], text[TOKEN_BYTES + 1];
	struct load quiet = {l->said, unused, sizeof unused};
	const char *const words[] = {"pfctl", "-q", "-X", text, NULL};
	struct buf token;

	buf_init(&token, TOKEN_BYTES);
	(void)firewall_edit(
	    "", TOKEN_FILE, copy_token, &token, l->said, unused, sizeof unused);
	if (token.len != 0) {
		memcpy(text, token.data, token.len);
		text[token.len] = '\0';
		(void)load_run(&quiet, words, SPAN(""));
	}
	buf_free(&token);
}

/*
 * The way.
 */
static int
load(struct load *l, const struct model *want)
{
	static const char *const try_main[] = {"pfctl", "-q", "-n", "-f",
	    MAIN_FILE, NULL},
				 *const load_main[] = {"pfctl", "-q", "-f",
				     MAIN_FILE, NULL},
				 *const load_anchor[] = {"pfctl", "-q", "-a",
				     TEXT_TABLE, "-f", ANCHOR_FILE, NULL};
	int rc = write_anchor(l, want);

	if (rc == 0)
		rc = write_main(l, true);
	if (rc == 0)
		rc = load_run(l, load_anchor, SPAN(""));
	if (rc == 0 && check_main(l) != 0) {
		rc = load_run(l, try_main, SPAN(""));
		if (rc == 0)
			rc = load_run(l, load_main, SPAN(""));
	}
	return rc != 0 ? rc : enable(l);
}

static int
check(struct load *l, const struct model *want)
{
	static const char *const words[] = {
	    "pfctl", "-q", "-a", TEXT_TABLE, "-sr", NULL};
	struct buf is, wanted;
	int rc;

	buf_init(&is, TEXT_MAX_BYTES);
	buf_init(&wanted, TEXT_MAX_BYTES);
	text_pf_listing(want, &wanted);
	rc = firewall_tool(words, SPAN(""), &is, l->reason, l->room);
	if (rc == 0)
		rc = firewall_compare("pfctl", load_view(&is),
		    load_view(&wanted), l->reason, l->room);
	buf_free(&is);
	buf_free(&wanted);
	if (rc == 0)
		rc = check_main(l);
	return rc != 0 ? rc : check_enabled(l);
}

static int
parse(struct load *l, const struct model *want)
{
	static const char *const words[] = {
	    "pfctl", "-q", "-n", "-a", TEXT_TABLE, "-f", "-", NULL};
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX_BYTES);
	text_pf(want, &text);
	rc = load_run(l, words, load_view(&text));
	buf_free(&text);
	return rc;
}

static int
take_away(struct load *l)
{
	static const char *const flush[] = {"pfctl", "-q", "-a", TEXT_TABLE,
	    "-F", "all", NULL},
				 *const load_main[] = {
				     "pfctl", "-q", "-f", MAIN_FILE, NULL};
	struct buf nothing;
	int rc = write_main(l, false);

	if (rc == 0)
		rc = load_run(l, load_main, SPAN(""));
	if (rc == 0)
		rc = load_run(l, flush, SPAN(""));
	buf_init(&nothing, 1);
	if (rc == 0)
		rc = write_whole(l, ANCHOR_FILE, &nothing);
	buf_free(&nothing);
	if (rc == 0)
		disable(l);
	return rc;
}

const struct load_way load_pf = {load, check, parse, take_away};
