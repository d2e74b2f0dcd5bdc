/*
 * A layer between SQLite and the file system, for tests that end a process in
 * the middle of a change.
 */
#ifndef TRIZONE_TESTS_DRIVE_INBOX_LAYER_H
#define TRIZONE_TESTS_DRIVE_INBOX_LAYER_H

#include <stdbool.h>

/* The driver's: called before each write, sync, cut and delete. True: that
 * one has to fail. May not return. */
bool step(void);

/* From now on SQLite works through the layer. */
void layer_register(void);

/* Remember changes until they are synced. */
void layer_remember(bool on);

/* Take back a random part of what was never synced, newest first. */
void layer_lose_power(void);

#endif
