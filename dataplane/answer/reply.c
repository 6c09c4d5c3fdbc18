// SPDX-License-Identifier: BSD-3-Clause
/* Frames and IP headers of replies. */
#include "answer/reply.h"

#include "answer/checksum.h"

#define FRAME_BYTES_MIN 60

bool received_copy(const struct received *r, uint32_t offset, uint32_t bytes, uint8_t *to)
{
	const void *from = rte_pktmbuf_read(r->frame, received_l3_offset(r) + offset, bytes, to);

	/* In one segment it was not copied but found. */
	if (from && from != to)
		memcpy(to, from, bytes);
	return from != NULL;
}

static bool is_subnet_router_anycast(const struct prefix_key *prefix, struct ipv6_key address)
{
	/* A /127 and a /128 have none: RFC 6164. */
	return prefix->length < 127 && ipv6_equal(prefix->address, address);
}

enum owned port_owns_ipv6(const struct snapshot_port *port, struct ipv6_key address)
{
	if (ipv6_equal(port->link_local, address))
		return OWNED_UNICAST;
	for (unsigned int i = 0; i < port->address6_count; i++)
		if (ipv6_equal(port->address6[i], address))
			return OWNED_UNICAST;
	for (unsigned int i = 0; i < port->subnet6_count; i++)
		if (is_subnet_router_anycast(&port->subnet6[i].prefix, address))
			return OWNED_ANYCAST;
	return OWNED_NOT;
}

struct rte_mbuf *reply_new(const struct snapshot_port *port, const uint8_t *to, uint16_t ether_type,
			   uint32_t l3_bytes, struct rte_mempool *pool, uint8_t **l3)
{
	uint32_t l2_bytes = RTE_ETHER_HDR_LEN + (port->vlan ? RTE_VLAN_HLEN : 0);
	uint32_t bytes = RTE_MAX(l2_bytes + l3_bytes, (uint32_t)FRAME_BYTES_MIN);
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
	uint8_t *l2;

	if (!frame)
		return NULL;
	if (bytes > rte_pktmbuf_tailroom(frame)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	l2 = (uint8_t *)rte_pktmbuf_append(frame, (uint16_t)bytes);
	memcpy(l2, to, RTE_ETHER_ADDR_LEN);
	memcpy(l2 + RTE_ETHER_ADDR_LEN, port->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	if (port->vlan) {
		put16(l2 + 12, RTE_ETHER_TYPE_VLAN);
		put16(l2 + 14, port->vlan);
	}
	put16(l2 + l2_bytes - 2, ether_type);
	*l3 = l2 + l2_bytes;
	memset(*l3 + l3_bytes, 0, bytes - l2_bytes - l3_bytes);
	return frame;
}

static void put_checksum(uint8_t *p, uint32_t sum)
{
	uint16_t checksum = ~checksum_fold(sum);

	memcpy(p, &checksum, sizeof(checksum));
}

void reply_ipv4(uint8_t *ip, uint32_t bytes, uint8_t tos, rte_be32_t source, rte_be32_t destination)
{
	memset(ip, 0, IPV4_BYTES);
	ip[0] = 0x45;
	ip[1] = tos;
	put16(ip + 2, (uint16_t)bytes);
	ip[8] = REPLY_TTL;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, &source, sizeof(source));
	memcpy(ip + 16, &destination, sizeof(destination));
	put_checksum(ip + 10, rte_raw_cksum(ip, IPV4_BYTES));
}

void reply_ipv6(uint8_t *ip, uint32_t bytes, uint8_t traffic_class, uint8_t hop_limit,
		struct ipv6_key source, struct ipv6_key destination)
{
	memset(ip, 0, 4);
	ip[0] = 0x60 | traffic_class >> 4;
	ip[1] = (uint8_t)(traffic_class << 4);
	put16(ip + 4, (uint16_t)(bytes - IPV6_BYTES));
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = hop_limit;
	put_ipv6(ip + 8, source);
	put_ipv6(ip + 24, destination);
}

void reply_icmp4_checksum(uint8_t *ip, uint32_t bytes)
{
	uint8_t *icmp = ip + IPV4_BYTES;

	memset(icmp + 2, 0, 2);
	put_checksum(icmp + 2, rte_raw_cksum(icmp, bytes - IPV4_BYTES));
}

void reply_icmp6_checksum(uint8_t *ip, uint32_t bytes)
{
	uint8_t *icmp = ip + IPV6_BYTES;
	uint32_t icmp_bytes = bytes - IPV6_BYTES;

	memset(icmp + 2, 0, 2);
	put_checksum(icmp + 2, (uint32_t)checksum_icmp6_pseudo(ip, icmp_bytes) +
				       rte_raw_cksum(icmp, icmp_bytes));
}
