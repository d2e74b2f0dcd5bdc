/*
 * Set of spent grants: a sorted array, as it is asked far more rarely than it
 * would have to be hashed. Runs in the auditor.
 */
#include "executor/audit_grants.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/sorted.h"
#include "executor/audit_files.h"
#include "executor/record.h"

#define HEAD_BYTES (sizeof GRANTS_HEAD - 1)
#define ROW_BYTES (RECORD_SEQ_DIGITS + 1)

void
grants_done(struct grants *grants)
{
	free(grants->numbers);
	*grants = (struct grants){0};
}

/* Index of the first number that is not below `grant`. */
static size_t
find(const struct grants *grants, uint64_t grant)
{
	return sorted_find(
	    grants->numbers, grants->count, sizeof grants->numbers[0], grant);
}

bool
grants_have(const struct grants *grants, uint64_t grant)
{
	size_t at = find(grants, grant);

	return at < grants->count && grants->numbers[at] == grant;
}

static void
grow(struct grants *grants)
{
	size_t room = grants->room == 0 ? 64 : 2 * grants->room;
	uint64_t *numbers = alloc_array(room, sizeof *numbers);

	if (grants->count != 0)
		memcpy(
		    numbers, grants->numbers, grants->count * sizeof *numbers);
	free(grants->numbers);
	grants->numbers = numbers;
	grants->room = room;
}

int
grants_add(struct grants *grants, uint64_t grant)
{
	size_t at = find(grants, grant);

	if (grants_have(grants, grant))
		return 0;
	if (grants->count == GRANTS_MAX)
		return -ERR_BUSY;
	if (grants->count == grants->room)
		grow(grants);
	memmove(&grants->numbers[at + 1], &grants->numbers[at],
	    (grants->count - at) * sizeof grants->numbers[0]);
	grants->numbers[at] = grant;
	grants->count++;
	return 0;
}

static int
parse(struct span text, struct grants *grants)
{
	int rc = 0;

	if (text.n < HEAD_BYTES || (text.n - HEAD_BYTES) % ROW_BYTES != 0 ||
	    memcmp(text.p, GRANTS_HEAD, HEAD_BYTES) != 0)
		return -ERR_CORRUPT;
	for (size_t at = HEAD_BYTES; at < text.n && rc == 0; at += ROW_BYTES) {
		struct span digits = {text.p + at, RECORD_SEQ_DIGITS};
		uint64_t grant;

		if (record_seq_parse(digits, &grant) != 0 || grant == 0 ||
		    text.p[at + RECORD_SEQ_DIGITS] != '\n')
			return -ERR_CORRUPT;
		rc = grants_add(grants, grant);
	}
	return rc;
}

int
grants_load(int folder, struct grants *grants)
{
	const size_t most = HEAD_BYTES + (size_t)GRANTS_MAX * ROW_BYTES;
	struct audit_problem problem;
	struct stat status;
	char *text;
	int fd;
	int rc = audit_file_open(folder, GRANTS_NAME, O_RDONLY, &fd, &problem);

	if (rc == -ERR_NOT_REGULAR || rc == -ERR_PATH || rc == -ERR_PEER)
		return -ERR_CORRUPT; /* it does not mend itself */
	if (rc != 0)
		return rc == -ERR_NOT_FOUND ? rc : -ERR_IO;
	if (fstat(fd, &status) != 0 || status.st_size < 0 ||
	    (size_t)status.st_size > most) {
		close(fd);
		return -ERR_CORRUPT;
	}
	text = alloc_bytes((size_t)status.st_size + 1);
	if (pread(fd, text, (size_t)status.st_size, 0) != status.st_size)
		rc = -ERR_IO;
	else
		rc = parse((struct span){text, (size_t)status.st_size}, grants);
	free(text);
	close(fd);
	return rc;
}

int
grants_text(const struct grants *grants, struct buf *out)
{
	int rc = buf_add_text(out, GRANTS_HEAD);

	for (size_t i = 0; i < grants->count && rc == 0; i++)
		rc =
		    buf_add_format(out, "%016" PRIx64 "\n", grants->numbers[i]);
	return rc;
}
