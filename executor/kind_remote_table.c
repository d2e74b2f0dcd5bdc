/*
 * What the kinds without a courier take: schemas, effects, roles and settings
 * of each method. Data only; kind_remote.c reads it. The operator's settings
 * are believed, an argument only as far as its base schema and the checks of
 * kind_remote.c go.
 */
#include "executor/kind_remote.h"

#define OBJECT(properties, required)                                           \
	"{\"type\":\"object\",\"properties\":{" properties                     \
	"},\"required\":[" required "],\"additionalProperties\":false}"

/* What stands in one line: no control characters. */
#define LINE(most)                                                             \
	"{\"type\":\"string\",\"minLength\":1,\"maxLength\":" most             \
	",\"pattern\":\"^[^\\\\x00-\\\\x1f\\\\x7f]*$\"}"
#define TEXT(most)                                                             \
	"{\"type\":\"string\",\"minLength\":1,\"maxLength\":" most "}"
#define PATTERN(most, pattern)                                                 \
	"{\"type\":\"string\",\"maxLength\":" most ",\"pattern\":\"" pattern   \
	"\"}"
#define LIST(item, most)                                                       \
	"{\"type\":\"array\",\"minItems\":1,\"maxItems\":" most                \
	",\"uniqueItems\":true,\"items\":" item "}"

#define URL                                                                    \
	PATTERN("2048", "^https://[a-z0-9.-]+(:[0-9]{1,5})?/"                  \
			"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$")
#define ADDRESS                                                                \
	PATTERN(                                                               \
	    "254", "^[A-Za-z0-9._%+=-]+@[A-Za-z0-9-]+(\\\\.[A-Za-z0-9-]+)+$")
#define PEOPLE LIST(ADDRESS, "50")
#define DIGITS PATTERN("20", "^[0-9]+$")
#define CHAT PATTERN("33", "^(-?[0-9]{1,19}|@[A-Za-z][A-Za-z0-9_]{4,31})$")
/* A name or an id; a token has another beginning. */
#define CHANNEL                                                                \
	PATTERN("81", "^(?!xox|xapp|xoxe)(#?[a-z0-9][a-z0-9_-]{0,79}|"         \
		      "[CDG][A-Z0-9]{6,20})$")
#define DATE PATTERN("10", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct kind_argument url_argument[] = {
    {"url", ARGUMENT_DESTINATION, VALUE_URL, NULL, true},
};

static const struct kind_argument post_arguments[] = {
    {"url", ARGUMENT_DESTINATION, VALUE_URL, NULL, true},
    {"body", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
};

/* What comes back is a stranger's, and may be private behind a credential. */
const struct kind_method kind_http_methods[KIND_HTTP_METHOD_COUNT] = {
    {
	.name = "get",
	.schema = OBJECT("\"url\":" URL, "\"url\""),
	.effects = {EFFECT_LEAVES | EFFECT_PRIVATE | EFFECT_UNTRUSTED, NULL,
	    url_argument, COUNT(url_argument)},
	.content = true,
    },
    {
	.name = "post",
	.schema = OBJECT(
	    "\"url\":" URL ",\"body\":" TEXT("65536"), "\"url\",\"body\""),
	.effects = {EFFECT_LEAVES | EFFECT_PRIVATE | EFFECT_UNTRUSTED |
			EFFECT_CHANGES,
	    NULL, post_arguments, COUNT(post_arguments)},
	.content = true,
    },
};

static const struct kind_argument mail_arguments[] = {
    {"to", ARGUMENT_DESTINATION, VALUE_ADDRESS, NULL, true},
    {"cc", ARGUMENT_DESTINATION, VALUE_ADDRESS, NULL, true},
    {"subject", ARGUMENT_TITLE, VALUE_TEXT, NULL, true},
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
    {"reply_to", ARGUMENT_OBJECT, VALUE_ID, "mail", true},
};

const struct kind_method kind_smtp_methods[KIND_SMTP_METHOD_COUNT] = {
    {
	.name = "send",
	.schema =
	    OBJECT("\"to\":" PEOPLE ",\"cc\":" PEOPLE ","
		   "\"subject\":" LINE(
		       "200") ","
			      "\"text\":" TEXT("65536") ","
							"\"reply_to\":" DIGITS,
		"\"to\",\"subject\",\"text\""),
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES, NULL, mail_arguments,
	    COUNT(mail_arguments)},
    },
};

static const struct kind_argument search_arguments[] = {
    {"text", ARGUMENT_SELECTOR, VALUE_TEXT, NULL, false},
    {"from", ARGUMENT_SELECTOR, VALUE_ADDRESS, NULL, true},
    {"since", ARGUMENT_SELECTOR, VALUE_ID, NULL, true},
};

static const struct kind_argument read_arguments[] = {
    {"mail", ARGUMENT_SELECTOR, VALUE_ID, "mail", true},
};

