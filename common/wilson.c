#include "common/wilson.h"

#include <math.h>

#define Z 1.96 /* standard deviations */

void
wilson_interval(size_t hits, size_t count, double *low_out, double *high_out)
{
	double n = count == 0 ? 1 : (double)count;
	double p = (double)hits / n, d = 1 + Z * Z / n;
	double centre = p + Z * Z / (2 * n);
	double half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));

	if (count == 0) {
		*low_out = 0;
		*high_out = 1;
		return;
	}
	*low_out = fmax(0, (centre - half) / d);
	*high_out = fmin(1, (centre + half) / d);
}
