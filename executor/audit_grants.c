/*
 * Set of spent grants: a sorted array, as it is asked far more rarely than it
 * would have to be hashed. Runs in the auditor.
 */
#include "executor/audit_grants.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"

void
grants_done(struct grants *grants)
{
	free(grants->numbers);
	*grants = (struct grants){0};
}

/* Index of the first number that is not below `grant`. */
static size_t
find(const struct grants *grants, uint64_t grant)
{
	size_t low = 0, high = grants->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (grants->numbers[middle] < grant)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
grants_have(const struct grants *grants, uint64_t grant)
{
	size_t at = find(grants, grant);

	return at < grants->count && grants->numbers[at] == grant;
}

static void
grow(struct grants *grants)
{
	size_t room = grants->room == 0 ? 64 : 2 * grants->room;
	uint64_t *numbers = alloc_array(room, sizeof *numbers);

	if (grants->count != 0)
		memcpy(
		    numbers, grants->numbers, grants->count * sizeof *numbers);
	free(grants->numbers);
	grants->numbers = numbers;
	grants->room = room;
}

int
grants_add(struct grants *grants, uint64_t grant)
{
	size_t at = find(grants, grant);

	if (grants_have(grants, grant))
		return 0;
	if (grants->count == GRANTS_MAX)
		return -ERR_BUSY;
	if (grants->count == grants->room)
		grow(grants);
	memmove(&grants->numbers[at + 1], &grants->numbers[at],
	    (grants->count - at) * sizeof grants->numbers[0]);
	grants->numbers[at] = grant;
	grants->count++;
	return 0;
}
