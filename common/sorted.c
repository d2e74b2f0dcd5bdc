/*
 * Bisection. Used on what a log holds, whose numbers were checked.
 */
#include "common/sorted.h"

#include <string.h>

size_t
sorted_find(const void *rows, size_t count, size_t row_bytes, uint64_t number)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t found;

		memcpy(&found, (const char *)rows + middle * row_bytes,
		    sizeof found);
		if (found < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
