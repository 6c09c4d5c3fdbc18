/* SPDX-License-Identifier: BSD-3-Clause */
/* What kind of address an IPv6 address is (RFC 4291 2.4). */
#ifndef NAPD_IPV6_H
#define NAPD_IPV6_H

#include <stdbool.h>

#include "api/fib.h"

static inline bool ipv6_equal(struct ipv6_key a, struct ipv6_key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* fe80::/10 */
static inline bool ipv6_is_link_local(struct ipv6_key a)
{
	return a.hi >> 54 == 0xfe80 >> 6;
}

static inline bool ipv6_is_multicast(struct ipv6_key a)
{
	return a.hi >> 56 == 0xff;
}

static inline bool ipv6_is_unspecified(struct ipv6_key a)
{
	return (a.hi | a.lo) == 0;
}

static inline bool ipv6_is_loopback(struct ipv6_key a)
{
	return a.hi == 0 && a.lo == 1;
}

/* ::ffff:0:0/96 */
static inline bool ipv6_is_mapped(struct ipv6_key a)
{
	return a.hi == 0 && a.lo >> 32 == 0xffff;
}

#endif
