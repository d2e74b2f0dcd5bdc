/*
 * What a fuzz driver holds true; if it is not, the input is a finding.
 */
#ifndef TRIZONE_TESTS_FUZZ_MUST_H
#define TRIZONE_TESTS_FUZZ_MUST_H

#include <stdbool.h>
#include <stdlib.h>

static inline void
must(bool holds)
{
	if (!holds)
		abort();
}

#endif
