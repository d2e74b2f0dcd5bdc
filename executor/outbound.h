/*
 * What leaves in words: links nobody of ours named, and markup that shows one
 * thing and fetches another. A program that shows a text may fetch what it
 * takes for a link before anybody looks at it, so a new URL in an outgoing
 * text is a way out for data, whoever the text goes to.
 *
 * A link is found in whatever spelling a mail program, chat or browser would
 * follow: with any scheme, with a scheme and no slashes, "//host", "www.", bare
 * host names and addresses, with full-width or ideographic dots, invisible
 * characters in it, escapes of percent, HTML and Markdown. Where it cannot be
 * known it counts as a link. It is known if the operator's words have it whole;
 * else it is novel.
 *
 * Pure. Linear in the text. Nothing is allocated but in the caller's buffers.
 */
#ifndef TRIZONE_EXECUTOR_OUTBOUND_H
#define TRIZONE_EXECUTOR_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/kind.h"

struct facts; /* executor/facts.h */

/* What becomes of a novel link. */
enum outbound_links {
	OUTBOUND_ALLOW,	 /* it leaves as it is */
	OUTBOUND_DEFANG, /* hxxps://evil[.]example/ leaves */
	OUTBOUND_ASK,	 /* decide() asks */
	OUTBOUND_DENY,	 /* decide() denies */
	OUTBOUND_LINKS_COUNT
};

struct outbound {
	enum outbound_links links;
	bool plain; /* Markdown and HTML are made text: "text <url>",
		       "[image: alt]"; what is left of them is broken */
};

/* "defang"; and back, OUTBOUND_LINKS_COUNT if there is none. */
const char *outbound_links_name(enum outbound_links links);
enum outbound_links outbound_links_find(struct span name);

/* The next link in a text (UTF-8), from *at on; *at is then behind it. */
bool outbound_next(struct span text, size_t *at, struct span *found_out);

/* Whether the operator's words do not have it. `facts` may be NULL. */
bool outbound_is_novel(const struct facts *facts, struct span link);

/* Append the text with its novel links defanged. -ERR_TOO_LARGE. */
int outbound_defang(
    const struct facts *facts, struct span text, struct buf *out);

/* Append the text without markup. -ERR_TOO_LARGE. */
int outbound_plain(struct span text, struct buf *out);

/* Whether the rules have anything to do to these arguments. */
bool outbound_applies(const struct outbound *rules, const struct facts *facts,
    const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects);

/*
 * The arguments as they leave, as JSON behind what is in `out`, and whether any
 * of their texts is another than before. `scratch` is for the work. Only
 * strings of titles, content and what no row declares change. -ERR_TOO_LARGE.
 * Two keys of an object may have become the same, which parsing the result
 * finds.
 */
int outbound_rewrite(const struct outbound *rules, const struct facts *facts,
    const struct json_doc *doc, const struct json_node *arguments,
    const struct kind_effects *effects, struct buf *scratch, struct buf *out,
    bool *changed_out);

#endif