static const struct kind_argument move_arguments[] = {
    {"mail", ARGUMENT_OBJECT, VALUE_ID, "mail", true},
    {"to", ARGUMENT_DESTINATION, VALUE_NAME, NULL, false},
};

static const struct kind_argument delete_arguments[] = {
    {"mail", ARGUMENT_OBJECT, VALUE_ID, "mail", true},
};

const struct kind_method kind_imap_methods[KIND_IMAP_METHOD_COUNT] = {
    {
	.name = "search",
	.schema = OBJECT("\"text\":" LINE("200") ",\"from\":" ADDRESS
						 ",\"since\":" DATE,
	    ""),
	.effects = {EFFECT_LEAVES | EFFECT_PRIVATE | EFFECT_UNTRUSTED, NULL,
	    search_arguments, COUNT(search_arguments)},
	.content = true,
    },
    {
	.name = "read",
	.schema = OBJECT("\"mail\":" DIGITS, "\"mail\""),
	.effects = {EFFECT_LEAVES | EFFECT_PRIVATE | EFFECT_UNTRUSTED, NULL,
	    read_arguments, COUNT(read_arguments)},
	.content = true,
    },
    {
	.name = "move",
	.schema = OBJECT(
	    "\"mail\":" DIGITS ",\"to\":" LINE("200"), "\"mail\",\"to\""),
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES, NULL, move_arguments,
	    COUNT(move_arguments)},
    },
    {
	.name = "delete",
	.schema = OBJECT("\"mail\":" DIGITS, "\"mail\""),
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_DESTROYS, NULL,
	    delete_arguments, COUNT(delete_arguments)},
    },
};

static const struct kind_argument chat_arguments[] = {
    {"chat", ARGUMENT_DESTINATION, VALUE_NAME, NULL, true},
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
    {"reply_to", ARGUMENT_OBJECT, VALUE_ID, "message", true},
};

const struct kind_method kind_telegram_methods[KIND_TELEGRAM_METHOD_COUNT] = {
    {
	.name = "send",
	.schema = OBJECT("\"chat\":" CHAT
			 ",\"text\":" TEXT("4096") ",\"reply_to\":" DIGITS,
	    "\"chat\",\"text\""),
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_AUDIENCE, NULL,
	    chat_arguments, COUNT(chat_arguments)},
    },
};

