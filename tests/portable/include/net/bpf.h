/*
 * What we use of Apple's <net/bpf.h>, which the compiler's copy of the kit
 * lacks: the same names, types and numbers (xnu, bsd/net/bpf.h).
 */
#ifndef TRIZONE_TESTS_PORTABLE_NET_BPF_H
#define TRIZONE_TESTS_PORTABLE_NET_BPF_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

struct bpf_timeval {
	int32_t tv_sec;
	int32_t tv_usec;
};

struct bpf_hdr {
	struct bpf_timeval bh_tstamp;
	uint32_t bh_caplen;
	uint32_t bh_datalen;
	uint16_t bh_hdrlen;
};

#define BPF_ALIGNMENT sizeof(int32_t)
#define BPF_WORDALIGN(x) (((x) + (BPF_ALIGNMENT - 1)) & ~(BPF_ALIGNMENT - 1))

#define BIOCSBLEN _IOWR('B', 102, unsigned)
#define BIOCSETIF _IOW('B', 108, struct ifreq)
#define BIOCIMMEDIATE _IOW('B', 112, unsigned)

#endif
