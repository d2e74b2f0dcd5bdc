/*
 * Packets by pflog0, which pf copies what it logs to, through bpf(4): the
 * parent opens it, the listener reads. Each packet stands behind a head of pf;
 * its layout is xnu's bsd/net/if_pflog.h, which no kit has. Not tried on a Mac
 * yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/err.h"
#include "common/run.h"
#include "executor/firewall/capture.h"
#include "executor/firewall/text.h"

#define INTERFACE "pflog0"
#define DEVICES_MAX 256
#define READ_BYTES 32768 /* of one read, which has to be exactly so long */
#define TOOL_MS 5000

/* Of pf's head. */
enum {
	ACTION_AT = 2,
	RULESET_AT = 20,
	RULESET_BYTES = 16,
	UID_AT = 44,
	PF_HEAD = 61,
	PF_DROP = 1
};

static void
make_interface(void)
{
	static const char *const argv[] = {
	    "/sbin/ifconfig", INTERFACE, "create", NULL};
	int status;

	/* it may be there; whether it is shows at once */
	(void)run_program(argv, (struct span){0}, NULL, NULL, TOOL_MS, &status);
}

static int
open_device(void)
{
	char path[32];

	for (int i = 0; i < DEVICES_MAX; i++) {
		int fd;

		(void)snprintf(path, sizeof path, "/dev/bpf%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 || errno != EBUSY)
			return fd;
	}
	return -1;
}

static int
configure(int fd)
{
	struct ifreq interface = {.ifr_name = INTERFACE};
	unsigned bytes = READ_BYTES, on = 1;

	if (ioctl(fd, BIOCSBLEN, &bytes) != 0 || bytes != READ_BYTES)
		return -1;
	if (ioctl(fd, BIOCSETIF, &interface) != 0)
		return -1;
	return ioctl(fd, BIOCIMMEDIATE, &on);
}

int
capture_open(char *reason, size_t room)
{
	int fd;

	make_interface();
	fd = open_device();
	if (fd >= 0 && configure(fd) == 0)
		return fd;
	(void)snprintf(reason, room,
	    INTERFACE
	    ": %s: blocked packets are not on record; ifconfig " INTERFACE
	    " create, as root",
	    strerror(errno));
	if (fd >= 0)
		close(fd);
	return -ERR_NOT_FOUND;
}

void
capture_init(struct capture *capture, int fd)
{
	*capture = (struct capture){.fd = fd};
}

/* A packet that our rules refused, behind pf's head. */
static void
take_packet(struct capture *capture, struct span bytes,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	struct packet packet = {.has_uid = true};
	size_t head;

	if (bytes.n < PF_HEAD || (unsigned char)bytes.p[0] < PF_HEAD) {
		capture->bad++;
		return;
	}
	if (bytes.p[ACTION_AT] != PF_DROP ||
	    strncmp(bytes.p + RULESET_AT, TEXT_TABLE, RULESET_BYTES) != 0)
		return; /* of somebody else's rules */
	memcpy(&packet.uid, bytes.p + UID_AT, sizeof packet.uid);
	head = ((size_t)(unsigned char)bytes.p[0] + 3) & ~(size_t)3;
	if (head <= bytes.n &&
	    packet_parse(
		(struct span){bytes.p + head, bytes.n - head}, &packet) == 0)
		each(context, &packet);
	else
		capture->bad++;
}

void
capture_take(struct capture *capture, struct span bytes,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	while (bytes.n >= sizeof(struct bpf_hdr)) {
		struct bpf_hdr head;
		size_t whole;

		memcpy(&head, bytes.p, sizeof head);
		if (head.bh_hdrlen < sizeof head || head.bh_hdrlen > bytes.n ||
		    head.bh_caplen > bytes.n - head.bh_hdrlen)
			break;
		take_packet(capture,
		    (struct span){bytes.p + head.bh_hdrlen, head.bh_caplen},
		    each, context);
		whole = BPF_WORDALIGN(
		    (size_t)head.bh_hdrlen + (size_t)head.bh_caplen);
		whole = whole < bytes.n ? whole : bytes.n;
		bytes = (struct span){bytes.p + whole, bytes.n - whole};
	}
}

int
capture_read(struct capture *capture,
    void (*each)(void *context, const struct packet *packet), void *context)
{
	static _Alignas(8) char bytes[READ_BYTES];
	ssize_t got = read(capture->fd, bytes, sizeof bytes);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ERR_CLOSED;
	if (got == 0)
		return 0;
	capture_take(capture, (struct span){bytes, (size_t)got}, each, context);
	return 1;
}
