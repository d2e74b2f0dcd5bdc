/*
 * The commands `audit verify` and `audit root`. Run as whoever may read the
 * log; believe nothing of it. Never write but to standard output and error.
 */
#include "executor/audit_verify.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "executor/audit_files.h"
#include "executor/record.h"

#define TORN_LOOKS 8 /* a writer may be in the middle of a line */
#define TORN_WAIT_MS 10

struct command {
	const char *path;
	unsigned char root[SIGN_KEY_BYTES];
	struct verify_known known;
	struct proofs proofs;
	bool json, help;
};

static void
usage(FILE *out, const char *name)
{
	fprintf(out,
	    "usage: %s [options] [--dir DIR | FILE]\n"
	    "Check every record of an audit log and name the first bad one.\n"
	    "\n"
	    "  --dir DIR           folder of the log\n"
	    "  --root KEY          the log's public key (64 digits), as audit\n"
	    "                      root printed it when the log began\n"
	    "  --receipt SEQ:HASH  also check that this record is in the log\n"
	    "                      (16 digits, 64 digits); may be given again\n"
	    "  --receipts FILE     the same for every line of FILE\n"
	    "  --anchors FILE      the same for every anchor in FILE; and each\n"
	    "                      start after a crash has to be among them\n"
	    "  --json              the result as one JSON object\n"
	    "\n"
	    "Without a receipt or an anchor a cut end cannot be seen, and\n"
	    "without the root a log that was written anew.\n"
	    "Exit status: 0 no damage, 1 damage, 64 usage, 69 no such log,\n"
	    "71 it could not be read, 77 not permitted.\n",
	    name);
}

/* Look again at a torn end for as long as it grows, or at what is another line
 * by now: a writer is at work. */
static int
verify(struct command *command, struct verify_result *result)
{
	const struct timespec wait = {.tv_nsec = TORN_WAIT_MS * 1000000L};
	struct audit_reader *reader;
	uint64_t end = 0, seen;
	int rc, looks = 0;

	do {
		if (looks > 0)
			nanosleep(&wait, NULL);
		seen = end;
		reader = NULL;
		rc = audit_reader_open(command->path, &reader);
		if (rc == 0)
			rc = audit_verify_reader(
			    reader, &command->known, NULL, NULL, result);
		audit_reader_close(reader);
		end = rc == 0 ? result->bytes + result->torn_bytes : 0;
	} while (rc == 0 &&
		 (result->changing ||
		     (result->damage == DAMAGE_TORN && end != seen)) &&
		 ++looks < TORN_LOOKS);
	return rc;
}

static void
print_seals(const struct verify_result *result)
{
	char root[SIGN_KEY_DIGITS + 1];

	if (!result->keys.begun) {
		printf("not signed\n");
		return;
	}
	hex_encode(result->keys.root, SIGN_KEY_BYTES, root);
	printf("root %s\n"
	       "signed up to record %llu; %llu starts after crashes, %llu of "
	       "them unanchored",
	    root, (unsigned long long)result->sealed,
	    (unsigned long long)result->starts,
	    (unsigned long long)result->lone);
	if (result->lone != 0)
		printf(" (the last is record %llu)",
		    (unsigned long long)result->lone_last);
	putchar('\n');
}

static void
print_tail(const struct verify_result *result)
{
	if (result->removed != 0)
		printf("%llu old records were removed, their checkpoints are "
		       "here\n",
		    (unsigned long long)result->removed);
	if (result->proved == result->last)
		printf("the last record is known from elsewhere\n");
	else
		printf("unanchored tail: nothing but the log speaks for what "
		       "follows record %llu\n",
		    (unsigned long long)result->proved);
}

