/*
 * Allocation that cannot return NULL: out of memory ends the process (die).
 * Free everything with free(3).
 */
#ifndef TRIZONE_COMMON_ALLOC_H
#define TRIZONE_COMMON_ALLOC_H

#include <stddef.h>

/* `bytes` of zeroed memory; bytes may be 0. */
void *alloc_bytes(size_t bytes);

/* `count` zeroed items of `size` bytes; an overflow ends the process. */
void *alloc_array(size_t count, size_t size);

/* Like realloc(3) for `count` items; new memory is not zeroed. */
void *alloc_resize(void *old, size_t count, size_t size);

/* A copy of `bytes` bytes with a NUL behind it. */
char *alloc_text(const char *text, size_t bytes);

/* A copy of a NUL-terminated string. */
char *alloc_string(const char *text);

/* A string made by printf rules. */
char *alloc_format(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Overwrite with zeros in a way the compiler keeps. */
void wipe(void *memory, size_t bytes);

#endif
