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
#define FLOW_TURNED 16384 /* forced letters turned as one */

struct html_flow {
	struct visible *out;
	unsigned breaks; /* line ends due before the next text: 0, 1 or 2 */
	bool blank;	 /* a blank is due */
	bool started;	 /* there is text before */
	uint32_t lines;	 /* ended so far */
	bool in_line;	 /* this line has text */
	bool cell;	 /* a cell's mark is due, if the line has text */
	unsigned quotes, lists;
	int32_t number[FLOW_LISTS]; /* of the next item; -1: no numbers */
	bool marker;		    /* an item's mark is due */
	char piece[FLOW_PIECE];	    /* text on its way to `out` */
	size_t piece_bytes;
	unsigned turn;	   /* enum look_turn of what is in `turned` */
	struct buf turned; /* text whose letters may have to change places */
};

void html_flow_init(struct html_flow *f, struct visible *out);
void html_flow_done(struct html_flow *f);

/* At least `lines` line ends before the next text: 1 or 2 (a blank line). */
void html_flow_break(struct html_flow *f, unsigned lines);

/* One more line end, as <br>. */
void html_flow_newline(struct html_flow *f);

/* Decoded text; with `pre` blanks and line ends count. Characters must not be
 * split over two calls. */
void html_flow_text(struct html_flow *f, const char *p, size_t bytes, bool pre);

/* From here on letters are forced into a direction (enum look_turn). Text is
 * written in the order in which it is read; where letters are forced to go
 * against their own direction, that is from their last to their first. */
void html_flow_turn(struct html_flow *f, unsigned turn);

/* Text that stands as it is, such as a rule. */
void html_flow_mark(struct html_flow *f, const char *p, size_t bytes);

/* The address of a link right behind its text, before anything that is due: a
 * blank and `<address>`. */
void html_flow_address(struct html_flow *f, const char *p, size_t bytes);

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
