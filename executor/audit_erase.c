/*
 * Salts of a log, shown or erased from outside the auditor; its chain does not
 * notice. Runs in an operator's own command.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/audit_log.h"
#include "executor/audit_salt.h"
#include "executor/named.h"

static int
open_salts(
    const char *path, int flags, int *fd_out, struct audit_problem *problem)
{
	int folder;
	int rc = audit_folder_open(path, false, &folder, problem);

	if (rc != 0)
		return rc;
	rc = audit_file_open(folder, AUDIT_SALTS_NAME, flags, fd_out, problem);
	close(folder);
	return rc;
}

static int
salt_problem(struct audit_problem *problem, int error, uint64_t seq)
{
	if (error != 0)
		audit_problem(problem, error, "salt of record %llu: %s",
		    (unsigned long long)seq, err_text(error));
	return error;
}

/* A start may put a shorter file in the place of this one meanwhile. */
int
audit_erase(const char *path, uint64_t seq, struct audit_problem *problem)
{
	bool is_it = false;
	int folder, fd;
	int rc = audit_folder_open(path, false, &folder, problem);

	if (rc != 0)
		return rc;
	while (rc == 0 && !is_it) {
		rc = audit_file_open(
		    folder, AUDIT_SALTS_NAME, O_RDWR, &fd, problem);
		if (rc != 0)
			break;
		rc = salt_problem(problem, salt_erase(fd, seq), seq);
		is_it = file_has_name(folder, AUDIT_SALTS_NAME, fd);
		close(fd);
	}
	close(folder);
	return rc;
}

int
audit_salt(const char *path, uint64_t seq, unsigned char salt_out[16],
    struct audit_problem *problem)
{
	int fd;
	int rc = open_salts(path, O_RDONLY, &fd, problem);

	if (rc != 0)
		return rc;
	rc = salt_problem(problem, salt_find(fd, seq, salt_out), seq);
	close(fd);
	return rc;
}