static void
print_words(const char *path, const struct verify_result *result)
{
	char head[RECORD_HASH_DIGITS + 1];

	hex_encode(result->head, SHA256_BYTES, head);
	if (result->damage != DAMAGE_NONE) {
		printf("%s: damaged at record %llu (segment %016llx, byte "
		       "%llu): %s: %s\n%llu records before it are good\n",
		    path, (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_segment,
		    (unsigned long long)result->bad_offset,
		    damage_name(result->damage), damage_text(result->damage),
		    (unsigned long long)result->count);
		return;
	}
	printf("%s: %llu records, no damage\nhead %016llx:%s\n", path,
	    (unsigned long long)result->count, (unsigned long long)result->last,
	    head);
	print_seals(result);
	print_tail(result);
}

/* A key as a string, or null. */
static void
print_key(const char *name, bool is_there, const unsigned char *key)
{
	char digits[SIGN_KEY_DIGITS + 1];

	hex_encode(key, SIGN_KEY_BYTES, digits);
	printf(is_there ? "\"%s\":\"%s\"," : "\"%s\":null,", name, digits);
}

static void
print_json(const struct verify_result *result)
{
	char head[RECORD_HASH_DIGITS + 1];

	hex_encode(result->head, SHA256_BYTES, head);
	printf("{\"records\":%llu,\"first\":\"%016llx\",\"last\":\"%016llx\","
	       "\"head\":\"%s\",",
	    (unsigned long long)result->count,
	    (unsigned long long)result->first, (unsigned long long)result->last,
	    head);
	print_key("root", result->keys.begun, result->keys.root);
	printf("\"signed\":\"%016llx\",\"proved\":\"%016llx\",\"removed\":%llu,"
	       "\"starts\":%llu,\"unanchored\":%llu,\"damage\":\"%s\","
	       "\"bad_record\":",
	    (unsigned long long)result->sealed,
	    (unsigned long long)result->proved,
	    (unsigned long long)result->removed,
	    (unsigned long long)result->starts,
	    (unsigned long long)result->lone, damage_name(result->damage));
	if (result->damage == DAMAGE_NONE)
		printf("null,\"bad_segment\":null,\"bad_offset\":null}\n");
	else
		printf("%llu,\"bad_segment\":\"%016llx\",\"bad_offset\":%llu}"
		       "\n",
		    (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_segment,
		    (unsigned long long)result->bad_offset);
}

static int
run(struct command *command)
{
	struct verify_result result;
	int rc = verify(command, &result);

	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", command->path, err_text(rc));
		return audit_exit_status(rc);
	}
	if (command->json)
		print_json(&result);
	else
		print_words(command->path, &result);
	if (fflush(stdout) != 0)
		return EXIT_SYSTEM;
	return result.damage == DAMAGE_NONE ? EXIT_DONE : EXIT_FOUND;
}

/* One option: an exit status, EXIT_DONE if all is well. */
static int
take_option(struct command *command, int option)
{
	int rc = 0;

	switch (option) {
	case 'd':
		command->path = optarg;
		return EXIT_DONE;
	case 'j':
		command->json = true;
		return EXIT_DONE;
	case 'h':
		command->help = true;
		return EXIT_DONE;
	case 'r':
		rc = proofs_add_receipt(&command->proofs, span_of(optarg));
		break;
	case 'k':
		command->known.root = command->root;
		rc = hex_decode(span_of(optarg), command->root, SIGN_KEY_BYTES);
		break;
	case 'a':
	case 'f':
		rc = option == 'a'
			 ? proofs_add_file(&command->proofs, optarg)
			 : proofs_add_receipts(&command->proofs, optarg);
		if (rc == 0)
			return EXIT_DONE;
		fprintf(stderr, "%s: %s\n", optarg, err_text(rc));
		return audit_exit_status(rc);
	default:
		return EXIT_USAGE;
	}
	return rc == 0 ? EXIT_DONE : EXIT_USAGE;
}

/* The arguments: an exit status, EXIT_DONE if all is well. */
static int
parse_command(
    int argc, char **argv, const char *default_dir, struct command *command)
{
	static const struct option options[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"root", required_argument, NULL, 'k'},
	    {"receipt", required_argument, NULL, 'r'},
	    {"receipts", required_argument, NULL, 'f'},
	    {"anchors", required_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	int option, status = EXIT_DONE;

	optind = 1;
	while (status == EXIT_DONE && !command->help &&
	       (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		status = take_option(command, option);
	if (status != EXIT_DONE || command->help)
		return status;
	if (argc - optind > 1 || (argc - optind == 1 && command->path != NULL))
		return EXIT_USAGE;
	if (argc - optind == 1)
		command->path = argv[optind];
	if (command->path == NULL)
		command->path = default_dir;
	return command->path == NULL ? EXIT_USAGE : EXIT_DONE;
}

int
audit_verify_main(int argc, char **argv, const char *default_dir)
{
	struct command command = {.json = false};
	int status;

	command.known.proofs = &command.proofs;
	status = parse_command(argc, argv, default_dir, &command);
	if (command.help)
		usage(stdout, argv[0]);
	else if (status == EXIT_USAGE)
		usage(stderr, argv[0]);
	else if (status == EXIT_DONE)
		status = run(&command);
	proofs_done(&command.proofs);
	return status;
}

/* The first key that the log names. */
static int
print_root(const char *path)
{
	struct audit_reader *reader = NULL;
	struct audit_line line;
	struct seal_line seal;
	char digits[SIGN_KEY_DIGITS + 1];
	int rc = audit_reader_open(path, &reader);

	while (rc == 0 && (rc = audit_reader_next(reader, &line)) == 1) {
		rc = record_check(line.text);
		if (rc != 0 || !record_is(line.text, RECORD_LINEAGE))
			continue;
		rc = seal_line_parse(line.text, &seal);
		hex_encode(seal.key, SIGN_KEY_BYTES, digits);
		if (rc == 0)
			puts(digits);
		audit_reader_close(reader);
		return rc == 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
	}
	audit_reader_close(reader);
	fprintf(stderr, "%s: %s\n", path,
	    rc == 0 ? "no key: the log has not begun" : err_text(rc));
	return rc == 0 ? EXIT_UNAVAILABLE : audit_exit_status(rc);
}

int
audit_root_main(int argc, char **argv, const char *default_dir)
{
	static const struct option options[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *dir = default_dir;
	bool help = false, bad = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'd')
			dir = optarg;
		help = help || option == 'h';
		bad = bad || option == '?';
	}
	bad = bad || (!help && (argc != optind || dir == NULL));
	if (!help && !bad)
		return print_root(dir);
	fprintf(help ? stdout : stderr,
	    "usage: %s [--dir DIR]\n"
	    "Print the public key that the log began with. Keep it elsewhere:\n"
	    "audit verify --root needs it.\n"
	    "Exit status: 0 done, 64 usage, 69 no such log, 71 it could not be\n"
	    "read, 77 not permitted.\n",
	    argv[0]);
	return bad ? EXIT_USAGE : EXIT_DONE;
}
