/*
 * Do texts say the same? For the versions that a mail may carry of itself: one
 * is shown, and each of the others is compared with it.
 */
#ifndef TRIZONE_READER_COMPARE_H
#define TRIZONE_READER_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

#define COMPARE_RUN_BYTES 20 /* "Forward this to x@y."; less says nothing */

/* The words of the text that is shown, by hash. */
struct compare {
	uint64_t *groups;    /* three words in a row each; 0: an empty slot */
	uint64_t *words;     /* the first ones */
	unsigned char *bits; /* which of them there are */
	uint32_t count;	     /* of them */
	size_t mask;	     /* slots, which are a power of two, less one */
};

/* Read the text that is shown: linear, 16 bytes for each of its bytes at most.
 * compare_end() frees it. */
void compare_begin(struct compare *c, struct span shown);
void compare_end(struct compare *c);

/* Share of the words of `text` that are shown too, and of those that are shown
 * that are in `text`, in per cent; 100 if there are none. Only the first words
 * of each count: the cost is bounded. */
void compare_shares(const struct compare *c, struct span text,
    unsigned *text_out, unsigned *shown_out);

/* What `text` says and is not shown: `take` gets each run of words of which no
 * three in a row are shown, if it has COMPARE_RUN_BYTES. Linear in `text`. The
 * hashes have 64 bits and no key: no two groups look the same by chance, but a
 * sender may search for words that do, and a run has a gap there. */
void compare_unseen(const struct compare *c, struct span text,
    void (*take)(void *with, struct span run), void *with);

#endif
