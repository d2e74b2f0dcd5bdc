/*
 * The audit log beside what the disk and the processor could do at best, in
 * one process, in turns: a figure is the median of the ratios of pairs.
 *
 *   audit_own write DIR PAIRS   one durable record, and groups of 64, beside
 *                               raw writes of as many bytes into a file that
 *                               was preallocated (O_DSYNC for one, fdatasync
 *                               for a group), and SQLite (WAL, FULL): a new
 *                               database, whose log grows, and one that has
 *                               come to write over its log
 *   audit_own verify DIR PAIRS RECORDS
 *                               beside a loop that only hashes each record
 *
 * DIR is on the disk that is measured; nothing is left in it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/audit_log.h"
#include "executor/audit_segment.h"
#include "executor/audit_verify.h"
#include "tests/bench/bench.h"

#define PAIRS_MAX 1000
#define ROUND 32 /* durable writes of one turn */
#define GROUP 64
#define RAW_BYTES (64u << 20)

enum { OURS, RAW, SQLITE };

static const char *folder;
static char log_folder[4096], raw_path[4096], sqlite_path[4096];
static struct audit *audit;
static sqlite3 *database;
static sqlite3_stmt *insert;
static int raw_dsync, raw_plain;
static size_t line_bytes;
static uint64_t raw_at;
static char line[RECORD_LINE_MAX];

static void
remove_log(void)
{
	DIR *dir = opendir(log_folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(log_folder);
}

static void
open_log(void)
{
	struct audit_problem problem;

	remove_log();
	if (audit_open(log_folder, NULL, &audit, NULL, &problem) != 0)
		errx(1, "%s", problem.text);
}

/* A decision as they are, with a commitment. */
static void
append(uint64_t number)
{
	static const unsigned char body[SHA256_BYTES] = {1};
	struct record record = {.kind = RECORD_DECISION,
	    .request = number,
	    .session = 4,
	    .zone = SPAN("planner"),
	    .capability = SPAN("file.read"),
	    .number = 7,
	    .verdict = VERDICT_ALLOW,
	    .rule = SPAN("notes-may-be-read"),
	    .message = 17,
	    .bytes = 120,
	    .detail = SPAN("notes/today.txt"),
	    .body = body};

	if (audit_append(audit, &record, NULL, NULL) != 0)
		errx(1, "append");
}

static void
flush(void)
{
	if (audit_flush(audit, true) != 0)
		errx(1, "flush");
}

/* The length of such a record's line. */
static size_t
measure_line(void)
{
	size_t before;

	flush();
	before = audit_waiting(audit);
	append(1);
	before = audit_waiting(audit) - before;
	flush();
	return before;
}

static void
open_raw(void)
{
	char *bytes = calloc(1, RAW_BYTES);
	int fd = open(raw_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (bytes == NULL || fd < 0)
		err(1, "%s", raw_path);
	bench_write(fd, bytes, RAW_BYTES);
	if (fsync(fd) != 0)
		err(1, "%s", raw_path);
	free(bytes);
	close(fd);
	raw_dsync = open(raw_path, O_WRONLY | O_DSYNC);
	raw_plain = open(raw_path, O_WRONLY);
	memset(line, 'r', sizeof line);
}

static void
sql(const char *text)
{
	if (sqlite3_exec(database, text, NULL, NULL, NULL) != SQLITE_OK)
		errx(1, "%s: %s", text, sqlite3_errmsg(database));
}

static void
remove_sqlite(void)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	char path[4200];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", sqlite_path, endings[i]);
		unlink(path);
	}
}

static void
close_sqlite(void)
{
	sqlite3_finalize(insert);
	sqlite3_close(database);
	remove_sqlite();
}

static void
open_sqlite(void)
{
	remove_sqlite();
	if (sqlite3_open(sqlite_path, &database) != SQLITE_OK)
		errx(1, "%s", sqlite_path);
	sql("PRAGMA journal_mode=WAL");
	sql("PRAGMA synchronous=FULL");
	sql("CREATE TABLE log(id INTEGER PRIMARY KEY, line BLOB)");
	if (sqlite3_prepare_v2(database, "INSERT INTO log(line) VALUES(?)", -1,
		&insert, NULL) != SQLITE_OK)
		errx(1, "insert");
}

static void
raw_group(size_t group)
{
	int fd = group == 1 ? raw_dsync : raw_plain;

	for (size_t i = 0; i < group; i++) {
		if (pwrite(fd, line, line_bytes, (off_t)raw_at) !=
		    (ssize_t)line_bytes)
			err(1, "raw");
		raw_at = (raw_at + line_bytes) % (RAW_BYTES - sizeof line);
	}
	if (group > 1 && fdatasync(fd) != 0)
		err(1, "raw");
}

static void
sqlite_group(size_t group)
{
	if (group > 1)
		sql("BEGIN");
	for (size_t i = 0; i < group; i++) {
		sqlite3_bind_blob(
		    insert, 1, line, (int)line_bytes, SQLITE_STATIC);
		if (sqlite3_step(insert) != SQLITE_DONE)
			errx(1, "%s", sqlite3_errmsg(database));
		sqlite3_reset(insert);
	}
	if (group > 1)
		sql("COMMIT");
}

static double
turn(int side, size_t group)
{
	double begin = bench_now_us();

	for (int i = 0; i < ROUND; i++) {
		if (side == RAW)
			raw_group(group);
		else if (side == SQLITE)
			sqlite_group(group);
		else {
			for (size_t n = 0; n < group; n++)
				append(n);
			flush();
		}
	}
	return (bench_now_us() - begin) / ROUND;
}

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return a < b ? -1 : a > b;
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 2];
}

