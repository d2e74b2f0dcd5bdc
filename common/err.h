/*
 * Errors. Functions return 0 or a negative enum err; a result goes through an
 * out parameter that is untouched on failure. die() means the machine or the
 * configuration is wrong, bug() means we are; both end the process.
 */
#ifndef TRIZONE_COMMON_ERR_H
#define TRIZONE_COMMON_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err {
	ERR_NONE = 0,
#define ERR(number, name, text) ERR_##name = number,
#include "common/err.def"
#undef ERR
};

/* Exit statuses, as in sysexits(3); 0 and 1 as every tool uses them. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FOUND = 1,
	EXIT_USAGE = 64,
	EXIT_DATA = 65,
	EXIT_UNAVAILABLE = 69,
	EXIT_BUG = 70,
	EXIT_SYSTEM = 71,
	EXIT_STORAGE = 74, /* what has to be kept cannot be: try again later */
	EXIT_TEMPORARY = 75,
	EXIT_NOT_PERMITTED = 77,
	EXIT_CONFIG = 78
};

/* Text of an error; accepts the negative form too. Never NULL. */
const char *err_text(int error);

/* Name of an error as in err.def, for machines; "UNKNOWN" if there is none. */
const char *err_name(int error);

/* Whether a number somebody else sent is an enum err; 0 is one. */
bool err_known(uint32_t number);

/* Whether a negative error means that what is to be kept cannot be for now:
 * no space, a failed write or sync, a file system that is read-only. */
bool err_is_storage(int error);

/* The error that best describes an errno value, negative. */
int err_from_errno(int saved_errno);

/* Log the reason and end with the status (71 or 78). */
_Noreturn void die(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Log the reason with strerror(errno) and end with EXIT_SYSTEM. */
_Noreturn void die_errno(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* We are wrong: log the reason and end with EXIT_BUG. */
_Noreturn void bug(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
