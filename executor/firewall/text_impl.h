/*
 * What the backends' texts share.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_TEXT_IMPL_H
#define TRIZONE_EXECUTOR_FIREWALL_TEXT_IMPL_H

#include "executor/firewall/text.h"

static inline const char *
text_protocol(unsigned char protocol)
{
	return protocol == MODEL_UDP ? "udp" : "tcp";
}

#endif
