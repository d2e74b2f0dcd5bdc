/*
 * Kinds of capability. A kind is code: which settings an instance has, which
 * arguments a call has, and the one effect a courier performs. The table is
 * the only list of them (kind.c). The broker and the courier both re-check
 * arguments with kind_check; only a courier calls open and run.
 */
#ifndef TRIZONE_EXECUTOR_KIND_H
#define TRIZONE_EXECUTOR_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/value.h"

#define KIND_PATHS_MAX 4 /* folders one instance can need */

struct lock_path; /* common/lock.h */
struct schema;	  /* executor/schema.h */

/* What a call does, as bits; rules speak of these. */
enum effect {
	EFFECT_LEAVES = 1 << 0,	   /* leg C: arguments influence bytes that
				      leave */
	EFFECT_PRIVATE = 1 << 1,   /* leg B: the result is private data */
	EFFECT_UNTRUSTED = 1 << 2, /* leg A: and other people's words */
	EFFECT_CHANGES = 1 << 3,   /* something is different afterwards */
	EFFECT_DESTROYS = 1 << 4,  /* and what was there is gone */
	EFFECT_SHARES = 1 << 5,	   /* somebody gets at a thing that exists */
	EFFECT_AUDIENCE = 1 << 6,  /* people see it whom no argument names */
	EFFECT_TRANSACTS = 1 << 7  /* it moves money, or binds as that does */
};
#define EFFECT_COUNT 8

/* "leaves"; and back as one bit, 0 if there is none. */
const char *effect_name(enum effect effect);
unsigned effect_find(struct span name);

#define KIND_AMOUNT_MONEY "money"
#define KIND_AMOUNT_TOKENS "tokens"

/* What an argument is for. */
enum argument_role {
	ARGUMENT_DESTINATION, /* who or where it goes to */
	ARGUMENT_OBJECT,      /* the existing thing it is done to */
	ARGUMENT_TITLE,	   /* what a new thing is called; it is content too */
	ARGUMENT_CONTENT,  /* what is written or sent */
	ARGUMENT_SELECTOR, /* what to look for */
	ARGUMENT_ROLE_COUNT
};

/* "destination"; and back, ARGUMENT_ROLE_COUNT if there is none. */
const char *argument_role_name(enum argument_role role);
enum argument_role argument_role_find(struct span name);

/* One member of the arguments. A string, a number, or a list or object of
 * such: each leaf is a value of its own. */
struct kind_argument {
	const char *name;
	enum argument_role role;
	enum value_type type; /* a name or text: by its shape */
	/* An id's kind of thing; of a number, what it is an amount of:
	 * KIND_AMOUNT_MONEY, KIND_AMOUNT_TOKENS; or NULL. A call whose kind
	 * has an amount should name it: without it, limits of that count it
	 * as more than any. */
	const char *what;
	bool reference; /* a handle may stand in its place */
};

/* All that decisions look at. */
struct kind_effects {
	unsigned effects; /* enum effect bits */
	/* EFFECT_LEAVES holds only if this argument is not empty; or NULL. */
	const char *leaves_if;
	const struct kind_argument *arguments;
	size_t argument_count;
};

/* The row of an argument; of one that no row names: content, text. */
const struct kind_argument *kind_argument_of(
    const struct kind_effects *effects, struct span name);

struct kind_method {
	const char *name;   /* "read" */
	const char *schema; /* default argument schema, JSON text */
	struct kind_effects effects;
	bool content; /* it brings bytes back that a reader makes clean */
	bool writes;  /* its place keeps what it writes */
	/* What it writes is kept as data, and no program shows it as a
	 * message: no outbound rules but those the policy names. */
	bool verbatim;
};

struct kind {
	const char *name; /* "file" */
	const char *what; /* one clause in words, for `check` */
	const struct kind_method *methods;
	size_t method_count;

	/* Read the instance's settings (the object `node`, which holds only
	 * keys of this kind) for `method`. *settings_out is freed with
	 * settings_free. `where` gets the place of an error. */
	int (*settings_parse)(const struct json_doc *doc,
	    const struct json_node *node, const struct kind_method *method,
	    void **settings_out, struct json_error *where);
	void (*settings_free)(void *settings);

