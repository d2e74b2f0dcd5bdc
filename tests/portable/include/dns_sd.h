/*
 * The names of macOS's <dns_sd.h> that are used here, for compiling without
 * Apple's kit, whose free copy has no such header.
 */
#ifndef TRIZONE_PORTABLE_DNS_SD_H
#define TRIZONE_PORTABLE_DNS_SD_H

#include <stdint.h>
#include <sys/socket.h>

typedef struct _DNSServiceRef_t *DNSServiceRef;
typedef uint32_t DNSServiceFlags;
typedef uint32_t DNSServiceProtocol;
typedef int32_t DNSServiceErrorType;

enum {
	kDNSServiceFlagsMoreComing = 0x1,
	kDNSServiceFlagsAdd = 0x2,
	kDNSServiceFlagsReturnIntermediates = 0x1000
};
enum { kDNSServiceProtocol_IPv4 = 0x01, kDNSServiceProtocol_IPv6 = 0x02 };
enum {
	kDNSServiceErr_NoError = 0,
	kDNSServiceErr_NoSuchName = -65538,
	kDNSServiceErr_NoSuchRecord = -65554
};

#define kDNSServiceInterfaceIndexAny 0

typedef void (*DNSServiceGetAddrInfoReply)(DNSServiceRef ref,
    DNSServiceFlags flags, uint32_t interface, DNSServiceErrorType error,
    const char *name, const struct sockaddr *address, uint32_t ttl,
    void *context);

DNSServiceErrorType DNSServiceGetAddrInfo(DNSServiceRef *ref,
    DNSServiceFlags flags, uint32_t interface, DNSServiceProtocol protocol,
    const char *name, DNSServiceGetAddrInfoReply reply, void *context);
int DNSServiceRefSockFD(DNSServiceRef ref);
DNSServiceErrorType DNSServiceProcessResult(DNSServiceRef ref);
void DNSServiceRefDeallocate(DNSServiceRef ref);

#endif