static const struct kind_argument channel_arguments[] = {
    {"channel", ARGUMENT_DESTINATION, VALUE_NAME, NULL, true},
    {"text", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
    {"thread", ARGUMENT_OBJECT, VALUE_ID, "message", true},
};

const struct kind_method kind_slack_methods[KIND_SLACK_METHOD_COUNT] = {
    {
	.name = "post",
	.schema = OBJECT("\"channel\":" CHANNEL
			 ",\"text\":" TEXT("4000") ",\"thread\":" PATTERN(
			     "20", "^[0-9]{1,12}\\\\.[0-9]{1,6}$"),
	    "\"channel\",\"text\""),
	.effects = {EFFECT_LEAVES | EFFECT_CHANGES | EFFECT_AUDIENCE, NULL,
	    channel_arguments, COUNT(channel_arguments)},
    },
};

static const struct kind_argument prompt_arguments[] = {
    {"system", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
    {"messages", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
    {"max_tokens", ARGUMENT_SELECTOR, VALUE_NUMBER, KIND_AMOUNT_TOKENS, false},
};

/* Its answer is the session's own model's, so it adds no leg but C. */
const struct kind_method kind_llm_methods[KIND_LLM_METHOD_COUNT] = {
    {
	.name = "complete",
	.schema = OBJECT(
	    "\"system\":" TEXT(
		"262144") ","
			  "\"messages\":{\"type\":\"array\",\"minItems\":1,"
			  "\"maxItems\":1000,\"items\":" OBJECT(
			      "\"role\":{\"enum\":[\"user\",\"assistant\"]},"
			      "\"text\":" TEXT("262144"),
			      "\"role\",\"text\"") "},"
						   "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,"
						   "\"maximum\":1000000}",
	    "\"messages\""),
	.effects = {EFFECT_LEAVES, NULL, prompt_arguments,
	    COUNT(prompt_arguments)},
	.content = true,
    },
};

static const struct kind_argument argv_argument[] = {
    {"argv", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
};

const struct kind_method kind_exec_methods[KIND_EXEC_METHOD_COUNT] = {
    {
	.name = "run",
	.schema = OBJECT("\"argv\":{\"type\":\"array\",\"maxItems\":64,"
			 "\"items\":{\"type\":\"string\","
			 "\"maxLength\":4096}}",
	    "\"argv\""),
	.effects = {EFFECT_LEAVES | EFFECT_PRIVATE | EFFECT_UNTRUSTED |
			EFFECT_CHANGES | EFFECT_DESTROYS,
	    NULL, argv_argument, COUNT(argv_argument)},
	.content = true,
    },
};

static const struct kind_argument source_argument[] = {
    {"source", ARGUMENT_CONTENT, VALUE_TEXT, NULL, false},
};

/* In a machine that has nothing and is thrown away: what it prints is
 * nobody's word. */
const struct kind_method kind_code_methods[KIND_CODE_METHOD_COUNT] = {
    {
	.name = "run",
	.schema = OBJECT("\"source\":" TEXT("65536"), "\"source\""),
	.effects = {EFFECT_UNTRUSTED, NULL, source_argument,
	    COUNT(source_argument)},
	.content = true,
    },
};

#define HOST                                                                   \
	{                                                                      \
		"host", SETTING_HOST, true, 1, 253, 0                          \
	}
#define PORT                                                                   \
	{                                                                      \
		"port", SETTING_NUMBER, true, 1, 65535, 0                      \
	}
#define CREDENTIAL(required)                                                   \
	{                                                                      \
		"credential", SETTING_CREDENTIAL, required, 1, 64, 0           \
	}
#define MAX_BYTES                                                              \
	{                                                                      \
		"max_bytes", SETTING_NUMBER, false, 1, REMOTE_BYTES_MAX, 65536 \
	}
/* `always`: what the settings cannot leave out. */
#define EFFECTS(always)                                                        \
	{                                                                      \
		"effects", SETTING_EFFECTS, false, always, 0, 0                \
	}
#define FOLDER                                                                 \
	{                                                                      \
		"folder", SETTING_LINE, true, 1, 200, 0                        \
	}
#define SECONDS                                                                \
	{                                                                      \
		"seconds", SETTING_NUMBER, false, 1, 600, 30                   \
	}

const struct remote_method remote_methods[] = {
    {&kind_http_methods[0], "gets what a URL of one host names",
	{HOST, PORT, {"path", SETTING_PREFIX, false, 1, 1000, 0},
	    CREDENTIAL(false), EFFECTS(EFFECT_LEAVES | EFFECT_UNTRUSTED),
	    MAX_BYTES}},
    {&kind_http_methods[1], "posts a text to a URL of one host",
	{HOST, PORT, {"path", SETTING_PREFIX, false, 1, 1000, 0},
	    CREDENTIAL(false),
	    EFFECTS(EFFECT_LEAVES | EFFECT_UNTRUSTED | EFFECT_CHANGES),
	    MAX_BYTES}},
    {&kind_smtp_methods[0], "sends one mail without attachments",
	{HOST, PORT, CREDENTIAL(true),
	    {"from", SETTING_ADDRESS, true, 3, 254, 0},
	    {"max_recipients", SETTING_NUMBER, false, 1, 50, 5}}},
    {&kind_imap_methods[0], "searches one folder of a mailbox",
	{HOST, PORT, CREDENTIAL(true), FOLDER,
	    {"max_results", SETTING_NUMBER, false, 1, 1000, 50}, MAX_BYTES}},
    {&kind_imap_methods[1], "reads a mail of one folder",
	{HOST, PORT, CREDENTIAL(true), FOLDER, MAX_BYTES}},
    {&kind_imap_methods[2], "moves a mail from one folder to others",
	{HOST, PORT, CREDENTIAL(true), FOLDER,
	    {"to", SETTING_LINES, true, 1, 200, 0}}},
    {&kind_imap_methods[3], "deletes a mail of one folder",
	{HOST, PORT, CREDENTIAL(true), FOLDER}},
    {&kind_telegram_methods[0], "sends a text without preview as a bot",
	{HOST, PORT, CREDENTIAL(true)}},
    {&kind_slack_methods[0], "posts a text without preview as a bot",
	{HOST, PORT, CREDENTIAL(true)}},
    {&kind_llm_methods[0], "asks a model to go on with a conversation",
	{HOST, PORT, CREDENTIAL(false),
	    {"model", SETTING_LINE, true, 1, 100, 0},
	    {"max_tokens", SETTING_NUMBER, false, 1, 1000000, 4096},
	    MAX_BYTES}},
    {&kind_exec_methods[0], "runs one program, without a shell",
	{{"program", SETTING_PROGRAM, true, 1, 1000, 0},
	    {"folder", SETTING_FOLDER, true, 1, 1000, 0},
	    {"options", SETTING_LINES, false, 1, 200, 0}, EFFECTS(0), SECONDS,
	    MAX_BYTES}},
    {&kind_code_methods[0], "runs a source in a machine that has nothing",
	{{"language", SETTING_LINE, true, 1, 20, 0}, SECONDS,
	    {"memory_mb", SETTING_NUMBER, false, 16, 4096, 256}, MAX_BYTES}},
};

const size_t remote_method_count = COUNT(remote_methods);
