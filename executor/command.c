/*
 * What the operator's commands share.
 */
#include "executor/command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "common/limits.h"
#include "executor/audit_proof.h"
#include "executor/notify.h"
#include "executor/parent_files.h"
#include "proto/endpoint.h"

#define ASK_MS 10000
#define RECEIPT_LINE_BYTES 128

/* Process-wide by nature: where this command keeps what it gets. */
static const char *receipts_path;

static int
parse_config(const char *path, struct setup *out, char *reason, size_t room)
{
	struct json_error where;
	char *copy;
	int rc;

	buf_init(&out->config_text, CONFIG_MAX_BYTES);
	rc = config_read_file(path, &out->config_text, reason, room);
	if (rc == -ERR_NOT_FOUND)
		snprintf(reason, room,
		    "no configuration at %s: trizone-executor init makes a "
		    "first one",
		    path);
	if (rc != 0)
		return rc;
	copy = alloc_string(path);
	rc = config_parse(
	    (struct span){out->config_text.data, out->config_text.len},
	    dirname(copy), &out->config, &where);
	free(copy);
	if (rc != 0) {
		config_error_text(path, &where, reason, room);
	}
	return rc;
}

static int
parse_policy(struct setup *out, char *reason, size_t room)
{
	const char *path = out->config->policy;
	struct json_error where;
	int rc;

	buf_init(&out->policy_text, POLICY_MAX_BYTES);
	rc = config_read_file(path, &out->policy_text, reason, room);
	if (rc != 0)
		return rc;
	rc = policy_parse(
	    (struct span){out->policy_text.data, out->policy_text.len},
	    &out->policy, &where);
	if (rc != 0) {
		config_error_text(path, &where, reason, room);
	}
	return rc;
}

int
setup_load(const char *path, struct setup *out, char *reason, size_t room)
{
	int rc;

	*out = (struct setup){0};
	rc = parse_config(path, out, reason, room);
	if (rc == 0)
		rc = parse_policy(out, reason, room);
	if (rc == 0)
		rc = config_check_anchors(
		    out->config, out->policy, reason, room);
	if (rc != 0)
		setup_free(out);
	return rc;
}

void
setup_free(struct setup *setup)
{
	config_free(setup->config);
	policy_free(setup->policy);
	buf_free(&setup->config_text);
	buf_free(&setup->policy_text);
	*setup = (struct setup){0};
}

struct config *
config_or_die(const char *path, int status)
{
	struct setup setup = {0};
	char reason[1024];

	if (parse_config(path, &setup, reason, sizeof reason) != 0)
		die(status, "%s", reason);
	buf_free(&setup.config_text);
	return setup.config;
}

bool
common_options(int argc, char **argv, const char *usage,
    struct common_options *out, int *status_out)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {"receipts", required_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	*out = (struct common_options){.config = CONFIG_DEFAULT_PATH};
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'c') {
			out->config = optarg;
		} else if (option == 'j') {
			out->json = true;
		} else if (option == 'r') {
			receipt_keep_in(optarg);
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			*status_out = option == 'h' ? EXIT_DONE : EXIT_USAGE;
			return false;
		}
	}
	return true;
}

bool
options_only(int argc, char **argv, const char *usage,
    struct common_options *out, int *status_out)
{
	if (!common_options(argc, argv, usage, out, status_out))
		return false;
	if (optind == argc)
		return true;
	fputs(usage, stderr);
	*status_out = EXIT_USAGE;
	return false;
}

int
command_of_archive(int argc, char **argv, const char *usage,
    int (*run)(const struct config *config, const char *path))
{
	struct common_options options;
	struct config *config;
	int status;

	if (!common_options(argc, argv, usage, &options, &status))
		return status;
	if (argc - optind != 1 || options.json) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	status = run(config, argv[optind]);
	config_free(config);
	return status;
}

