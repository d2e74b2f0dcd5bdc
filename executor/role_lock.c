/*
 * Locking a role in: the parent writes what it is to be, the new process reads
 * it and becomes that. The text is the parent's, so a word in it that is
 * unknown is a bug.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/order.h"
#include "executor/profile.h"
#include "executor/role.h"

/* Process-wide by nature: this process's own. */
static struct lock own;

static const char *const path_words[] = {"read", "write", "show", "show-write"};

static size_t
path_word(const struct lock_path *path)
{
	return (path->shown ? 2u : 0u) + (path->write ? 1u : 0u);
}

void
role_setting_write(const struct lock *lock, struct buf *out)
{
	buf_add_format(out, "profile %s\n", lock->profile->role);
	if (lock->account.uid != 0) {
		buf_add_format(out, "account %lu %lu %s\n",
		    (unsigned long)lock->account.uid,
		    (unsigned long)lock->account.gid, lock->account.name);
	}
	buf_add_format(out, "interfaces %d\n", lock->interfaces);
	if (lock->cgroup != NULL) {
		buf_add_format(out, "cgroup %s\n", lock->cgroup);
	}
	for (size_t i = 0; i < lock->path_count; i++) {
		buf_add_format(out, "%s %s\n",
		    path_words[path_word(&lock->paths[i])],
		    lock->paths[i].path);
	}
	if (out->overflow)
		die(EXIT_CONFIG, "too many folders for one process");
}

static bool
take_path(const char *word, const char *value)
{
	for (size_t i = 0; i < sizeof path_words / sizeof path_words[0]; i++)
		if (strcmp(word, path_words[i]) == 0) {
			lock_add_path(&own, value, (i & 1) != 0, i >= 2);
			return true;
		}
	return false;
}

static void
take_word(const char *word, const char *value)
{
	unsigned long uid, gid;

	if (strcmp(word, "profile") == 0)
		own.profile = profile_find(span_of(value));
	else if (strcmp(word, "cgroup") == 0)
		own.cgroup = alloc_string(value);
	else if (strcmp(word, "interfaces") == 0)
		own.interfaces = atoi(value);
	else if (strcmp(word, "account") == 0 &&
		 sscanf(value, "%lu %lu %63s", &uid, &gid, own.account.name) ==
		     3) {
		own.account.uid = (uid_t)uid;
		own.account.gid = (gid_t)gid;
	} else if (!take_path(word, value))
		bug("setting \"%s\"", word);
}

static void
take_setting(struct span text)
{
	char *copy = alloc_text(text.p, text.n), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char *value = strchr(line, ' ');

		if (value == NULL)
			bug("setting without a value");
		*value = '\0';
		take_word(line, value + 1);
	}
	free(copy);
	if (own.profile == NULL)
		bug("a role without a profile");
}

size_t
role_begin(struct buf *store, struct span *texts, size_t room)
{
	struct span all[START_TEXTS_MAX + 1];
	size_t count;

	if (room > START_TEXTS_MAX)
		bug("room for too many start texts");
	count = role_read_texts(store, all, room + 1);
	if (count == 0)
		bug("a role without a setting");
	take_setting(all[0]);
	log_role(own.profile->role);
	lock_enter(&own);
	memcpy(texts, all + 1, (count - 1) * sizeof *texts);
	return count - 1;
}

const struct lock_report *
role_seal(void)
{
	lock_seal(&own);
	if (own.report.gap[0] != '\0')
		log_event(LOG_WARN, "locked", "landlock=%u calls=%u gap=%s",
		    own.report.landlock, own.report.filter, own.report.gap);
	else
		log_event(LOG_INFO, "locked", "landlock=%u calls=%u",
		    own.report.landlock, own.report.filter);
	return &own.report;
}

void
role_ready(void)
{
	control_send(FD_CONTROL, CONTROL_READY, 0, &own.report);
}
