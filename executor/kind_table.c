/*
 * The table of kinds. No row, no effect. Used by the broker to check arguments
 * and by couriers to perform the one effect they are for; believes the
 * operator's settings and nothing else. Tests that need another link their own
 * (tests/replay).
 */
#include "executor/kind.h"
#include "executor/kind_file.h"
#include "executor/kind_notify.h"
#include "executor/kind_remote.h"

/* Of the kinds that no courier performs yet. */
#define REMOTE                                                                 \
	.settings_parse = kind_remote_settings_parse,                          \
	.settings_free = kind_remote_settings_free,                            \
	.effects = kind_remote_effects, .target = kind_remote_target,          \
	.credential = kind_remote_credential,                                  \
	.settings_print = kind_remote_settings_print,                          \
	.check = kind_remote_check, .content_max = kind_remote_content_max

const struct kind kind_table[] = {
    {
	.name = "file",
	.what = "read, list or replace files below one folder",
	.methods = kind_file_methods,
	.method_count = KIND_FILE_METHOD_COUNT,
	.settings_parse = kind_file_settings_parse,
	.settings_free = kind_file_settings_free,
	.settings_print = kind_file_settings_print,
	.effects = kind_file_effects,
	.place = kind_file_place,
	.target = kind_file_target,
	.check = kind_file_check,
	.content_max = kind_file_content_max,
	.open = kind_file_open,
	.paths = kind_file_paths,
	.run = kind_file_run,
    },
    {
	.name = "notify",
	.what = "tell a person something, in a file or the system log",
	.methods = kind_notify_methods,
	.method_count = KIND_NOTIFY_METHOD_COUNT,
	.settings_parse = kind_notify_settings_parse,
	.settings_free = kind_notify_settings_free,
	.settings_print = kind_notify_settings_print,
	.target = kind_notify_target,
	.check = kind_notify_check,
	.open = kind_notify_open,
	.paths = kind_notify_paths,
	.run = kind_notify_run,
    },
    {
	.name = "http",
	.what = "get from and post to URLs of one host",
	.methods = kind_http_methods,
	.method_count = KIND_HTTP_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "smtp",
	.what = "send mail from one address",
	.methods = kind_smtp_methods,
	.method_count = KIND_SMTP_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "imap",
	.what = "search, read, move and delete mails of one folder",
	.methods = kind_imap_methods,
	.method_count = KIND_IMAP_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "telegram",
	.what = "send texts as a bot",
	.methods = kind_telegram_methods,
	.method_count = KIND_TELEGRAM_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "slack",
	.what = "post texts as a bot",
	.methods = kind_slack_methods,
	.method_count = KIND_SLACK_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "llm",
	.what = "ask a model",
	.methods = kind_llm_methods,
	.method_count = KIND_LLM_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "exec",
	.what = "run one program, with arguments one by one",
	.methods = kind_exec_methods,
	.method_count = KIND_EXEC_METHOD_COUNT,
	REMOTE,
    },
    {
	.name = "code",
	.what = "run a source in a machine that has nothing",
	.methods = kind_code_methods,
	.method_count = KIND_CODE_METHOD_COUNT,
	REMOTE,
    },
};

const size_t kind_count = sizeof kind_table / sizeof kind_table[0];
