/*
 * apparmor_print: the AppArmor profile of one program on standard output. Runs
 * when the tree is built; is not installed.
 */
#include <stdio.h>
#include <string.h>

#include "common/apparmor.h"
#include "common/err.h"
#include "executor/profile.h"
#include "planner/profile.h"
#include "reader/profile.h"

#define TEXT_BYTES 65536
#define ROLES_MAX 16

static const char usage[] =
    "usage: apparmor_print executor|planner|reader PATH [userns]\n"
    "PATH is where the program is installed. userns: for AppArmor 4.0 and\n"
    "newer only.\n";

/* The folders of the configuration that `init` writes. The files of the agent
 * are where the policy says. */
static const char executor_rules[] =
    "  # parent: folders, and what each role has of them in a root directory\n"
    "  # of its own, made of places to mount on\n"
    "  capability chown,\n"
    "  capability fowner,\n"
    "  /run/trizone/ rw,\n"
    "  /var/lib/trizone/ rw,\n"
    "  /var/lib/trizone/** rwk,\n"
    "  /**/ w,\n"
    "  mount options=(move) -> /**,\n"
    "\n"
    "  # other folders of the policy's file capabilities go to local/, as\n"
    "  #   /srv/agent/ r,\n"
    "  #   /srv/agent/** rw,\n";

struct list {
	struct lock_profile all[ROLES_MAX];
	size_t count;
};

static void
add(struct list *list, const struct lock_profile *profiles, size_t count)
{
	for (size_t i = 0; i < count && list->count < ROLES_MAX; i++)
		list->all[list->count++] = profiles[i];
}

/* A worker of the reader has what the process has that forks it. */
static bool
choose(const char *program, struct list *list, struct apparmor *out)
{
	size_t count;
	const struct lock_profile *executor = profile_all(&count);

	if (strcmp(program, "executor") == 0) {
		out->name = "trizone-executor";
		out->rules = executor_rules;
		add(list, executor, count);
	} else if (strcmp(program, "planner") == 0) {
		out->name = "trizone-planner";
		add(list, &planner_profile, 1);
	} else if (strcmp(program, "reader") == 0) {
		out->name = "trizone-reader";
		add(list, &reader_profile, 1);
		add(list, &filter_profile, 1);
	} else {
		return false;
	}
	out->profiles = list->all;
	out->count = list->count;
	return true;
}

int
main(int argc, char **argv)
{
	static struct list list;
	struct apparmor program = {
	    .userns = argc == 4 && strcmp(argv[3], "userns") == 0};
	struct buf text;
	int rc;

	if (argc < 3 || argc > 4 || (argc == 4 && !program.userns) ||
	    !choose(argv[1], &list, &program)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	program.path = argv[2];
	buf_init(&text, TEXT_BYTES);
	rc = apparmor_text(&program, &text);
	if (rc != 0)
		die(EXIT_DATA, "a profile cannot be made for %s", argv[2]);
	if (fwrite(text.data, 1, text.len, stdout) != text.len ||
	    fclose(stdout) != 0)
		die_errno("standard output");
	buf_free(&text);
	return EXIT_DONE;
}
