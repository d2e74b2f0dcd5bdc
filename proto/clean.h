/*
 * The clean object: what a reader makes of one hostile item, and the only
 * thing of it that a planner ever gets. The reader builds and writes it, the
 * executor checks it again as if nobody had; both from this one description.
 *
 * All keys are always there, in this order, and there are no others:
 *
 *  v            1
 *  channel      "mail", "telegram", "slack", "web" or "text"
 *  from         {"name","address"}; both may be ""
 *  to, cc,      arrays of such objects
 *  reply_to
 *  authentication
 *               array of {"method","result","domain"}: what the operator's own
 *               mail server found out about the sender (RFC 8601), "dkim",
 *               "pass" and the domain it holds for, or ""; empty unless the
 *               reader was told that server's name
 *  date         RFC 3339 in UTC, to the second ("2026-01-31T08:00:00Z"), or
 *               null
 *  message_id   without angle brackets; "" if there is none
 *  subject      one line
 *  body         what a person would have seen; lines end in \n
 *  links        array of {"text","url"}; text is what a person saw
 *  attachments  array of {"name","type","sniffed","bytes","sha256"}; the name
 *               has no folder, "type" is what the sender says it is and
 *               "sniffed" what it begins like, bytes and hash are those of the
 *               decoded content
 *  hidden       array of {"reason","runs","chars"}: what was taken out
 *  injection    {"score","verdict","spans","keywords"}; verdict "unscored",
 *               "clean" or "suspect", score 0 to 1, spans [start,end] in
 *               characters of the body, keywords {"ignore","instead",
 *               "new_instruction"}: how often such words, of any language,
 *               stand in the item. "unscored": no detector has looked.
 *  findings     array of names of proto/finding.def
 *  truncated    array of {"what","kept","of"}: names of proto/cut.def, what
 *               is here, what there was
 *  sanitized    true; it names the format and decides nothing
 *  error        only in the failure form, in which all else is empty:
 *               {"code","name","text"}; the code is one of common/err.def
 *
 * Text is UTF-8 without control and direction characters, tags and invisible
 * blanks (clean_char). The whole object has at most CLEAN_MAX_BYTES bytes.
 */
#ifndef TRIZONE_PROTO_CLEAN_H
#define TRIZONE_PROTO_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

/* Lengths in characters unless the name says bytes. The budgets are bytes of
 * JSON text, so that the sum of all stays below CLEAN_MAX_BYTES. */
#define CLEAN_SUBJECT_CHARS 1000 /* a header line holds 998 */
#define CLEAN_NAME_CHARS 256
#define CLEAN_ADDRESS_BYTES 320	   /* 64 + 1 + 255, RFC 5321 */
#define CLEAN_MESSAGE_ID_BYTES 512 /* half of what a header line holds */
#define CLEAN_LINK_TEXT_CHARS 200
#define CLEAN_URL_BYTES 2048 /* longest that works everywhere */
#define CLEAN_FILE_CHARS 200 /* fits the 255 bytes of a file system mostly */
#define CLEAN_TYPE_BYTES 127 /* of RFC 6838, 4.2 */
#define CLEAN_AUTH_BYTES 32  /* method and result; RFC 8601 has 12 */
#define CLEAN_DOMAIN_BYTES 255
#define CLEAN_ERROR_BYTES 200
#define CLEAN_REASON_BYTES 32

#define CLEAN_ADDRESSES 100 /* of each list; more is a mailing, not a talk */
#define CLEAN_LINKS 200	    /* a long newsletter has some */
#define CLEAN_ATTACHMENTS 100
#define CLEAN_HIDDEN 64
#define CLEAN_TRUSTED 16 /* hosts whose results are taken; some have two */
#define CLEAN_AUTH 16	 /* a server reports SPF, DKIM, DMARC, ARC and some */
#define CLEAN_SPANS 64

/* CLEAN_BODY_CHARS of three bytes and some */
#define CLEAN_BODY_BUDGET 380000
#define CLEAN_LIST_BUDGET 14000 /* of each address list */
#define CLEAN_LINKS_BUDGET 50000
#define CLEAN_ATTACHMENTS_BUDGET 20000
#define CLEAN_AUTH_BUDGET 2200
#define CLEAN_REST_BUDGET 30000 /* all else, at its own limits */

enum finding {
#define FINDING(id, name) FINDING_##id,
#include "proto/finding.def"
#undef FINDING
	FINDING_COUNT
};

enum clean_cut {
#define CUT(id, name) CLEAN_CUT_##id,
#include "proto/cut.def"
#undef CUT
	CLEAN_CUT_COUNT
};

/* One bit for each finding. */
#define FINDING_BIT(finding) (UINT64_C(1) << (finding))

const char *finding_name(enum finding finding);

/* The three lists of people. */
enum clean_list { CLEAN_TO, CLEAN_CC, CLEAN_REPLY_TO, CLEAN_LIST_COUNT };

struct clean_address {
	struct span name, address;
};

struct clean_people {
	struct clean_address at[CLEAN_ADDRESSES];
	size_t count, budget;
};

struct clean_link {
	struct span text, url;
};

struct clean_attachment {
	struct span name, type;
	const char *sniffed;
	int64_t bytes;
	char sha256[65];
};

/* What a detector said; spans are sorted and do not overlap. */
enum clean_verdict { CLEAN_UNSCORED, CLEAN_CLEAN, CLEAN_SUSPECT };

struct clean_injection {
	enum clean_verdict verdict;
	double score; /* 0 to 1, written with four decimals */
	struct {
		int64_t start, end; /* characters of the body */
	} spans[CLEAN_SPANS];
	size_t span_count;
	int64_t ignore, instead, new_instruction;
};

