/*
 * What a person would have seen: the sink into which plain text and HTML are
 * rendered. Visible text, links, and a count of what was hidden and why. Runs
 * in the reader's worker; everything it is given is hostile.
 */
#ifndef TRIZONE_READER_VISIBLE_H
#define TRIZONE_READER_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/text.h"
#include "reader/bidi.h"

enum hidden {
#define HIDDEN(name, text) HIDDEN_##name,
#include "reader/hidden.def"
#undef HIDDEN
	HIDDEN_COUNT
};

/* The reason as it stands in the clean object: "display-none". */
const char *hidden_name(enum hidden reason);

/* Whether a character leaves ink: it is neither blank nor invisible. */
bool visible_has_ink(uint32_t code);

struct visible_limits {
	size_t text_bytes;   /* of visible text; 0: 1 MiB */
	size_t links;	     /* number kept; 0: 500 */
	size_t link_bytes;   /* longest link kept; 0: 2,048 */
	size_t record_bytes; /* excerpts for the operator; 0: 64 KiB */
	size_t hidden_bytes; /* of hidden text, for the detector; 0: 512 KiB */
};

/* Offsets into visible.link_bytes; both texts are valid UTF-8 without line
 * ends, control or invisible characters. */
struct visible_link {
	uint32_t text_start, text_bytes;
	uint32_t url_start, url_bytes;
};

struct visible {
	struct visible_limits limits;
	struct buf text; /* valid UTF-8, \n line ends, no control characters */
	struct buf link_bytes;
	struct visible_link *links;
	size_t link_count, link_cap;
	uint64_t links_dropped;
	uint64_t text_dropped; /* characters beyond the limit */
	uint64_t hidden_runs[HIDDEN_COUNT];
	uint64_t hidden_chars[HIDDEN_COUNT]; /* blanks are not counted */
	struct buf record; /* lines "reason<TAB>excerpt\n" for the operator */
	uint64_t record_dropped; /* hidden characters without room there */
	struct buf hidden;	 /* hidden text, a line for each run */
	uint64_t replaced;	 /* U+FFFD put in for broken bytes */
	bool style_unsure;	 /* a style that may hide was not understood */

	/* Private: the hidden run that the next characters may go on. */
	enum hidden run;
	bool run_open, run_blank, after_cr;
	struct bidi bidi;
	size_t run_room; /* bytes its excerpt may still take */
};

/* `limits` may be NULL. Free with visible_done. */
void visible_init(struct visible *v, const struct visible_limits *limits);
void visible_done(struct visible *v);

/* Text a person sees. Bytes need not be valid UTF-8, but a character must not
 * be split over two calls. Invisible characters (zero-width, bidi controls,
 * tags, variation selectors, other controls) are taken out and counted; CR LF,
 * CR, form feed and the Unicode line ends become \n, a tab one blank. What is
 * between a directional override and its end, which may be in a later call,
 * ends in the order in which it is seen (reader/bidi.h). */
void visible_add(struct visible *v, const char *text, size_t bytes);

/* The text is whole: overrides that are open end. Before v->text is read. */
void visible_end(struct visible *v);

/* Around text of ours: an override outside does not change its order. */
void visible_isolate(struct visible *v, bool on);

/* Text a person does not see: one run. Only blanks: no run. */
void visible_hide(
    struct visible *v, enum hidden reason, const char *text, size_t bytes);

/* The same, but goes on with the run before it if that has the same reason
 * and no visible text came between. */
void visible_hide_more(
    struct visible *v, enum hidden reason, const char *text, size_t bytes);

/* The hidden text that comes next starts a run of its own. */
void visible_hide_end(struct visible *v);

/* A link with its visible text. One whose URL is longer than the limit is
 * counted in links_dropped, not cut: a cut URL is another URL. */
void visible_link(struct visible *v, struct span text, struct span url);

#endif
