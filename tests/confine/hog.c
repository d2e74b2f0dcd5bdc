/*
 * A zone in an attacker's hands that takes all it can get, for some seconds:
 *
 *	hog fork|memory|descriptors SECONDS [NUMBER]
 *
 * It is locked in as a reader, the one zone that may start processes. Calls
 * that trap would end a real one; here it goes on.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/call_list.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/start.h"
#include "reader/profile.h"

static int64_t until_ms;

/* Every child does the same. */
static void
forks(void)
{
	while (clock_ms() < until_ms)
		(void)fork();
}

static void
memory(void)
{
	size_t step = (size_t)16 << 20;

	while (clock_ms() < until_ms) {
		char *more = mmap(NULL, step, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (more != MAP_FAILED)
			memset(more, 1, step);
	}
}

static void
descriptors(void)
{
	int ends[2];

	while (clock_ms() < until_ms)
		if (pipe(ends) != 0)
			continue; /* as often as it can */
}

int
main(int argc, char **argv)
{
	struct lock lock;

	if (argc < 3)
		return EXIT_USAGE;
	start_process("hog", STDERR_FILENO + 1);
	lock_init(&lock, &reader_profile);
	if (argc > 3)
		lock_account(argv[3], &lock.account);
	lock_enter(&lock);
	lock_seal(&lock);
	call_list_probing(true);
	(void)signal(SIGCHLD, SIG_IGN);
	until_ms = clock_ms() + 1000 * atoi(argv[2]);
	if (strcmp(argv[1], "fork") == 0)
		forks();
	else if (strcmp(argv[1], "memory") == 0)
		memory();
	else
		descriptors();
	return EXIT_DONE;
}
