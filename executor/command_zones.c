/*
 * zones: what the configuration says of each zone, one line each, for scripts
 * that start machines. Asks nobody.
 */
#include <getopt.h>
#include <stdio.h>

#include "common/err.h"
#include "executor/command.h"
#include "executor/parent_files.h"
#include "proto/endpoint.h"

static const char usage[] =
    "usage: trizone-executor zones [--config FILE] [ZONE...]\n"
    "One line for each zone, with a tab between two of: name, kind, session,\n"
    "provider, memory in MB, CPUs, isolation, warm, recycle_after,\n"
    "recycle_minutes, socket, account, channels, trust_auth (commas between\n"
    "hosts); \"-\" is what is not set.\n";

static void
print_number(uint32_t value)
{
	if (value == 0)
		fputs("-\t", stdout);
	else
		printf("%lu\t", (unsigned long)value);
}

static void
print_channels(const struct config_zone *zone)
{
	const char *between = "";

	for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
		if ((zone->channels & CHANNEL_BIT(i)) == 0)
			continue;
		printf("%s%s", between,
		    config_channel_name((enum reader_channel)i));
		between = ",";
	}
	fputs(zone->channels == 0 ? "-" : "", stdout);
}

static void
print_zone(const struct config *config, const struct config_zone *zone)
{
	const struct config_machine *m = &zone->machine;
	char path[SOCKET_PATH_BYTES];

	if (socket_path(config, zone->name, path, sizeof path) != 0)
		die(EXIT_CONFIG, "the path of the socket of %s is too long",
		    zone->name);
	printf("%s\t%s\t%s\t%s\t%lu\t%lu\t%s\t%lu\t", zone->name,
	    zone_kind_name(zone->kind),
	    zone->kind == ZONE_PLANNER ? session_mode_name(zone->session) : "-",
	    provider_name(m->provider), (unsigned long)m->memory_mb,
	    (unsigned long)m->cpus, isolation_name(m->isolation),
	    (unsigned long)m->warm);
	print_number(m->recycle_after);
	print_number(m->recycle_minutes);
	printf("%s\t%s\t", path, config_zone_account(config, zone));
	print_channels(zone);
	printf("\t%s\n", zone->trust_auth == NULL ? "-" : zone->trust_auth);
}

int
command_zones(int argc, char **argv)
{
	struct common_options options;
	struct config *config;
	int status;

	if (!common_options(argc, argv, usage, &options, &status))
		return status;
	if (options.json) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config = config_or_die(options.config, EXIT_CONFIG);
	for (size_t i = 0; optind == argc && i < config->zone_count; i++)
		print_zone(config, &config->zones[i]);
	for (int i = optind; i < argc; i++) {
		const struct config_zone *zone =
		    config_zone(config, span_of(argv[i]));

		if (zone == NULL)
			die(EXIT_USAGE, "there is no zone %s in %s", argv[i],
			    options.config);
		print_zone(config, zone);
	}
	config_free(config);
	return EXIT_DONE;
}
