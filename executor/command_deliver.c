/*
 * deliver: one raw item from standard input into the spool. For .forward,
 * procmail, fetchmail or launchd: 0 means it is on disk; 75 means try again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/io.h"
#include "common/limits.h"
#include "executor/command.h"
#include "proto/stream.h"

static const char usage[] =
    "usage: trizone-executor deliver [--config FILE] [--json] CHANNEL < RAW\n"
    "Put one raw item (for CHANNEL mail: one RFC 5322 message) into the spool.\n"
    "Exit status: 0 it is on disk, or was before; 75 try again later; 65 it\n"
    "is empty or too large; 64 usage.\n";

#define STREAM_NUMBER 1
#define DELIVER_MS 300000 /* a slow disk and a large mail */

struct delivery {
	struct buf raw;
	struct stream_out out;
};

static int
read_input(struct buf *raw)
{
	int rc;

	buf_init(raw, MAIL_MAX_BYTES);
	rc = io_read_all(STDIN_FILENO, raw);
	if (rc == -ERR_IO)
		die(EXIT_TEMPORARY, "standard input: %s", strerror(errno));
	return rc;
}

static int64_t
hand_out(void *context, int64_t offset, void *to, size_t room)
{
	struct delivery *d = context;

	memcpy(to, d->raw.data + offset, room);
	return (int64_t)room;
}

static int
on_notice(struct client *client, void *context, const struct message *message)
{
	struct delivery *d = context;
	int rc;

	(void)client;
	if (message->method != METHOD_CREDIT ||
	    message->params.credit.stream != STREAM_NUMBER)
		return -ERR_STREAM;
	rc = stream_out_credit(&d->out, message->params.credit.bytes);
	return rc != 0 ? rc : stream_out_run(&d->out);
}

static int
print_answer(const struct client_answer *answer, bool json)
{
	const struct json_node *handle, *duplicate;

	if (answer->result == NULL) {
		fprintf(stderr, "trizone-executor: not delivered: %.*s\n",
		    (int)answer->text.n, answer->text.p);
		return EXIT_TEMPORARY;
	}
	if (json) {
		struct span text = json_raw(answer->doc, answer->result);

		printf("%.*s\n", (int)text.n, text.p);
		return EXIT_DONE;
	}
	handle = json_get(answer->doc, answer->result, "handle");
	duplicate = json_get(answer->doc, answer->result, "duplicate");
	if (handle == NULL || handle->type != JSON_STRING || duplicate == NULL)
		die(EXIT_TEMPORARY, "the executor's answer has no handle");
	printf("%.*s%s\n", (int)handle->value.string.n, handle->value.string.p,
	    duplicate->value.boolean ? " (was there already)" : "");
	return EXIT_DONE;
}

int
command_deliver(int argc, char **argv)
{
	struct common_options options;
	struct client_answer answer;
	struct config *config;
	struct client *client;
	struct json_writer *w;
	struct delivery d;
	int status, rc;

	if (!common_options(argc, argv, usage, &options, &status))
		return status;
	if (argc - optind != 1 ||
	    !config_channel_known(span_of(argv[optind]))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (read_input(&d.raw) != 0 || d.raw.len == 0) {
		fprintf(stderr, "trizone-executor: an item has 1 to %u bytes\n",
		    MAIL_MAX_BYTES);
		return EXIT_DATA;
	}
	config = config_or_die(options.config, EXIT_TEMPORARY);
	client = connect_or_die(config, SIDE_DELIVER, "deliver", on_notice, &d);
	stream_out_init(&d.out, client_channel(client), STREAM_NUMBER,
	    (int64_t)d.raw.len, hand_out, &d);
	w = client_begin(client, METHOD_DELIVER);
	json_put_integer(w, "stream", STREAM_NUMBER);
	json_put_text(w, "channel", argv[optind]);
	json_put_integer(w, "bytes", (int64_t)d.raw.len);
	rc = client_ask_streaming(client, DELIVER_MS, &d.out, &answer);
	if (rc != 0)
		die(EXIT_TEMPORARY, "not delivered: %s", err_text(rc));
	receipt_keep(&answer);
	status = print_answer(&answer, options.json);
	client_close(client);
	stream_out_done(&d.out);
	buf_free(&d.raw);
	config_free(config);
	return status;
}
