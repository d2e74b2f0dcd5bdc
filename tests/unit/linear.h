/*
 * That work costs what its input is long. Two sizes are compared, in processor
 * time and by the best of a few tries, so that neither a slow machine nor a
 * busy one nor a sanitizer decides.
 */
#ifndef TRIZONE_TESTS_UNIT_LINEAR_H
#define TRIZONE_TESTS_UNIT_LINEAR_H

#include <check.h>
#include <time.h>

/* The whole work on an input of `n`, all that it needs made and freed again;
 * `row` is the caller's. */
typedef void linear_work(size_t n, int row);

#define LINEAR_PARTS 8 /* the small size is this part of the whole */
#define LINEAR_MOST 20 /* linear: 8 times; quadratic: 64 times */
#define LINEAR_TRIES 5
#define LINEAR_NOISE (CLOCKS_PER_SEC / 4) /* less is not quadratic */

/* The least of `best` and what the work takes now. */
static inline clock_t
linear_try(linear_work *work, size_t n, int row, clock_t best)
{
	clock_t start = clock(), took;

	work(n, row);
	took = clock() - start;
	return took < best ? took : best;
}

/* Fail if `n` costs clearly more than LINEAR_PARTS times its part, at every
 * try. */
static inline void
expect_linear(linear_work *work, size_t n, int row)
{
	const clock_t never = 1000000 * (clock_t)CLOCKS_PER_SEC;
	clock_t part = never, whole = never;

	for (int i = 0; i < LINEAR_TRIES; i++) {
		part = linear_try(work, n / LINEAR_PARTS, row, part);
		whole = linear_try(work, n, row, whole);
		if (whole < LINEAR_NOISE || whole / LINEAR_MOST <= part)
			return;
	}
	ck_abort_msg("%zu takes %.3f s, a part of %d only %.4f s", n,
	    (double)whole / CLOCKS_PER_SEC, LINEAR_PARTS,
	    (double)part / CLOCKS_PER_SEC);
}

#endif
