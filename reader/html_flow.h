/*
 * Laying text out: from pieces with blanks, line ends, lists, quotes and
 * cells to lines of plain text in a struct visible.
 */
#ifndef TRIZONE_READER_HTML_FLOW_H
#define TRIZONE_READER_HTML_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/visible.h"

#define FLOW_QUOTES 8 /* deeper quotes get no more marks */
#define FLOW_LISTS 8  /* deeper lists are not indented further */
#define FLOW_PIECE 4096

struct html_flow {
	struct visible *out;
	unsigned breaks; /* line ends due before the next text: 0, 1 or 2 */
	bool blank;	 /* a blank is due */
	bool started;	 /* there is text before */
	bool in_line;	 /* this line has text */
	bool cell;	 /* a cell's mark is due, if the line has text */
	unsigned quotes, lists;
	int32_t number[FLOW_LISTS]; /* of the next item; -1: no numbers */
	bool marker;		    /* an item's mark is due */
	char piece[FLOW_PIECE];	    /* text on its way to `out` */
	size_t piece_bytes;
};

void html_flow_init(struct html_flow *f, struct visible *out);

/* At least `lines` line ends before the next text: 1 or 2 (a blank line). */
void html_flow_break(struct html_flow *f, unsigned lines);

/* One more line end, as <br>. */
void html_flow_newline(struct html_flow *f);

/* Decoded text; with `pre` blanks and line ends count. Characters must not be
 * split over two calls. */
void html_flow_text(struct html_flow *f, const char *p, size_t bytes, bool pre);

/* Text that stands as it is, such as a rule or a link's address. */
void html_flow_mark(struct html_flow *f, const char *p, size_t bytes);

/* Around marks in the line: see visible_isolate. */
void html_flow_isolate(struct html_flow *f, bool on);

/* The next text begins a cell of a row. */
void html_flow_cell(struct html_flow *f);

/* A list begins or ends; `start` is the first number, -1: none. */
void html_flow_list(struct html_flow *f, int32_t start);
void html_flow_list_end(struct html_flow *f);
void html_flow_item(struct html_flow *f);
void html_flow_item_end(struct html_flow *f);

void html_flow_quote(struct html_flow *f, bool open);

/* Hand over what is still in here. Line ends that are due are not. */
void html_flow_flush(struct html_flow *f);

#endif
