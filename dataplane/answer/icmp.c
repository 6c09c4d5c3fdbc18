// SPDX-License-Identifier: BSD-3-Clause
/* ICMP errors: about which packets there may be one, and what it says. */
#include "answer/answer.h"

#include "answer/reply.h"

#define ERROR4_BYTES_MAX 576  /* RFC 1812 4.3.2.3 */
#define ERROR6_BYTES_MAX 1280 /* RFC 4443 2.4(c) */

#define IPV6_FRAGMENT       44
#define IPV6_FRAGMENT_BYTES 8

struct icmp_code {
	uint8_t type, code;
};

/* By enum answer. */
static const struct icmp_code error4[] = {
	[ANSWER_NO_ROUTE] = { 3, 0 }, [ANSWER_PROHIBITED] = { 3, 13 }, [ANSWER_TTL] = { 11, 0 },
	[ANSWER_HOST] = { 3, 1 },     [ANSWER_TOO_BIG] = { 3, 4 },     [ANSWER_PORT] = { 3, 3 },
};
static const struct icmp_code error6[] = {
	[ANSWER_NO_ROUTE] = { 1, 0 }, [ANSWER_PROHIBITED] = { 1, 1 }, [ANSWER_TTL] = { 3, 0 },
	[ANSWER_HOST] = { 1, 3 },     [ANSWER_TOO_BIG] = { 2, 0 },    [ANSWER_PORT] = { 1, 4 },
};

static bool is_error(enum answer what)
{
	return what >= ANSWER_NO_ROUTE && what <= ANSWER_PORT;
}

static bool is_icmp4_error(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool is_icmp6_error(uint8_t type)
{
	return type < 128 || type == 137;
}

/* Unspecified, multicast or broadcast. */
static bool ipv4_is_nobody(rte_be32_t address)
{
	uint32_t host = rte_be_to_cpu_32(address);

	return host == 0 || host >> 28 == 0xe || host == UINT32_MAX;
}

static bool ipv6_is_nobody(struct ipv6_key address)
{
	return ipv6_is_unspecified(address) || ipv6_is_multicast(address);
}

bool icmp_error_allowed4(const uint8_t *ip, uint32_t bytes)
{
	uint32_t header_bytes;

	if (bytes < IPV4_BYTES)
		return false;
	if (load_be16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK)
		return false;
	if (ipv4_is_nobody(get_ipv4(ip + 12)) || ipv4_is_nobody(get_ipv4(ip + 16)))
		return false;
	if (ip[9] != IPPROTO_ICMP)
		return true;
	header_bytes = (ip[0] & 0xf) * 4u;
	return bytes > header_bytes && !is_icmp4_error(ip[header_bytes]);
}

bool icmp_error_allowed6(const uint8_t *ip, uint32_t bytes)
{
	uint32_t offset = IPV6_BYTES;
	uint8_t next;

	if (bytes < IPV6_BYTES)
		return false;
	if (ipv6_is_nobody(get_ipv6(ip + 8)) || ipv6_is_nobody(get_ipv6(ip + 24)))
		return false;
	next = ip[6];
	if (next == IPV6_FRAGMENT && bytes >= IPV6_BYTES + IPV6_FRAGMENT_BYTES) {
		if (load_be16(ip + IPV6_BYTES + 2) &
		    ~7) /* not the first: has no header to look at */
			return true;
		next = ip[IPV6_BYTES];
		offset += IPV6_FRAGMENT_BYTES;
	}
	if (next != IPPROTO_ICMPV6)
		return true;
	return bytes > offset && !is_icmp6_error(ip[offset]);
}

/* RFC 1812 4.3.2.7: not about what came to many at once. */
static bool came_to_one(const struct received *r)
{
	return !(r->l2[0] & RTE_ETHER_GROUP_ADDR);
}

/* Write type, code and the MTU, then the packet as received. False if it is not there. */
static bool write_error(uint8_t *icmp, struct icmp_code code, uint16_t mtu,
			const struct received *r, uint32_t quoted_bytes)
{
	memset(icmp, 0, ICMP_BYTES);
	icmp[0] = code.type;
	icmp[1] = code.code;
	put16(icmp + 6, mtu);
	return received_copy(r, 0, quoted_bytes, icmp + ICMP_BYTES);
}

struct rte_mbuf *icmp_error4(const struct received *r, enum answer what, uint16_t mtu,
			     struct rte_mempool *pool)
{
	uint32_t bytes = RTE_MIN(IPV4_BYTES + ICMP_BYTES + r->l3_bytes, ERROR4_BYTES_MAX);
	struct rte_mbuf *frame;
	uint8_t *ip;

	if (!is_error(what) || !came_to_one(r) || !icmp_error_allowed4(r->l3, r->l3_bytes))
		return NULL;
	frame = reply_new(r->port, r->l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_IPV4, bytes, pool,
			  &ip);
	if (!frame)
		return NULL;
	reply_ipv4(ip, bytes, REPLY_DSCP, r->port->error_source4, get_ipv4(r->l3 + 12));
	if (!write_error(ip + IPV4_BYTES, error4[what], what == ANSWER_TOO_BIG ? mtu : 0, r,
			 bytes - IPV4_BYTES - ICMP_BYTES)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	reply_icmp4_checksum(ip, bytes);
	frame_inherit(frame, r->frame);
	return frame;
}

struct rte_mbuf *icmp_error6(const struct received *r, enum answer what, uint16_t mtu,
			     struct rte_mempool *pool)
{
	uint32_t bytes = RTE_MIN(IPV6_BYTES + ICMP_BYTES + r->l3_bytes, ERROR6_BYTES_MAX);
	struct rte_mbuf *frame;
	uint8_t *ip;

	if (!is_error(what) || !came_to_one(r) || !icmp_error_allowed6(r->l3, r->l3_bytes))
		return NULL;
	frame = reply_new(r->port, r->l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_IPV6, bytes, pool,
			  &ip);
	if (!frame)
		return NULL;
	reply_ipv6(ip, bytes, REPLY_DSCP, REPLY_TTL, r->port->error_source6, get_ipv6(r->l3 + 8));
	if (!write_error(ip + IPV6_BYTES, error6[what], what == ANSWER_TOO_BIG ? mtu : 0, r,
			 bytes - IPV6_BYTES - ICMP_BYTES)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	reply_icmp6_checksum(ip, bytes);
	frame_inherit(frame, r->frame);
	return frame;
}
