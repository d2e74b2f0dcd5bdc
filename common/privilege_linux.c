/*
 * Capabilities by capget(2), capset(2) and prctl(2). Runs in every role at
 * its start.
 */
#include "common/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define WORDS _LINUX_CAPABILITY_U32S_3

uint64_t
privilege_parent(void)
{
	return BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
	       BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_READ_SEARCH);
}

uint64_t
privilege_rules(void)
{
	return BIT(CAP_NET_ADMIN);
}

uint64_t
privilege_keeper(void)
{
	return BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW);
}

static int
get(struct __user_cap_data_struct words[WORDS])
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

	return syscall(SYS_capget, &head, words) == 0 ? 0 : -ERR_SYSTEM;
}

static int
set(const struct __user_cap_data_struct words[WORDS])
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

	return syscall(SYS_capset, &head, words) == 0 ? 0 : -ERR_SYSTEM;
}

void
privilege_read(uint64_t *have_out, uint64_t *bounding_out)
{
	struct __user_cap_data_struct words[WORDS] = {0};

	*have_out = *bounding_out = 0;
	if (get(words) != 0)
		*have_out = UINT64_MAX;
	for (int i = 0; i < WORDS; i++)
		*have_out |=
		    (uint64_t)(words[i].permitted | words[i].effective |
			       words[i].inheritable)
		    << (32 * i);
	for (int i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			*bounding_out |= BIT(i);
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			*have_out |= BIT(i);
	}
}

int
privilege_bound(uint64_t keep)
{
	uint64_t have, bounding;

	privilege_read(&have, &bounding);
	if ((have & BIT(CAP_SETPCAP)) == 0)
		return 0;
	for (int i = 0; i < 64; i++)
		if ((bounding & ~keep & BIT(i)) != 0)
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	privilege_read(&have, &bounding);
	return (bounding & ~keep) == 0 ? 0 : -ERR_SYSTEM;
}

int
privilege_keep(uint64_t keep)
{
	struct __user_cap_data_struct words[WORDS] = {0};
	uint64_t have, bounding;

	privilege_read(&have, &bounding);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < WORDS; i++)
		words[i].permitted = words[i].effective =
		    (uint32_t)((keep & have) >> (32 * i));
	/* without any there is nothing to give up, and asking may be refused */
	if ((have & ~keep) != 0 && set(words) != 0)
		return -ERR_SYSTEM;
	privilege_read(&have, &bounding);
	return (have & ~keep) == 0 ? 0 : -ERR_SYSTEM;
}
