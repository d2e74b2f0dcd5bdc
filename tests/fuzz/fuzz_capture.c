/*
 * What the listener reads from the kernel: messages of nflog, whose payloads
 * are written by whoever is shut in; and the same bytes as a packet, and as
 * word of a change.
 */
#include <stdint.h>
#include <string.h>

#include "executor/firewall/capture.h"
#include "executor/firewall/change.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
packet_holds(const struct packet *packet)
{
	must(packet->to.family == ADDRESS_4 || packet->to.family == ADDRESS_6);
	must(!packet->has_port || packet->protocol == 6 ||
	     packet->protocol == 17);
	must(packet->flags == 0 || packet->protocol == 6);
}

static void
on_packet(void *context, const struct packet *packet)
{
	(*(size_t *)context)++;
	packet_holds(packet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	struct packet packet = {0};
	struct capture capture;
	size_t packets = 0;

	capture_init(&capture, -1);
	capture_take(&capture, bytes, on_packet, &packets);
	must(packets <= size / 40);
	if (packet_parse(bytes, &packet) == 0)
		packet_holds(&packet);
	must(change_take(bytes, 1) <= (CHANGE_RULES | CHANGE_ELEMENTS));
	return 0;
}
