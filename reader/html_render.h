/*
 * One document on its way to visible text: what html.c, html_collect.c,
 * html_link.c and html_box.c share.
 */
#ifndef TRIZONE_READER_HTML_RENDER_H
#define TRIZONE_READER_HTML_RENDER_H

#include "reader/html_flow.h"
#include "reader/html_place.h"
#include "reader/html_sheet.h"
#include "reader/html_stack.h"
#include "reader/html_token.h"

#define BOXES 4 /* that cut their contents, in each other */

/* The link whose text is being read. */
struct link {
	const struct html_element *element; /* NULL: none */
	struct span href;		    /* raw */
	enum hidden reason;		    /* the whole link is hidden */
	bool seen;			    /* it shows a text or a picture */
	struct buf text;
};

/* A box that cuts what does not fit; lengths in hundredths of a px. */
struct box {
	const struct html_element *element;
	int64_t height;	    /* still to be seen */
	int64_t line;	    /* height of one */
	int64_t line_bytes; /* that a line holds */
	int64_t bytes;	    /* of this line still to be seen */
	bool wraps;	    /* another line begins behind that */
	bool begun;	    /* there is text in it */
};

struct render {
	struct html_tokenizer tokens;
	struct html_token token;
	struct html_token root[2]; /* <html> and <body> */
	struct html_stack stack;
	struct html_sheet sheet;
	struct html_flow flow;
	struct visible *out;
	struct buf scratch; /* of one decoded attribute */
	struct buf second;  /* the same, when two are needed */
	struct link link;
	struct box box[BOXES];
	int64_t pictures; /* their heights so far, hundredths of a px */
	size_t boxes;	  /* may be more than there is room for */
	struct style_cascades cascades;
	bool quirks; /* old rules hold: tables do not inherit colours */
};

/* A decoded attribute; empty if the tag has none. Valid until the next call
 * with the same buffer. */
struct span render_attr(
    struct render *r, enum html_attr attr, struct buf *scratch);

/* Why text put here is not seen, or HIDDEN_COUNT. */
enum hidden render_reason(const struct render *r);

/* One hidden text. */
void render_hide(struct render *r, enum hidden reason, struct span text);

/* First pass over the whole document: style rules, attributes of the root,
 * wherever they stand, and which rules hold. */
void render_collect(struct render *r);

/* An <a> with an address was opened; one that is open ends first. */
void render_link_start(struct render *r, const struct html_element *element);

/* The open link ends: its address goes behind its text, as `<address>`, and
 * into the list of links. */
void render_link_end(struct render *r);

/* The address of a form, into the list of links without a text; `reason` says
 * why the form is not seen. */
void render_action(struct render *r, struct span raw, enum hidden reason);

/* Keep the first part of a link's visible text. */
void render_link_text(struct render *r, struct span text);

/* Boxes that cut: opened and closed with their elements. */
void render_box_open(struct render *r, const struct html_element *element);
void render_box_close(struct render *r, const struct html_element *element);

/* Room in the open boxes that is taken by something else than text; by an
 * empty line: lines > 0. */
void render_box_take(struct render *r, int64_t height, unsigned lines);

/* Whether a piece of visible text still fits into the boxes around it; it
 * then takes its room. How a browser breaks lines is not known here: the room
 * is rather too large, but a second line never fits into a box of one. */
bool render_box_fits(struct render *r, struct span text, bool pre);

#endif
