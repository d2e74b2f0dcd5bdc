/*
 * What a session knows about whose words a value is: the operator's words it
 * was given, and the typed fields of the items it has seen. A literal in a
 * call is compared with them whole (value.h) and gets a set of origins.
 *
 * Facts say whom a value is from; one that they do not know is the model's,
 * which with leg A no rule accepts by itself. So losing them (a restart, a full
 * table) makes a session that has read something ask more, never less, and one
 * that has endorsed values without leg A gets that leg then. Legs are in the
 * inbox's durable ledger.
 */
#ifndef TRIZONE_EXECUTOR_FACTS_H
#define TRIZONE_EXECUTOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/value.h"

#define FACTS_WORDS_BYTES 16384u /* operator's words, all tasks together */
#define FACTS_VALUES 4096u
#define FACTS_OBJECTS 1024u
#define FACTS_BYTES (1u << 20) /* of all strings */

/* Where a value came from; a value can have several. */
enum origin {
	ORIGIN_OPERATOR = 1 << 0,   /* whole in the operator's words */
	ORIGIN_SELF = 1 << 1,	    /* the operator's own address or name */
	ORIGIN_BOOK = 1 << 2,	    /* in the operator's address book */
	ORIGIN_VERIFIED = 1 << 3,   /* wrote an item that was seen, and the
				       operator's own server vouches for it */
	ORIGIN_UNVERIFIED = 1 << 4, /* is said to have written one */
	ORIGIN_PARTY = 1 << 5, /* a recipient, participant or entry of one */
	ORIGIN_CITED = 1 << 6, /* whole in the words of a verified author, in
				  a place the operator's words named */
	ORIGIN_PROSE = 1 << 7, /* whole in somebody's words */
	ORIGIN_MINE = 1 << 8,  /* an object of the operator's own that nobody
				  else sees */
	ORIGIN_MODEL = 1 << 9  /* none of these */
};
#define ORIGIN_COUNT 10

/* "operator"; and back as one bit, 0 if there is none. */
const char *origin_name(enum origin origin);
unsigned origin_find(struct span name);

struct facts;

/* Free with facts_free (NULL is fine). */
struct facts *facts_new(void);
void facts_free(struct facts *facts);

/* A task's words. -ERR_TOO_LARGE: with those before, over the limit; then
 * nothing was added. */
int facts_add_words(struct facts *facts, struct span text);

/* A value with origins, canonical or not. A name or text is what value_shape
 * says it is. What does not fit is left
 * out and makes facts_full true. */
void facts_add(struct facts *facts, enum value_type type, struct span value,
    unsigned origins);

/* Every address and URL in somebody's words. */
void facts_add_prose(struct facts *facts, struct span text, unsigned origins);

/* An object that was read: its kind of thing ("event"), id, and the title it
 * was shown under; `mine`: it is the operator's and nobody else sees it. */
void facts_add_object(struct facts *facts, struct span what, struct span id,
    struct span title, bool mine);

bool facts_full(const struct facts *facts);

/*
 * Origins of a value, never 0. Of an id that is an object's: what holds for
 * each object of that id and of `what` (of any kind, if that is empty); the
 * operator named it when his words have its whole title. Digits alone are
 * named only where they stand in quotes, as they are in dates too. A piece of
 * an address or a URL in his words is not named, nor is an id that is a piece
 * of a path, nor what has no letter or digit.
 * Pure; no allocation; linear in operator's words.
 */
unsigned facts_origins(const struct facts *facts, enum value_type type,
    struct span what, struct span value);

#endif
