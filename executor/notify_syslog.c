/*
 * Notifications into the system log. Runs in a courier. A file of its own, as
 * syslog.h and common/log.h both want the names LOG_INFO and LOG_DEBUG.
 */
#include "executor/notify.h"

#include <sys/stat.h>
#include <syslog.h>

#include "common/err.h"

char *
notify_syslog_socket(void)
{
	static char path[] = _PATH_LOG;

	return path;
}

int
notify_syslog_open(const char *identity)
{
	struct stat status;

	if (stat(_PATH_LOG, &status) != 0 || !S_ISSOCK(status.st_mode))
		return -ERR_UNAVAILABLE;
	openlog(identity, LOG_NDELAY | LOG_PID, LOG_USER);
	return 0;
}

void
notify_syslog_add(const char *line)
{
	syslog(LOG_NOTICE, "%s", line);
}
