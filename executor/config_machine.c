/*
 * The keys of a zone that are about its machines. The executor starts none: it
 * holds connections against them, and tells whoever starts machines.
 */
#include "common/err.h"
#include "executor/config_impl.h"

#define PLANNER_MEMORY_MB 2048
#define PLANNER_CPUS 2
#define READER_MEMORY_MB 256
#define READER_CPUS 1

struct config_machine_text
config_machine_usual(enum zone_kind kind)
{
	bool planner = kind == ZONE_PLANNER;

	return (struct config_machine_text){
	    .memory_mb = planner ? PLANNER_MEMORY_MB : READER_MEMORY_MB,
	    .cpus = planner ? PLANNER_CPUS : READER_CPUS,
	    .warm = 1};
}

/* A new machine may come before the old one is gone. */
static int
take_links(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, struct json_error *where)
{
	const struct json_node *said = json_get(doc, node, "max_sessions");
	uint32_t warm = zone->machine.warm;

	if (zone->kind == ZONE_PLANNER && zone->session == SESSION_STANDING &&
	    warm != 1)
		return json_complain(doc, json_get(doc, node, "warm"), where,
		    ERR_RANGE,
		    "a standing planner has one connection at a time");
	if (zone->kind == ZONE_READER ||
	    (said == NULL && zone->max_sessions <= warm))
		zone->max_sessions = warm + 1;
	if (zone->max_sessions < warm)
		return json_complain(doc, said, where, ERR_RANGE,
		    "\"warm\" keeps %u connections, which is more", warm);
	return 0;
}

int
config_take_machine(struct config_zone *zone, const struct json_doc *doc,
    const struct json_node *node, const struct config_machine_text *text,
    struct json_error *where)
{
	struct config_machine *m = &zone->machine;

	m->provider = provider_find(json_span(text->provider));
	m->isolation = isolation_find(json_span(text->isolation));
	if (text->provider != NULL && m->provider == PROVIDER_ANY)
		return json_complain(doc, text->provider, where, ERR_RANGE,
		    "\"provider\" has to be process, container, orb or "
		    "microvm");
	if (text->isolation != NULL && m->isolation == ISOLATION_ANY)
		return json_complain(doc, text->isolation, where, ERR_RANGE,
		    "\"isolation\" has to be process, container, gvisor, orb "
		    "or microvm");
	m->memory_mb = (uint32_t)text->memory_mb;
	m->cpus = (uint32_t)text->cpus;
	m->warm = (uint32_t)text->warm;
	m->recycle_after = (uint32_t)text->recycle_after;
	m->recycle_minutes = (uint32_t)text->recycle_minutes;
	return take_links(zone, doc, node, where);
}
