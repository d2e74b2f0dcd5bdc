/*
 * Kinds that reach another service or run a program: http, smtp, imap,
 * telegram, slack, llm, exec, code. They are declared here, so that a policy
 * can name, check and decide them; no courier performs them yet, so struct
 * kind's `run` is NULL and a call that is allowed is -ERR_UNAVAILABLE.
 *
 * Each method is a row of kind_remote_table.c: its base schema, which the
 * operator's own schema can only narrow, its settings and its effects. No
 * argument is ever a credential, a token or the address of a webhook: where a
 * thing goes is a typed name, and host, port and credential are settings. A
 * program gets its arguments one by one; there is no text for a shell.
 *
 * Effects are taken strictly: what an argument says leaves, so a search and a
 * GET do (leg C), and so does a move in the operator's own mailbox. Only for
 * http and exec may the settings name fewer, as only the operator knows whether
 * what a host serves is private, and what the program does.
 */
#ifndef TRIZONE_EXECUTOR_KIND_REMOTE_H
#define TRIZONE_EXECUTOR_KIND_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "executor/kind.h"

#define REMOTE_SETTINGS_MAX 8	      /* keys of one method */
#define REMOTE_LIST_MAX 64	      /* entries of one list in settings */
#define REMOTE_BYTES_MAX (256 * 1024) /* of what one call brings back */

enum remote_setting_type {
	SETTING_HOST,	    /* a host name in lower case */
	SETTING_NUMBER,	    /* least..most */
	SETTING_CREDENTIAL, /* the name of a secret, never the secret */
	SETTING_ADDRESS,    /* of mail */
	SETTING_LINE,	    /* 1 to `most` bytes to be seen */
	SETTING_LINES,	    /* a list of such */
	SETTING_PREFIX,	    /* how the path of a URL begins */
	SETTING_PROGRAM,    /* absolute path of what is no shell */
	SETTING_FOLDER,	    /* absolute path */
	SETTING_EFFECTS	    /* a list; `least` are effects it has to name */
};

struct remote_setting {
	const char *key; /* NULL: end of the list */
	enum remote_setting_type type;
	bool required;
	int64_t least, most, otherwise; /* otherwise: of a missing number */
};

struct remote_method {
	const struct kind_method *method;
	const char *does; /* "sends one mail" */
	struct remote_setting settings[REMOTE_SETTINGS_MAX + 1];
};

extern const struct remote_method remote_methods[];
extern const size_t remote_method_count;

#define KIND_HTTP_METHOD_COUNT 2
#define KIND_SMTP_METHOD_COUNT 1
#define KIND_IMAP_METHOD_COUNT 4
#define KIND_TELEGRAM_METHOD_COUNT 1
#define KIND_SLACK_METHOD_COUNT 1
#define KIND_LLM_METHOD_COUNT 1
#define KIND_EXEC_METHOD_COUNT 1
#define KIND_CODE_METHOD_COUNT 1

extern const struct kind_method kind_http_methods[KIND_HTTP_METHOD_COUNT];
extern const struct kind_method kind_smtp_methods[KIND_SMTP_METHOD_COUNT];
extern const struct kind_method kind_imap_methods[KIND_IMAP_METHOD_COUNT];
extern const struct kind_method
    kind_telegram_methods[KIND_TELEGRAM_METHOD_COUNT];
extern const struct kind_method kind_slack_methods[KIND_SLACK_METHOD_COUNT];
extern const struct kind_method kind_llm_methods[KIND_LLM_METHOD_COUNT];
extern const struct kind_method kind_exec_methods[KIND_EXEC_METHOD_COUNT];
extern const struct kind_method kind_code_methods[KIND_CODE_METHOD_COUNT];

/* The rows of struct kind; see there. */
int kind_remote_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where);
void kind_remote_settings_free(void *settings);
const struct kind_effects *kind_remote_effects(const void *settings);
void kind_remote_target(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments,
    struct buf *out);
const char *kind_remote_credential(const void *settings);
void kind_remote_settings_print(
    const void *settings, const struct kind_method *method, struct buf *out);
int kind_remote_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room);
size_t kind_remote_content_max(
    const void *settings, const struct kind_method *method);

#endif
