/*
 * How sure a share is that was counted.
 */
#ifndef TRIZONE_COMMON_WILSON_H
#define TRIZONE_COMMON_WILSON_H

#include <stddef.h>

/* Wilson's score interval at 95 per cent (Wilson 1927) for `hits` of `n`; of
 * none it is all from 0 to 1. */
void wilson_interval(size_t hits, size_t n, double *low_out, double *high_out);

#endif