	/* What a call does, where that is in the settings; NULL: it is what
	 * the method says. Lives as long as the settings. */
	const struct kind_effects *(*effects)(const void *settings);

	/* The durable place a call writes to or reads from, which carries the
	 * labels of what is in it, into `out`; NULL where there is none. The
	 * arguments have passed check. */
	void (*place)(const void *settings, const struct kind_method *method,
	    const struct json_doc *doc, const struct json_node *arguments,
	    struct buf *out);

	/* Where a call goes that has no argument which is a destination: what
	 * it writes to, the folder it reads in, a host and port; into `out`,
	 * nothing if that cannot be told. The arguments, an object, may not
	 * have passed check. NULL: nowhere.
	 */
	void (*target)(const void *settings, const struct kind_method *method,
	    const struct json_doc *doc, const struct json_node *arguments,
	    struct buf *out);

	/* The name of the credential an instance uses, or NULL: it has none.
	 * NULL where no instance has one. Lives as long as the settings. */
	const char *(*credential)(const void *settings);

	/* One sentence for `check`: what an instance with these settings can
	 * do, limits included. */
	void (*settings_print)(const void *settings,
	    const struct kind_method *method, struct buf *out);

	/* Refuse arguments that no schema may admit (absolute path, .., NUL).
	 * Pure. 0 or negative; `detail` gets a NUL-terminated reason. */
	int (*check)(const void *settings, const struct kind_method *method,
	    const struct json_doc *doc, const struct json_node *arguments,
	    char *detail, size_t detail_room);

	/* Most bytes one call of a method with `content` brings back, at most
	 * RESULT_CONTENT_MAX. NULL where no method has content. */
	size_t (*content_max)(
	    const void *settings, const struct kind_method *method);

	/* Courier only, in its own root directory and as its own user: open
	 * what run needs (the root folder, the log socket). die()s if it
	 * cannot. */
	void (*open)(void *settings, const struct kind_method *method);

	/* The places open and run need; those that only open needs are
	 * `shown`. The strings live as long as the settings. Fills at most
	 * KIND_PATHS_MAX, returns how many. */
	size_t (*paths)(const void *settings, const struct kind_method *method,
	    struct lock_path *paths_out);

	/* Courier only: perform the effect. NULL: no courier does yet, and an
	 * allowed call is -ERR_UNAVAILABLE; open and paths may be NULL too
	 * then. Appends one JSON object to
	 * `result` and, where the method has `content`, what it brings back
	 * to `content`, as it was found: at most RESULT_CONTENT_MAX bytes. 0;
	 * -ERR_REFUSED, -ERR_PATH, -ERR_NOT_REGULAR, -ERR_NOT_FOUND,
	 * -ERR_SCHEMA: nothing happened; -ERR_FAILED, -ERR_NO_SPACE, -ERR_IO:
	 * tried and did not take effect; -ERR_UNKNOWN_OUTCOME: may have
	 * happened. `detail` as above. */
	int (*run)(void *settings, const struct kind_method *method,
	    const struct json_doc *doc, const struct json_node *arguments,
	    struct buf *result, struct buf *content, char *detail,
	    size_t detail_room);
};

/* For kinds: json_read on a call's arguments. 0 or -ERR_SCHEMA; `detail` gets
 * a reason that repeats nothing the planner wrote. */
int kind_arguments_read(const struct json_doc *doc,
    const struct json_node *arguments, const struct json_field *fields,
    size_t count, void *out, char *detail, size_t detail_room);

/* kind_table.c */
extern const struct kind kind_table[];
extern const size_t kind_count;

/* The kind or method of that name, or NULL. */
const struct kind *kind_find(struct span name);
/* The method's own schema, compiled; free with schema_free. */
struct schema *kind_schema(const struct kind_method *method);

const struct kind_method *kind_method_find(
    const struct kind *kind, struct span name);

#endif
