/*
 * Log lines for operators, on standard error: one line per event, key=value,
 * first key ev=. Values are made inert here (control bytes, non-ASCII and
 * line ends escaped), never by the caller. The audit log is something else:
 * nothing goes into both by the same call.
 */
#ifndef TRIZONE_COMMON_LOG_H
#define TRIZONE_COMMON_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Set the role shown on each line; `role` must outlive the process. */
void log_role(const char *role);

/* Show messages up to this level; the start value is LOG_INFO. */
void log_set_level(enum log_level level);

/* One event. `format` makes "key=value key=value"; the last value may hold
 * blanks. A line is cut at 2,048 bytes. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
