/*
 * What a worker gives up before it touches an item. Platform code:
 * seal_linux.c, seal_macos.c.
 */
#ifndef TRIZONE_READER_SEAL_H
#define TRIZONE_READER_SEAL_H

/* Close every descriptor from `first` on, and give up gaining privileges and
 * being traced, as far as the system has that. Returns 0 or -ERR_SYSTEM. */
int seal_process(int first);

#endif
