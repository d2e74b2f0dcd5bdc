/*
 * The reader as a plain filter: one item in, one clean object out.
 */
#ifndef TRIZONE_READER_PLAIN_H
#define TRIZONE_READER_PLAIN_H

/* Read one item from `in` to its end, have a worker read it, write the clean
 * object and a line end to `out` and the record to `record` (-1: nowhere).
 * `kind` comes from filter_kind. Returns an exit status: 0, EXIT_DATA for a
 * failure form, EXIT_SYSTEM. */
int plain_run(const char *kind, int in, int out, int record);

#endif