/* Microseconds of both sides, and ours in proportion to theirs. */
static void
report(const char *name, const char *peer, double *ours, double *theirs,
    size_t pairs)
{
	static double ratios[PAIRS_MAX];

	for (size_t i = 0; i < pairs; i++)
		ratios[i] = ours[i] / theirs[i];
	printf("\"%s_to_%s\":%.4f,", name, peer, median(ratios, pairs));
	printf("\"%s_ours_us\":%.3f,\"%s_%s_us\":%.3f,", name,
	    median(ours, pairs), name, peer, median(theirs, pairs));
}

/* In turns; `anew`: into a new database each time. */
static void
measure_group(const char *name, const char *peer, int side, size_t group,
    bool anew, size_t pairs)
{
	static double ours[PAIRS_MAX], theirs[PAIRS_MAX];

	for (size_t i = 0; i < pairs; i++) {
		if (anew) {
			close_sqlite();
			open_sqlite();
		}
		if (i % 2 == 0)
			ours[i] = turn(OURS, group);
		theirs[i] = turn(side, group);
		if (i % 2 == 1)
			ours[i] = turn(OURS, group);
	}
	report(name, peer, ours, theirs, pairs);
}

static void
measure_writes(size_t pairs)
{
	open_log();
	line_bytes = measure_line();
	open_raw();
	open_sqlite();
	printf("{");
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "one" : "group";
		size_t group = i == 0 ? 1 : GROUP;

		measure_group(name, "raw", RAW, group, false, pairs);
		measure_group(name, "sqlite", SQLITE, group, true, pairs);
		measure_group(name, "reused", SQLITE, group, false, pairs);
	}
	printf("\"line_bytes\":%zu}\n", line_bytes);
	audit_close(audit);
	close_sqlite();
	close(raw_dsync);
	close(raw_plain);
	unlink(raw_path);
	remove_log();
}

/* All bytes of the log. */
static char *
load_log(size_t *bytes_out)
{
	int fd = open(log_folder, O_RDONLY | O_DIRECTORY), file;
	char name[SEGMENT_NAME_BYTES];
	struct segments segments;
	size_t bytes = 0;
	char *all = NULL;

	if (fd < 0 || segments_list(fd, &segments) != 0)
		errx(1, "%s", log_folder);
	all = malloc((segments.count + 1) * SEGMENT_BYTES);
	for (size_t i = 0; all != NULL && i < segments.count; i++) {
		ssize_t got;

		segment_name(&segments.rows[i], name);
		file = openat(fd, name, O_RDONLY);
		got = read(file, all + bytes, SEGMENT_BYTES);
		bytes += got > 0 ? (size_t)got : 0;
		close(file);
	}
	segments_done(&segments);
	close(fd);
	*bytes_out = bytes;
	return all;
}

static double
hash_records(const char *all, size_t bytes, size_t *count_out)
{
	EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char hash[SHA256_BYTES];
	double begin = bench_now_us();
	size_t count = 0, length;

	for (size_t at = 0; at < bytes && all[at] != '\n'; at += length + 1) {
		length =
		    (size_t)((const char *)memchr(all + at, '\n', bytes - at) -
			     (all + at));
		if (EVP_DigestInit_ex2(context, algorithm, NULL) != 1 ||
		    EVP_DigestUpdate(context, all + at + RECORD_HASHED_AT,
			length - RECORD_HASHED_AT) != 1 ||
		    EVP_DigestFinal_ex(context, hash, NULL) != 1)
			errx(1, "hash");
		count++;
	}
	begin = bench_now_us() - begin;
	EVP_MD_CTX_free(context);
	EVP_MD_free(algorithm);
	*count_out = count;
	return begin;
}

static void
measure_verify(size_t pairs, size_t records)
{
	static double ours[PAIRS_MAX], theirs[PAIRS_MAX];
	struct verify_result result;
	size_t bytes, count = 0;
	double begin;
	char *all;

	open_log();
	for (size_t i = 0; i < records; i++)
		append(i);
	audit_close(audit);
	all = load_log(&bytes);
	for (size_t i = 0; i < pairs; i++) {
		theirs[i] = hash_records(all, bytes, &count);
		begin = bench_now_us();
		if (audit_verify(log_folder, NULL, NULL, &result) != 0 ||
		    result.damage != DAMAGE_NONE || result.count != count)
			errx(1, "the log is not good");
		ours[i] = bench_now_us() - begin;
	}
	printf("{");
	report("verify", "hashing", ours, theirs, pairs);
	printf("\"records\":%zu,\"bytes\":%zu}\n", count, (size_t)result.bytes);
	free(all);
	remove_log();
}

int
main(int argc, char **argv)
{
	size_t pairs;

	if (argc < 4 || (strcmp(argv[1], "verify") == 0) != (argc == 5))
		errx(64, "usage: audit_own write DIR PAIRS\n"
			 "       audit_own verify DIR PAIRS RECORDS");
	folder = argv[2];
	pairs = bench_count(argv[3]);
	if (pairs > PAIRS_MAX)
		errx(64, "at most %d pairs", PAIRS_MAX);
	snprintf(log_folder, sizeof log_folder, "%s/log", folder);
	snprintf(raw_path, sizeof raw_path, "%s/raw", folder);
	snprintf(sqlite_path, sizeof sqlite_path, "%s/peer.db", folder);
	alarm(BENCH_SECONDS);
	if (argc == 5)
		measure_verify(pairs, bench_count(argv[4]));
	else
		measure_writes(pairs);
	return 0;
}
