/*
 * Checking a log: `audit verify`, and the auditor at its start. Reads hostile
 * bytes and believes nothing; never writes to the log.
 */
#include "executor/audit_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "executor/audit_lines.h"
#include "executor/record.h"

static const struct {
	const char *name, *text;
} damages[DAMAGE_COUNT] = {
    [DAMAGE_NONE] = {"none", "no damage"},
    [DAMAGE_MALFORMED] = {"malformed", "it is not a line of this format"},
    [DAMAGE_HASH] = {"hash", "its bytes do not match its hash"},
    [DAMAGE_SEQUENCE] = {"sequence", "a record is missing, doubled or moved"},
    [DAMAGE_PREV] = {"prev", "it does not follow the record before it"},
    [DAMAGE_TORN] = {"torn", "the last line is not complete"},
    [DAMAGE_RECEIPT] = {"receipt", "it is missing or not the one written"},
};

const char *
damage_name(enum damage damage)
{
	return damages[damage].name;
}

const char *
damage_text(enum damage damage)
{
	return damages[damage].text;
}

void
chain_init(struct chain *chain, struct sha256 *digest)
{
	*chain = (struct chain){.digest = digest};
}

static bool
hex_matches(const char *digits, const unsigned char hash[SHA256_BYTES])
{
	char expected[RECORD_HASH_DIGITS + 1];

	hex_encode(hash, SHA256_BYTES, expected);
	return memcmp(digits, expected, RECORD_HASH_DIGITS) == 0;
}

enum damage
chain_next(struct chain *chain, struct span line)
{
	unsigned char hash[SHA256_BYTES];

	if (record_check(line) != 0)
		return DAMAGE_MALFORMED;
	record_hash(chain->digest, line, hash);
	if (!hex_matches(line.p + RECORD_HASH_AT, hash))
		return DAMAGE_HASH;
	if (record_seq(line) != chain->last + 1)
		return DAMAGE_SEQUENCE;
	if (!hex_matches(line.p + RECORD_PREV_AT, chain->head))
		return DAMAGE_PREV;
	chain->last++;
	memcpy(chain->head, hash, sizeof hash);
	return DAMAGE_NONE;
}

/* A record that fits: count it. One that does not: name it. */
static void
note(struct verify_result *result, const struct chain *chain,
    enum damage damage, const struct lines *lines)
{
	if (damage != DAMAGE_NONE) {
		result->damage = damage;
		result->bad_record = result->count + 1;
		result->bad_offset = result->bytes;
		return;
	}
	result->count++;
	if (result->first == 0)
		result->first = chain->last;
	result->last = chain->last;
	result->bytes = lines->offset;
	memcpy(result->head, chain->head, SHA256_BYTES);
}

static int
verify_lines(struct lines *lines, struct chain *chain,
    int (*each)(void *context, struct span line, uint64_t offset),
    void *context, struct verify_result *result)
{
	struct span line;
	uint64_t offset;
	int rc;

	while ((rc = lines_next(lines, &line, &offset)) > 0) {
		note(result, chain, chain_next(chain, line), lines);
		if (result->damage != DAMAGE_NONE)
			return 0;
		rc = each == NULL ? 0 : each(context, line, offset);
		if (rc != 0)
			return rc;
	}
	if (rc == -ERR_TOO_LARGE) {
		note(result, chain, DAMAGE_MALFORMED, lines);
		return 0;
	}
	if (rc == 0 && lines_rest(lines) > 0) {
		note(result, chain, DAMAGE_TORN, lines);
		result->torn_bytes = lines_rest(lines);
	}
	return rc;
}

int
audit_verify_fd(int fd,
    int (*each)(void *context, struct span line, uint64_t offset),
    void *context, struct verify_result *result)
{
	struct lines *lines = alloc_bytes(sizeof *lines);
	struct sha256 *digest = sha256_new();
	struct chain chain;
	int rc;

	*result = (struct verify_result){0};
	chain_init(&chain, digest);
	lines_init(lines, fd, 0);
	rc = verify_lines(lines, &chain, each, context, result);
	sha256_free(digest);
	free(lines);
	return rc;
}

static int
open_error(int saved_errno)
{
	if (saved_errno == EACCES || saved_errno == EPERM)
		return -ERR_PEER;
	return err_from_errno(saved_errno);
}

int
audit_open_read(const char *path, int *fd_out)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return open_error(errno);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -ERR_NOT_REGULAR;
	}
	*fd_out = fd;
	return 0;
}

int
audit_verify(const char *path,
    int (*each)(void *context, struct span line, uint64_t offset),
    void *context, struct verify_result *result)
{
	int fd = -1;
	int rc = audit_open_read(path, &fd);

	if (rc != 0)
		return rc;
	rc = audit_verify_fd(fd, each, context, result);
	close(fd);
	return rc;
}
