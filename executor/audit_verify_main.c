/*
 * The command `audit verify`. Runs as whoever may read the log; believes
 * nothing of it. Never writes but to standard output and error.
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
#define PATH_BYTES 4096

struct receipt {
	uint64_t seq; /* 0: none */
	unsigned char hash[SHA256_BYTES];
	bool found;
};

static void
usage(FILE *out, const char *name)
{
	fprintf(out,
	    "usage: %s [options] [--dir DIR | FILE]\n"
	    "Check every record of an audit log and name the first bad one.\n"
	    "\n"
	    "  --dir DIR           folder of the log\n"
	    "  --receipt SEQ:HASH  also check that this record is in the log\n"
	    "                      (16 digits, 64 digits): only so a cut end\n"
	    "                      or a log written anew can be seen\n"
	    "  --json              the result as one JSON object\n"
	    "\n"
	    "Exit status: 0 no damage, 1 damage, 64 usage, 69 no such log,\n"
	    "71 it could not be read, 77 not permitted.\n",
	    name);
}

static int
receipt_parse(const char *text, struct receipt *receipt)
{
	struct span all = span_of(text);
	struct span seq = {text, RECORD_SEQ_DIGITS};
	struct span hash = {text + RECORD_SEQ_DIGITS + 1, RECORD_HASH_DIGITS};

	if (all.n != RECORD_SEQ_DIGITS + 1 + RECORD_HASH_DIGITS ||
	    text[RECORD_SEQ_DIGITS] != ':' ||
	    record_seq_parse(seq, &receipt->seq) != 0 || receipt->seq == 0)
		return -ERR_SYNTAX;
	return hex_decode(hash, receipt->hash, SHA256_BYTES);
}

static int
see_record(void *context, struct span line, uint64_t offset)
{
	struct receipt *receipt = context;
	char digits[RECORD_HASH_DIGITS + 1];

	(void)offset;
	if (receipt->seq == 0 || record_seq(line) != receipt->seq)
		return 0;
	hex_encode(receipt->hash, SHA256_BYTES, digits);
	receipt->found =
	    memcmp(digits, line.p + RECORD_HASH_AT, RECORD_HASH_DIGITS) == 0;
	return 0;
}

/* Look again at a torn end for as long as it grows: a writer is at work. */
static int
verify(const char *path, struct receipt *receipt, struct verify_result *result)
{
	const struct timespec wait = {.tv_nsec = TORN_WAIT_MS * 1000000L};
	uint64_t end = 0, seen;
	int rc = 0, looks = 0;

	do {
		if (looks > 0)
			nanosleep(&wait, NULL);
		seen = end;
		receipt->found = false;
		rc = audit_verify(path, see_record, receipt, result);
		end = result->bytes + result->torn_bytes;
	} while (rc == 0 && result->damage == DAMAGE_TORN && end != seen &&
		 ++looks < TORN_LOOKS);
	if (rc == 0 && result->damage == DAMAGE_NONE && receipt->seq != 0 &&
	    !receipt->found) {
		result->damage = DAMAGE_RECEIPT;
		result->bad_record = receipt->seq;
		result->bad_offset = result->bytes;
	}
	return rc;
}

static void
print_words(const char *path, const struct verify_result *result)
{
	char head[RECORD_HASH_DIGITS + 1];

	hex_encode(result->head, SHA256_BYTES, head);
	if (result->damage == DAMAGE_NONE)
		printf("%s: %llu records, no damage\nhead %016llx:%s\n", path,
		    (unsigned long long)result->count,
		    (unsigned long long)result->last, head);
	else
		printf("%s: damaged at record %llu, byte %llu: %s\n"
		       "%llu records before it are good\n",
		    path, (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_offset,
		    damage_text(result->damage),
		    (unsigned long long)result->count);
}

static void
print_json(const struct verify_result *result)
{
	char head[RECORD_HASH_DIGITS + 1];

	hex_encode(result->head, SHA256_BYTES, head);
	printf("{\"records\":%llu,\"first\":\"%016llx\",\"last\":\"%016llx\","
	       "\"head\":\"%s\",\"damage\":\"%s\",\"bad_record\":",
	    (unsigned long long)result->count,
	    (unsigned long long)result->first, (unsigned long long)result->last,
	    head, damage_name(result->damage));
	if (result->damage == DAMAGE_NONE)
		printf("null,\"bad_offset\":null}\n");
	else
		printf("%llu,\"bad_offset\":%llu}\n",
		    (unsigned long long)result->bad_record,
		    (unsigned long long)result->bad_offset);
}

static int
run(const char *path, struct receipt *receipt, bool json)
{
	struct verify_result result;
	int rc = verify(path, receipt, &result);

	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", path, err_text(rc));
		return audit_exit_status(rc);
	}
	if (json)
		print_json(&result);
	else
		print_words(path, &result);
	if (fflush(stdout) != 0)
		return EXIT_SYSTEM;
	return result.damage == DAMAGE_NONE ? EXIT_DONE : EXIT_FOUND;
}

int
audit_verify_main(int argc, char **argv, const char *default_dir)
{
	static const struct option options[] = {
	    {"dir", required_argument, NULL, 'd'},
	    {"receipt", required_argument, NULL, 'r'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	struct receipt receipt = {0};
	const char *dir = NULL;
	char path[PATH_BYTES];
	bool json = false, bad = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			usage(stdout, argv[0]);
			return EXIT_DONE;
		}
		if (option == 'd')
			dir = optarg;
		else if (option == 'r')
			bad = bad || receipt_parse(optarg, &receipt) != 0;
		else if (option == 'j')
			json = true;
		else
			bad = true;
	}
	if (dir == NULL && argc == optind)
		dir = default_dir;
	if (bad || argc - optind > 1 || (dir == NULL) == (argc == optind)) {
		usage(stderr, argv[0]);
		return EXIT_USAGE;
	}
	if (argc - optind == 1)
		return run(argv[optind], &receipt, json);
	return audit_log_path(dir, path, sizeof path) == 0
		   ? run(path, &receipt, json)
		   : EXIT_USAGE;
}
