/* SPDX-License-Identifier: BSD-3-Clause */
/* Arithmetic on the addresses and prefixes of config.h. All pure, any thread. */
#ifndef NAPD_ADDRESS_H
#define NAPD_ADDRESS_H

#include "config.h"

static inline int ip_key_compare(struct ipv6_key a, struct ipv6_key b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static inline unsigned int ip_bits(const struct ip_address *address)
{
	return address->ipv6 ? 128 : 32;
}

static inline bool ip_address_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->ipv6 == b->ipv6 && ip_key_compare(a->key, b->key) == 0;
}

/* fe80::/10 */
static inline bool ip_is_link_local(const struct ip_address *address)
{
	return address->ipv6 && address->key.hi >> 54 == 0x3fa;
}

/* "198.51.100.1/31", host bits allowed. -EINVAL: no such text; -ERANGE: length out of range. */
int ip_address_length_parse(const char *text, struct ip_address *address, uint8_t *length);

/* The prefix of that length (at most the family's bits) in which address lies. */
struct ip_prefix ip_prefix_of(const struct ip_address *address, unsigned int length);

/* Its last address, for IPv4 the broadcast address. */
struct ip_address ip_prefix_last(const struct ip_prefix *prefix);

bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_address *address);

/* HOST:PORT or [HOST]:PORT, cut in two. False: neither. */
bool listen_split(char *listen, char **host, uint16_t *port);

#endif
