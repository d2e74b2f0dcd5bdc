/*
 * The command `audit export`, and what both formats say. Runs as whoever may
 * read the log.
 */
#include "executor/audit_export.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "executor/audit_command.h"
#include "executor/destination.h"

#define PORT_MAX 65535

const char *
export_title(enum record_kind kind)
{
	switch (kind) {
	case RECORD_DECISION:
		return "Call decided";
	case RECORD_INTENT:
		return "Effect begun";
	case RECORD_OUTCOME:
		return "Effect ended";
	case RECORD_TICKET:
		return "Approval asked for";
	case RECORD_APPROVAL:
		return "Approved by a person";
	case RECORD_DENIAL:
		return "Denied by a person";
	case RECORD_EXPIRY:
		return "Approval not given in time";
	case RECORD_DETECT:
		return "Detector fired";
	case RECORD_QUARANTINE:
		return "Message set aside";
	case RECORD_BLOCKED:
		return "Connection blocked";
	case RECORD_MACHINE:
		return "Machine announced";
	case RECORD_SETTLEMENT:
		return "Unknown effect settled by a person";
	case RECORD_HALT:
		return "Loop halted";
	case RECORD_DAMAGE:
		return "Audit log damaged";
	default:
		return record_kind_name(kind);
	}
}

bool
export_is_finding(const struct record *record)
{
	return record->kind == RECORD_DETECT ||
	       record->kind == RECORD_QUARANTINE ||
	       record->kind == RECORD_BLOCKED || record->kind == RECORD_HALT ||
	       record->kind == RECORD_DAMAGE;
}

enum export_severity
export_severity_of(const struct record *record)
{
	switch (record->kind) {
	case RECORD_DAMAGE:
		return EXPORT_CRITICAL;
	case RECORD_HALT:
		return EXPORT_HIGH;
	case RECORD_DETECT:
	case RECORD_QUARANTINE:
	case RECORD_BLOCKED:
		return EXPORT_MEDIUM;
	case RECORD_OUTCOME:
		if (record->status == OUTCOME_UNKNOWN)
			return EXPORT_HIGH;
		return record->status == OUTCOME_DONE ? EXPORT_INFORMATIONAL
						      : EXPORT_LOW;
	case RECORD_DECISION:
		return record->verdict == VERDICT_DENY ? EXPORT_LOW
						       : EXPORT_INFORMATIONAL;
	default:
		return record->error != 0 ? EXPORT_LOW : EXPORT_INFORMATIONAL;
	}
}

static struct span
text_of(const struct json_doc *doc, const char *key)
{
	const struct json_node *node = json_get(doc, json_root(doc), key);

	return node != NULL && node->type == JSON_STRING
		   ? node->value.string
		   : (struct span){NULL, 0};
}

static int64_t
number_of(const struct json_doc *doc, const char *key, int64_t most)
{
	const struct json_node *node = json_get(doc, json_root(doc), key);

	if (node == NULL || node->type != JSON_INTEGER ||
	    node->value.integer < 0 || node->value.integer > most)
		return 0;
	return node->value.integer;
}

static int64_t
port_of(struct span digits)
{
	int64_t port = 0;

	for (size_t i = 0; i < digits.n && port <= PORT_MAX; i++)
		port = port * 10 + digits.p[i] - '0';
	return port <= PORT_MAX ? port : 0;
}

struct export_connection
export_connection_of(struct json_doc *doc, const struct record *record)
{
	struct export_connection connection = {.port = 0};

	struct span port;

	if (record->kind != RECORD_BLOCKED)
		return connection;
	connection.host = destination_host(record->destination, &port);
	connection.port = port_of(port);
	if (json_parse(doc, record->detail, NULL, NULL) != 0)
		return connection;
	connection.user = text_of(doc, "user");
	if (connection.host.n == 0) {
		connection.host = text_of(doc, "host");
		connection.port = number_of(doc, "port", PORT_MAX);
	}
	connection.count = number_of(doc, "count", INT32_MAX);
	return connection;
}

enum option_id { OPTION_DIR = 1, OPTION_FORMAT, OPTION_NO_INDEX, OPTION_HELP };

