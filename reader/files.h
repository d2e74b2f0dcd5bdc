/*
 * Files that the command line names, opened before the process is locked. What
 * is wrong with one ends the program, with a message.
 */
#ifndef TRIZONE_READER_FILES_H
#define TRIZONE_READER_FILES_H

#include <stdbool.h>

/* An empty file for the record, which nobody else can read: a new one of mode
 * 0600, or one that is there, is ordinary, ours, and has no other name and no
 * rights for others. It is none of the standard descriptors' file. */
int files_open_record(const char *path);

/* Rows to read: a file, a pipe, no folder. */
int files_open_rows(const char *path);

/* Standard input and output as they were given, to be looked at before
 * start_process opens them; and the end of the program if the output, or an
 * input that is needed, was closed. */
void files_look(void);
void files_need_standard(bool input);

#endif
