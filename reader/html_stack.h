/*
 * The open elements of a document (WHATWG HTML, 13.2.4 and 13.2.6), without a
 * tree and with a fixed depth: which start tag ends what, what an end tag
 * ends, and which formatting goes on behind the end of its parent. That
 * decides where hiding stops, so it follows the standard where a page could
 * otherwise show a person one text and the reader another.
 */
#ifndef TRIZONE_READER_HTML_STACK_H
#define TRIZONE_READER_HTML_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/html_format.h"
#include "reader/html_look.h"
#include "reader/html_tag.h"
#include "reader/html_token.h"

#define STACK_DEPTH 256	   /* mails we know need 70 */
#define STACK_CLASSES 1024 /* class names rules ask for, all elements */

enum html_space { SPACE_HTML, SPACE_SVG, SPACE_MATH };

/* What a foreign element does with text (html_foreign.h). */
enum foreign {
	FOREIGN_NONE,	 /* nothing that is seen */
	FOREIGN_PICTURE, /* svg */
	FOREIGN_OBJECT,	 /* a box with HTML in svg */
	FOREIGN_TOKEN,	 /* a word of a formula */
	FOREIGN_ROW,	 /* holds others of a formula */
	FOREIGN_CELL,	 /* the same, apart from what is before */
	FOREIGN_PARTS,	 /* holds several that do not stand in one line */
	FOREIGN_CHOICE	 /* shows the first of them */
};

struct html_element {
	enum html_tag tag; /* HTML_UNKNOWN if foreign */
	unsigned flags;	   /* of the tag; 0 if dead or foreign */
	enum html_space space;
	enum foreign foreign;
	bool integration; /* foreign, but HTML inside */
	bool again;	  /* formatting that was reopened */
	struct span text; /* the name as written */
	bool ended;	  /* it only waits for the end of what is inside */
	bool summary;	  /* of <details>, or one that has its <summary>; or
			   * <semantics> that has a child */
	uint32_t name;	  /* hashes for rules; 0: no id */
	uint64_t id;
	uint32_t class_start; /* in html_stack.classes, up to the next one's */
	struct html_own own;
	struct html_look look;
};

/* What a search down the stack looks at, small and in one piece. */
struct html_kind {
	uint8_t tag; /* as in the element; HTML_UNKNOWN too if foreign */
	bool html;
	uint16_t flags;
};

struct html_stack {
	struct html_element at[STACK_DEPTH + 1]; /* at[0] is the window */
	struct html_kind kind[STACK_DEPTH + 1];
	size_t depth;
	uint64_t classes[STACK_CLASSES];
	uint32_t class_count;
	uint32_t open[HTML_TAG_COUNT]; /* HTML elements on the stack */
	struct html_formats formats;   /* that go on without an element */
	unsigned level;		       /* markers on the stack */

	/* Elements that do not fit: counted, and their looks run together. */
	uint32_t deep, deep_open[HTML_TAG_COUNT];
	struct html_look deep_look;

	/* Told of each element that ends; may be NULL. */
	void (*closed)(void *context, const struct html_element *element);
	void *context;
};

/* Only the window: the caller opens <html> and <body> by html_stack_push. `st`
 * is large: not for the call stack of a thread. */
void html_stack_init(struct html_stack *st);

/* End what this start tag ends. False: the tag has no effect at all. */
bool html_stack_prepare(struct html_stack *st, const struct html_token *token);

/* Open an element. The caller gives the hashes, its classes (already behind
 * class_count) and its own styles; the rest is found here. */
void html_stack_push(struct html_stack *st, const struct html_token *token,
    const struct html_element *element);

/* An end tag. */
void html_stack_end(struct html_stack *st, const struct html_token *token);

/* Reopen the formatting that goes on, as text or an inline element does. */
void html_stack_reopen(struct html_stack *st);

/* End everything. */
void html_stack_finish(struct html_stack *st);

/* Whether we are in svg or math, where other rules hold for text. */
bool html_stack_foreign(const struct html_stack *st);

/* Hide the innermost open `tag`, as of now. */
void html_stack_hide(
    struct html_stack *st, enum html_tag tag, enum hidden reason);

/* How the contents of the element are read if it starts here. */
enum html_mode html_stack_mode(const struct html_stack *st, enum html_tag tag);

#endif
