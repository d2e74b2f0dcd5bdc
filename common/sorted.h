/*
 * Arrays that are sorted by a number.
 */
#ifndef TRIZONE_COMMON_SORTED_H
#define TRIZONE_COMMON_SORTED_H

#include <stddef.h>
#include <stdint.h>

/* Index of the first of `count` rows whose number is not below `number`, or
 * `count`. A row of `row_bytes` begins with its number, a uint64_t; numbers
 * ascend. Pure. */
size_t sorted_find(
    const void *rows, size_t count, size_t row_bytes, uint64_t number);

#endif
