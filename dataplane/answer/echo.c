// SPDX-License-Identifier: BSD-3-Clause
/* Echo: which requests are answered, and the replies. */
#include "answer/answer.h"

#include "answer/checksum.h"
#include "answer/reply.h"

#define DSCP_MASK 0xfc /* of TOS or traffic class; the rest is ECN */

static uint32_t ipv4_header_bytes(const uint8_t *ip)
{
	return (ip[0] & 0xf) * 4u;
}

/* Whether the frame's bytes from offset on, and what is summed up already, have a right checksum.
 */
static bool checksum_is_right(const struct received *r, uint32_t offset, uint32_t seed)
{
	uint16_t sum;

	return checksum_frame(r->frame, received_l3_offset(r) + offset, r->l3_bytes - offset,
			      &sum) &&
	       checksum_fold(seed + sum) == 0xffff;
}

bool echo_answerable4(const struct received *r)
{
	const uint8_t *ip = r->l3;
	uint32_t header_bytes;

	if (r->l3_bytes < IPV4_BYTES || r->l3_bytes > r->port->mtu || ip[9] != IPPROTO_ICMP)
		return false;
	header_bytes = ipv4_header_bytes(ip);
	if (header_bytes < IPV4_BYTES || r->l3_bytes < header_bytes + ICMP_BYTES)
		return false;
	if (load_be16(ip + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	if (ip[header_bytes] != ICMP4_ECHO_REQUEST || ip[header_bytes + 1] != 0)
		return false;
	return checksum_is_right(r, header_bytes, 0);
}

bool echo_answerable6(const struct received *r)
{
	const uint8_t *ip = r->l3;

	if (r->l3_bytes < IPV6_BYTES + ICMP_BYTES || r->l3_bytes > r->port->mtu)
		return false;
	/* A fragment has a fragment header here. */
	if (ip[6] != IPPROTO_ICMPV6)
		return false;
	if (ip[IPV6_BYTES] != ICMP6_ECHO_REQUEST || ip[IPV6_BYTES + 1] != 0)
		return false;
	return checksum_is_right(r, IPV6_BYTES,
				 checksum_icmp6_pseudo(ip, r->l3_bytes - IPV6_BYTES));
}

struct rte_mbuf *echo_reply4(const struct received *r, struct rte_mempool *pool)
{
	uint32_t header_bytes = ipv4_header_bytes(r->l3);
	uint32_t icmp_bytes = r->l3_bytes - header_bytes;
	uint32_t bytes = IPV4_BYTES + icmp_bytes;
	struct rte_mbuf *frame;
	uint8_t *ip;

	frame = reply_new(r->port, r->l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_IPV4, bytes, pool,
			  &ip);
	if (!frame)
		return NULL;
	reply_ipv4(ip, bytes, r->l3[1] & DSCP_MASK, get_ipv4(r->l3 + 16), get_ipv4(r->l3 + 12));
	if (!received_copy(r, header_bytes, icmp_bytes, ip + IPV4_BYTES)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	ip[IPV4_BYTES] = ICMP4_ECHO_REPLY;
	reply_icmp4_checksum(ip, bytes);
	frame_inherit(frame, r->frame);
	return frame;
}

struct rte_mbuf *echo_reply6(const struct received *r, struct rte_mempool *pool)
{
	uint32_t bytes = r->l3_bytes;
	uint8_t traffic_class = (uint8_t)(load_be16(r->l3) >> 4);
	struct ipv6_key source = get_ipv6(r->l3 + 24);
	struct rte_mbuf *frame;
	uint8_t *ip;

	if (port_owns_ipv6(r->port, source) == OWNED_ANYCAST)
		source = r->port->error_source6;
	frame = reply_new(r->port, r->l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_IPV6, bytes, pool,
			  &ip);
	if (!frame)
		return NULL;
	reply_ipv6(ip, bytes, traffic_class & DSCP_MASK, REPLY_TTL, source, get_ipv6(r->l3 + 8));
	if (!received_copy(r, IPV6_BYTES, bytes - IPV6_BYTES, ip + IPV6_BYTES)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	ip[IPV6_BYTES] = ICMP6_ECHO_REPLY;
	reply_icmp6_checksum(ip, bytes);
	frame_inherit(frame, r->frame);
	return frame;
}
