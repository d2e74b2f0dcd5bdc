#include "tests/unit/audit_fixture.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[48];
struct audit_limits limits;
struct audit *audit;
struct audit_found found;
struct audit_problem problem;

void
folder_make(void)
{
	strcpy(folder, "/tmp/test_audit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	audit = NULL;
}

void
folder_empty(void)
{
	DIR *open_folder = opendir(folder);
	struct dirent *entry;

	while ((entry = readdir(open_folder)) != NULL)
		unlinkat(dirfd(open_folder), entry->d_name, 0);
	closedir(open_folder);
}

void
folder_remove(void)
{
	audit_close(audit);
	folder_empty();
	ck_assert_int_eq(rmdir(folder), 0);
}

void
must_open(void)
{
	int rc = audit_open(folder, &limits, &audit, &found, &problem);

	ck_assert_msg(rc == 0, "%s", problem.text);
}

void
must_close(void)
{
	ck_assert_int_eq(audit_close(audit), 0);
	audit = NULL;
}

void
abandon(void)
{
	audit_free(audit);
	audit = NULL;
}
