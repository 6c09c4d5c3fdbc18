/* SPDX-License-Identifier: BSD-3-Clause */
/* What all replies have in common: their frame, their IP header, addresses at any alignment. */
#ifndef NAPD_REPLY_H
#define NAPD_REPLY_H

#include <string.h>

#include <netinet/in.h>

#include <rte_ip.h>

#include "answer/answer.h"
#include "bytes.h"
#include "ipv6.h"

#define REPLY_TTL  64
#define REPLY_DSCP 0xc0 /* CS6, as TOS or traffic class: RFC 1812 4.3.2.5 */

#define IPV4_BYTES 20 /* of a header without options */
#define IPV6_BYTES 40
#define ICMP_BYTES 8

enum { ICMP4_ECHO_REPLY = 0, ICMP4_ECHO_REQUEST = 8 };
enum { ICMP6_ECHO_REQUEST = 128, ICMP6_ECHO_REPLY = 129 };

static inline void put16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value & 0xff;
}

/* An IPv4 address as it lies in memory. */
static inline rte_be32_t get_ipv4(const uint8_t *p)
{
	rte_be32_t address;

	memcpy(&address, p, sizeof(address));
	return address;
}

static inline struct ipv6_key get_ipv6(const uint8_t *p)
{
	return (struct ipv6_key){ load_be64(p), load_be64(p + 8) };
}

static inline void put_ipv6(uint8_t *p, struct ipv6_key address)
{
	rte_be64_t half[2] = { rte_cpu_to_be_64(address.hi), rte_cpu_to_be_64(address.lo) };

	memcpy(p, half, sizeof(half));
}

/* Where r's packet begins in its frame. */
static inline uint32_t received_l3_offset(const struct received *r)
{
	return (uint32_t)(r->l3 - rte_pktmbuf_mtod(r->frame, const uint8_t *));
}

/*
 * Copy bytes of r's packet, counted from its IP header, out of all segments.
 * False if they are not there.
 */
bool received_copy(const struct received *r, uint32_t offset, uint32_t bytes, uint8_t *to);

/* What an address of IPv6 is to a port. */
enum owned { OWNED_NOT, OWNED_UNICAST, OWNED_ANYCAST /* subnet-router, RFC 4291 2.6.1 */ };
enum owned port_owns_ipv6(const struct snapshot_port *port, struct ipv6_key address);

/*
 * A frame from port to the MAC address to, with the port's tag, zeros where it is
 * shorter than 60 bytes, and at *l3 room for l3_bytes that the caller writes.
 * Returns to the caller, or NULL: no buffer, or too small.
 */
struct rte_mbuf *reply_new(const struct snapshot_port *port, const uint8_t *to, uint16_t ether_type,
			   uint32_t l3_bytes, struct rte_mempool *pool, uint8_t **l3);

/*
 * Write the header of an ICMP packet of bytes in all, checksum included, to be
 * fragmented where it must. Its identification is 0, which RFC 6864 4.3 would
 * have unique; but errors have 576 bytes at most, an echo reply is no longer
 * than a request that came unfragmented, and a worker that counts nothing
 * replays the same bytes every time.
 */
void reply_ipv4(uint8_t *ip, uint32_t bytes, uint8_t tos, rte_be32_t source,
		rte_be32_t destination);

/* Write the header of an ICMPv6 packet of bytes in all. */
void reply_ipv6(uint8_t *ip, uint32_t bytes, uint8_t traffic_class, uint8_t hop_limit,
		struct ipv6_key source, struct ipv6_key destination);

/* Set the checksum of the ICMP message that follows a header of reply_ipv4() or reply_ipv6(). */
void reply_icmp4_checksum(uint8_t *ip, uint32_t bytes);
void reply_icmp6_checksum(uint8_t *ip, uint32_t bytes);

#endif