int
connect_to(const struct config *config, enum side self, const char *socket,
    client_notice *notice, void *context, struct client **client_out)
{
	char path[SOCKET_PATH_BYTES], spec[SOCKET_PATH_BYTES + 5];
	struct client_options options = {.spec = spec,
	    .self = self,
	    .zone = socket,
	    .program = "trizone-executor " TRIZONE_VERSION,
	    .notice = notice,
	    .context = context};
	int rc = socket_path(config, socket, path, sizeof path);

	if (rc != 0)
		return rc;
	(void)snprintf(spec, sizeof spec, "unix:%s", path);
	return client_open(&options, client_out);
}

struct client *
connect_or_die(const struct config *config, enum side self, const char *socket,
    client_notice *notice, void *context)
{
	struct client *client;
	int rc = connect_to(config, self, socket, notice, context, &client);

	if (rc == -ERR_PEER)
		die(self == SIDE_DELIVER ? EXIT_TEMPORARY : EXIT_NOT_PERMITTED,
		    "you may not use %s/%s.sock", config->run, socket);
	if (rc == -ERR_UNWRITTEN) /* and what the executor says is told */
		die(EXIT_TEMPORARY, "%s", err_text(rc));
	if (rc != 0)
		die(EXIT_TEMPORARY,
		    "no executor answers at %s/%s.sock (%s): start it with "
		    "trizone-executor run",
		    config->run, socket, err_text(rc));
	return client;
}

void
receipt_keep_in(const char *path)
{
	receipts_path = path;
}

/* A regular file, whoever else would like it to be something else. */
static int
open_receipts(void)
{
	int fd = open(receipts_path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	struct stat status;

	if (fd < 0)
		return errno == ELOOP ? -ERR_NOT_REGULAR
				      : err_from_errno(errno);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return -ERR_NOT_REGULAR;
}

void
receipt_keep(const struct client_answer *answer)
{
	const struct json_node *node =
	    answer->result == NULL
		? NULL
		: json_get(answer->doc, answer->result, "receipt");
	char line[RECEIPT_LINE_BYTES];
	int fd, used, rc;

	if (node == NULL || node->type != JSON_STRING || receipts_path == NULL)
		return;
	used = snprintf(line, sizeof line, "%.*s\n", (int)node->value.string.n,
	    node->value.string.p);
	if (used < 0 || (size_t)used >= sizeof line)
		die(EXIT_SYSTEM, "the executor's receipt is none");
	fd = open_receipts();
	rc = fd < 0 ? fd
		    : notify_file_add(fd, (struct span){line, (size_t)used},
			  PROOFS_FILE_MAX);
	if (fd >= 0)
		close(fd);
	if (rc != 0)
		die(EXIT_SYSTEM,
		    "it was done, but its receipt %.*s cannot be kept in %s: "
		    "%s",
		    used - 1, line, receipts_path, err_text(rc));
}

void
ask_or_die(struct client *client, struct client_answer *answer_out)
{
	int rc = client_ask(client, ASK_MS, answer_out);

	if (rc != 0)
		die(EXIT_TEMPORARY, "no answer: %s", err_text(rc));
	if (answer_out->result == NULL)
		die(EXIT_UNAVAILABLE, "%.*s", (int)answer_out->text.n,
		    answer_out->text.p);
	receipt_keep(answer_out);
}

void
print_inert(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c < 0x7f)
			putchar(c);
		else
			printf("\\x%02x", c);
	}
}

void
format_time(int64_t ms, char out[32])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

void
write_new_file(const char *dir, const char *name, struct span text, mode_t mode)
{
	char *path = alloc_format("%s/%s", dir, name);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		die_errno("%s", path);
	/* our umask is for what the service makes; these are to be read */
	if (fchmod(fd, mode) != 0 || io_write_all(fd, text) != 0 ||
	    fsync(fd) != 0 || close(fd) != 0)
		die_errno("%s", path);
	free(path);
}