static const struct option options_known[] = {
    FILTER_OPTIONS,
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"dir", required_argument, NULL, OPTION_DIR},
    {"no-index", no_argument, NULL, OPTION_NO_INDEX},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct command {
	struct audit_filter filter;
	int (*format)(struct buf *out, struct json_doc *doc,
	    const struct audit_item *item);
	const char *dir;
	bool no_index, help;
};

static void
usage(FILE *out, const char *name)
{
	fprintf(out,
	    "usage: %s --format ocsf|cef [options] [--dir DIR | FILE]\n"
	    "Write audit records as events of another system, one a line.\n"
	    "\n"
	    "  --format ocsf|cef   Open Cybersecurity Schema Framework 1.4,\n"
	    "                      as JSON; Common Event Format\n" FILTER_USAGE
	    "  --no-index          read every segment, whatever an index says\n"
	    "  --dir DIR           folder of the log\n"
	    "\n"
	    "Exit status: 0 done, 1 the log is damaged, 64 usage, 69 no such\n"
	    "log, 71 it could not be read, 77 not permitted.\n",
	    name);
}

static int
take_format(struct command *command, const char *name)
{
	if (strcmp(name, "ocsf") == 0)
		command->format = export_ocsf;
	else if (strcmp(name, "cef") == 0)
		command->format = export_cef;
	else
		return -ERR_RANGE;
	return 0;
}

static int
take_option(void *context, int option, const char *argument)
{
	struct command *command = context;

	switch (option) {
	case OPTION_DIR:
		command->dir = argument;
		return 0;
	case OPTION_FORMAT:
		return take_format(command, argument);
	case OPTION_NO_INDEX:
		command->no_index = true;
		return 0;
	case OPTION_HELP:
		command->help = true;
		return 0;
	case FILTER_OPTION_UNKNOWN:
		return -ERR_RANGE; /* known at the end only: audit show */
	default:
		return audit_filter_take(&command->filter, option, argument,
		    (uint64_t)clock_utc_ms());
	}
}

static int
parse_command(
    int argc, char **argv, const char *default_dir, struct command *command)
{
	int rc;

	*command = (struct command){.format = NULL};
	audit_filter_init(&command->filter);
	rc = audit_command_options(
	    argc, argv, options_known, take_option, command);
	if (rc != 0 || command->help)
		return rc;
	command->dir = audit_command_log(argc, argv, command->dir, default_dir);
	return command->dir == NULL || command->format == NULL ? -ERR_RANGE : 0;
}

static int
write_events(const struct command *command, struct audit_walk *walk)
{
	struct audit_item item;
	struct json_doc doc;
	struct buf text;
	int rc;

	json_init(&doc);
	buf_init(&text, EXPORT_MAX_BYTES);
	while ((rc = audit_walk_next(walk, &item)) == 1) {
		buf_clear(&text);
		rc = command->format(&text, &doc, &item);
		if (rc == 0 &&
		    fwrite(text.data, 1, text.len, stdout) != text.len)
			rc = -ERR_IO;
		if (rc != 0)
			break;
	}
	if (rc == 0)
		rc = audit_walk_end(walk);
	if (rc == 0 && fflush(stdout) != 0)
		rc = -ERR_IO;
	buf_free(&text);
	json_done(&doc);
	return rc;
}

static int
run(const struct command *command)
{
	struct audit_walk_options options = {
	    .filter = &command->filter, .use_index = !command->no_index};
	struct audit_walk *walk = NULL;
	bool damaged = false;
	int rc = audit_walk_open(command->dir, &options, &walk);

	if (rc == 0) {
		rc = write_events(command, walk);
		damaged = audit_walk_damaged(walk);
	}
	audit_walk_close(walk);
	return audit_command_status(command->dir, rc, damaged);
}

int
audit_export_main(int argc, char **argv, const char *default_dir)
{
	struct command command;
	int rc = parse_command(argc, argv, default_dir, &command), status;

	return audit_command_ends(rc, command.help, usage, argv[0], &status)
		   ? status
		   : run(&command);
}
