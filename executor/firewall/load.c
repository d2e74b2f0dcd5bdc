/*
 * Loading and checking rules, whatever the backend.
 */
#include "executor/firewall/load.h"

#include <stdio.h>

#include "common/err.h"
#include "common/run.h"
#include "executor/firewall/load_impl.h"

static const struct load_way *const ways[FIREWALL_BACKEND_COUNT] = {
    [FIREWALL_NFT] = &load_nft,
    [FIREWALL_IPTABLES] = &load_iptables,
    [FIREWALL_PF] = &load_pf,
};

int
load_rules(enum firewall_backend backend, const struct model *want,
    struct buf *said, char *reason, size_t room)
{
	struct load l = {said, reason, room};
	const struct load_way *way = ways[backend];
	int rc;

	if (want->count == 0)
		return way->remove(&l);
	rc = way->load(&l, want);
	if (rc == 0)
		rc = load_sets(backend, want, &l);
	return rc != 0 ? rc : load_check(backend, want, reason, room);
}

int
load_check(enum firewall_backend backend, const struct model *want,
    char *reason, size_t room)
{
	struct load l = {NULL, reason, room};
	int rc = 0;

	if (want->count != 0)
		rc = ways[backend]->check(&l, want);
	if (rc == 0 && want->count != 0)
		rc = load_sets_check(backend, want, &l);
	return rc;
}

int
load_parse(enum firewall_backend backend, const struct model *want,
    char *reason, size_t room)
{
	struct load l = {NULL, reason, room};

	return want->count == 0 ? 0 : ways[backend]->parse(&l, want);
}

enum firewall_backend
load_backend(void)
{
	static const struct {
		const char *program;
		enum firewall_backend backend;
	} rows[] = {{"pfctl", FIREWALL_PF}, {"nft", FIREWALL_NFT},
	    {"iptables-restore", FIREWALL_IPTABLES}};
	char path[128];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (run_find(firewall_tools.folders, rows[i].program, path,
			sizeof path))
			return rows[i].backend;
	return FIREWALL_BACKEND_COUNT;
}
