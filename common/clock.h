/*
 * Two clocks: one that only goes forward, for deadlines and counters; one that
 * people read.
 */
#ifndef TRIZONE_COMMON_CLOCK_H
#define TRIZONE_COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);	    /* monotonic milliseconds */
int64_t clock_utc_ms(void); /* milliseconds since 1970 */

#endif
