/*
 * Error texts and the two ways to die. Used by every process.
 */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define REASON_BYTES 1024

static const struct {
	int number;
	const char *name;
	const char *text;
} errors[] = {
#define ERR(number, name, text) {number, #name, text},
#include "common/err.def"
#undef ERR
};

static const size_t error_count = sizeof errors / sizeof errors[0];

const char *
err_text(int error)
{
	int number = error < 0 ? -error : error;

	for (size_t i = 0; i < error_count; i++)
		if (errors[i].number == number)
			return errors[i].text;
	return "unknown error";
}

const char *
err_name(int error)
{
	int number = error < 0 ? -error : error;

	for (size_t i = 0; i < error_count; i++)
		if (errors[i].number == number)
			return errors[i].name;
	return "UNKNOWN";
}

bool
err_known(uint32_t number)
{
	for (size_t i = 0; i < error_count; i++)
		if ((uint32_t)errors[i].number == number)
			return true;
	return number == ERR_NONE;
}

bool
err_is_storage(int error)
{
	return error == -ERR_NO_SPACE || error == -ERR_IO ||
	       error == -ERR_READ_ONLY;
}

int
err_from_errno(int saved_errno)
{
	switch (saved_errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ERR_NO_SPACE;
	case ENOENT:
	case ENOTDIR:
		return -ERR_NOT_FOUND;
	case ELOOP:
	case EXDEV:
		return -ERR_PATH;
	case EIO:
		return -ERR_IO;
	case EROFS:
		return -ERR_READ_ONLY;
	default:
		return -ERR_SYSTEM;
	}
}

void
die(int status, const char *format, ...)
{
	char reason[REASON_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof reason, format, ap);
	va_end(ap);
	log_event(LOG_ERROR, "die", "status=%d reason=%s", status, reason);
	exit(status);
}

void
die_errno(const char *format, ...)
{
	int saved_errno = errno;
	char reason[REASON_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof reason, format, ap);
	va_end(ap);
	log_event(LOG_ERROR, "die", "status=%d reason=%s: %s", EXIT_SYSTEM,
	    reason, strerror(saved_errno));
	exit(EXIT_SYSTEM);
}

void
bug(const char *format, ...)
{
	char reason[REASON_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof reason, format, ap);
	va_end(ap);
	log_event(LOG_ERROR, "bug", "reason=%s", reason);
	exit(EXIT_BUG);
}