struct clean_auth {
	struct span method, result, domain;
};

struct clean_hidden {
	struct span reason;
	int64_t runs, chars;
};

/* An object being built. Everything put in is copied and made to fit, and
 * what does not fit is counted in `cuts`. */
struct clean {
	const char *channel;
	struct clean_address from;
	struct clean_people people[CLEAN_LIST_COUNT];
	struct clean_auth auth[CLEAN_AUTH];
	size_t auth_count, auth_budget;
	int64_t date; /* seconds since 1970 */
	bool has_date;
	struct span message_id, subject, body;
	struct clean_link links[CLEAN_LINKS];
	size_t link_count, link_budget;
	struct clean_attachment attachments[CLEAN_ATTACHMENTS];
	size_t attachment_count, attachment_budget;
	struct clean_hidden hidden[CLEAN_HIDDEN];
	size_t hidden_count;
	struct clean_injection injection;
	uint64_t findings; /* FINDING_BIT */
	struct {
		int64_t kept, of;
	} cuts[CLEAN_CUT_COUNT];
	int error; /* 0, or an enum err: the failure form */
	struct span error_text;
	struct buf store; /* all strings; reserved once, so they stay put */
};

/* `channel` must outlive the object. Free with clean_done. */
void clean_init(struct clean *c, const char *channel);
void clean_done(struct clean *c);

void clean_find(struct clean *c, enum finding finding);

/* Note that only `kept` of `of` are here; nothing if that is all. Adds up. */
void clean_note_cut(
    struct clean *c, enum clean_cut what, uint64_t kept, uint64_t of);

/* All text given to these has to be valid UTF-8. */
void clean_set_from(struct clean *c, struct span name, struct span address);
void clean_set_subject(struct clean *c, struct span text);
void clean_set_message_id(struct clean *c, struct span id);

/* `beyond`: characters of the body that the caller had to drop before. */
void clean_set_body(struct clean *c, struct span text, uint64_t beyond);

/* Ignored when out of the range that has four digits for the year. */
void clean_set_date(struct clean *c, int64_t seconds);

/* An address that is none (clean_address_valid) is left out: the name stays,
 * and bad-address is found. */
void clean_add_address(struct clean *c, enum clean_list list, struct span name,
    struct span address);
/* A URL that is none (clean_url_valid) is left out, and bad-url found. */
void clean_add_link(struct clean *c, struct span text, struct span url);

/* Links that the caller had to drop before. */
void clean_lost_links(struct clean *c, uint64_t count);

/* One finding of the operator's mail server, in lower case. What is not valid
 * (clean_auth_valid, clean_domain_valid) or has no room is left out. */
void clean_add_auth(struct clean *c, struct span method, struct span result,
    struct span domain);

/* `name` may hold folders and anything else, `type` is checked, `sniffed` is
 * valid and outlives the object, `sha256` has 64 digits. */
void clean_add_attachment(struct clean *c, struct span name, struct span type,
    const char *sniffed, uint64_t bytes, const char *sha256);

/* `reason` must outlive the object. */
void clean_add_hidden(
    struct clean *c, const char *reason, uint64_t runs, uint64_t chars);

/* Add bytes of the body to the suspect spans; those that touch become one. To
 * be called in the order of their starts, after clean_set_body. */
void clean_add_span(struct clean *c, size_t start, size_t end);

/* Turn the object into its failure form: all but channel and error goes.
 * `error` may be negative; `text` says what happened to this item. */
void clean_fail(struct clean *c, int error, const char *text);

/* Append the JSON text, without a line end. -ERR_TOO_LARGE if `out` has no
 * room for it. */
int clean_write(const struct clean *c, struct buf *out);

/* The longest prefix of valid UTF-8 with at most `chars` characters that
 * takes at most `budget` bytes as a JSON string; its length in bytes. */
size_t clean_fit(struct span text, size_t chars, size_t budget);

/* Whether a character may stand in a clean object; `lines`: \n too. */
bool clean_char(uint32_t code, bool lines);

/* Whether all of it is UTF-8 of such characters; how many they are. */
bool clean_text_valid(struct span text, bool lines, size_t *chars_out);

/* An address as it may stand in the object: no blanks, angle brackets, commas
 * or quotes, so that nothing but one address can be read into it. */
bool clean_address_valid(struct span address);

/* A URL with a scheme, without blanks, quotes and angle brackets. */
bool clean_url_valid(struct span url);

/* A file name without a folder. */
bool clean_file_valid(struct span name);

/* A method or result of RFC 8601 in lower case: "dkim", "pass". */
bool clean_auth_valid(struct span word);

/* A host name in lower case, or with letters beyond ASCII. */
bool clean_domain_valid(struct span domain);

/* "type/subtype" in lower case, RFC 6838. */
bool clean_type_valid(struct span type);

/* What the executor knows of an object that passed. The spans live as long
 * as the document. Arrays hold what the description above says. */
struct clean_view {
	struct span channel;
	struct clean_address from;
	const struct json_node *to, *cc, *reply_to, *authentication;
	struct span date; /* length 0: null */
	struct span message_id, subject, body;
	const struct json_node *links, *attachments, *hidden;
	double score;
	struct span verdict;
	const struct json_node *spans;
	int64_t ignore, instead, new_instruction; /* keywords */
	uint64_t findings;			  /* FINDING_BIT */
	const struct json_node *truncated;
	int64_t error; /* 0, or the failure form's code */
	struct span error_name, error_text;
};

/* Check everything the description above says. Returns 0 and fills *out, or
 * a negative error; `where` (may be NULL) says what and where. */
int clean_check(const struct json_doc *doc, const struct json_node *node,
    struct clean_view *out, struct json_error *where);

#endif
