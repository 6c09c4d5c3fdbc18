// SPDX-License-Identifier: BSD-3-Clause
/* Neighbour discovery: the checks of RFC 4861, what a packet means to its port, advertisements. */
#include "answer/answer.h"

#include "answer/checksum.h"
#include "answer/reply.h"

/* ICMPv6 types. */
enum {
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_REDIRECT = 137
};

/* Offsets in a solicitation or advertisement, from the IPv6 header. */
enum {
	ND_TYPE = IPV6_BYTES,
	ND_CODE = IPV6_BYTES + 1,
	ND_FLAGS = IPV6_BYTES + 4,
	ND_TARGET = IPV6_BYTES + 8,
	ND_OPTIONS = IPV6_BYTES + 24
};

enum { ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };

/* Options: type, length in units of 8 bytes. */
enum { OPTION_SOURCE_LINK_LAYER = 1, OPTION_TARGET_LINK_LAYER = 2, OPTION_UNIT = 8 };

#define ND_HOP_LIMIT 255
#define REPLY_BYTES  (ND_OPTIONS + OPTION_UNIT)

static const struct ipv6_key all_nodes = { 0xff02000000000000, 1 };
static const uint8_t all_nodes_mac[RTE_ETHER_ADDR_LEN] = { 0x33, 0x33, 0, 0, 0, 1 };

/* ff02::1:ff00:0/104 */
static bool is_solicited_node(struct ipv6_key a)
{
	return a.hi == all_nodes.hi && a.lo >> 24 == 0x1ff;
}

/* Link-local, multicast or an address of the exchange: not a packet like any other. */
static bool is_for_us(struct ipv6_key destination, const struct address_set *special6)
{
	return ipv6_is_multicast(destination) || ipv6_is_link_local(destination) ||
	       address_set_find(special6, destination) != NULL;
}

/*
 * Walk the options (they may lie in later segments), note the link-layer
 * address of the kind that the packet should have. *with_source: there is a
 * source link-layer option. False if one is of length 0 or cut off.
 */
static bool read_options(const struct received *r, struct nd_verdict *verdict, bool *with_source)
{
	uint8_t wanted =
		verdict->advertisement ? OPTION_TARGET_LINK_LAYER : OPTION_SOURCE_LINK_LAYER;
	uint32_t offset = ND_OPTIONS;
	uint8_t option[OPTION_UNIT];

	*with_source = false;
	while (offset < r->l3_bytes) {
		uint32_t left = r->l3_bytes - offset;

		if (left < OPTION_UNIT || !received_copy(r, offset, OPTION_UNIT, option))
			return false;
		if (option[1] == 0 || option[1] * (uint32_t)OPTION_UNIT > left)
			return false;
		if (option[0] == OPTION_SOURCE_LINK_LAYER)
			*with_source = true;
		/* Ethernet's fit one unit; of two options the first counts. */
		if (option[0] == wanted && option[1] == 1 && !verdict->has_link_layer) {
			memcpy(&verdict->link_layer, option + 2, RTE_ETHER_ADDR_LEN);
			verdict->has_link_layer = true;
		}
		offset += option[1] * (uint32_t)OPTION_UNIT;
	}
	return true;
}

static bool checksum_is_right(const struct received *r)
{
	uint32_t icmp_bytes = r->l3_bytes - IPV6_BYTES;
	uint16_t sum;

	return checksum_frame(r->frame, received_l3_offset(r) + IPV6_BYTES, icmp_bytes, &sum) &&
	       checksum_fold((uint32_t)sum + checksum_icmp6_pseudo(r->l3, icmp_bytes)) == 0xffff;
}

/* RFC 4861 7.1.1 and 7.1.2, in one for what they share; fills in what the packet says. */
static bool nd_is_valid(const struct received *r, struct nd_verdict *verdict)
{
	const uint8_t *ip = r->l3;
	struct ipv6_key destination = get_ipv6(ip + 24);
	bool with_source;

	if (ip[7] != ND_HOP_LIMIT || r->l3_bytes < ND_OPTIONS || ip[ND_CODE] != 0)
		return false;
	verdict->advertisement = ip[ND_TYPE] == ND_ADVERTISEMENT;
	verdict->source = get_ipv6(ip + 8);
	verdict->target = get_ipv6(ip + ND_TARGET);
	if (ipv6_is_multicast(verdict->target) || !checksum_is_right(r) ||
	    !read_options(r, verdict, &with_source))
		return false;
	if (verdict->advertisement) {
		verdict->flags = ip[ND_FLAGS] & (ND_ROUTER | ND_SOLICITED | ND_OVERRIDE);
		return !ipv6_is_multicast(destination) || !(verdict->flags & ND_SOLICITED);
	}
	return !ipv6_is_unspecified(verdict->source) ||
	       (is_solicited_node(destination) && !with_source);
}

struct nd_verdict nd_judge(const struct received *r, const struct address_set *special6)
{
	struct nd_verdict verdict = { .reason = REASON_NONE };
	const uint8_t *ip = r->l3;
	enum owned target;
	uint8_t type;

	if (r->l3_bytes <= IPV6_BYTES || ip[6] != IPPROTO_ICMPV6)
		return verdict;
	type = ip[ND_TYPE];
	if (type < ND_ROUTER_SOLICITATION || type > ND_REDIRECT ||
	    !is_for_us(get_ipv6(ip + 24), special6))
		return verdict;
	if (type != ND_SOLICITATION && type != ND_ADVERTISEMENT) {
		verdict.reason = DROP_ND_FORBIDDEN;
		return verdict;
	}
	if (!nd_is_valid(r, &verdict))
		return (struct nd_verdict){ .reason = DROP_ND_INVALID };
	verdict.reason = REASON_CONSUMED;
	target = port_owns_ipv6(r->port, verdict.target);
	if (type == ND_SOLICITATION && target != OWNED_NOT)
		verdict.answer = ANSWER_ND;
	/* Who is up to nothing neither advertises an address of ours, nor probes, nor uses it. */
	verdict.conflict = (target == OWNED_UNICAST &&
			    (type == ND_ADVERTISEMENT || ipv6_is_unspecified(verdict.source))) ||
			   port_owns_ipv6(r->port, verdict.source) == OWNED_UNICAST;
	return verdict;
}

/* An advertisement of target by port to the MAC and address to. */
static struct rte_mbuf *advertisement_new(const struct snapshot_port *port, struct ipv6_key target,
					  bool solicited, const uint8_t *mac, struct ipv6_key to,
					  struct rte_mempool *pool)
{
	bool anycast = port_owns_ipv6(port, target) == OWNED_ANYCAST;
	struct rte_mbuf *frame;
	uint8_t *ip, *option;

	frame = reply_new(port, mac, RTE_ETHER_TYPE_IPV6, REPLY_BYTES, pool, &ip);
	if (!frame)
		return NULL;
	reply_ipv6(ip, REPLY_BYTES, 0, ND_HOP_LIMIT, anycast ? port->error_source6 : target, to);
	memset(ip + ND_TYPE, 0, ND_TARGET - ND_TYPE);
	ip[ND_TYPE] = ND_ADVERTISEMENT;
	/* RFC 4861 7.2.4: several may answer for an anycast address, the first one stays. */
	ip[ND_FLAGS] = ND_ROUTER | (solicited ? ND_SOLICITED : 0) | (anycast ? 0 : ND_OVERRIDE);
	put_ipv6(ip + ND_TARGET, target);
	option = ip + ND_OPTIONS;
	option[0] = OPTION_TARGET_LINK_LAYER;
	option[1] = 1;
	memcpy(option + 2, port->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	reply_icmp6_checksum(ip, REPLY_BYTES);
	return frame;
}

struct rte_mbuf *nd_advertisement(const struct received *r, struct rte_mempool *pool)
{
	struct ipv6_key source = get_ipv6(r->l3 + 8);
	struct ipv6_key target = get_ipv6(r->l3 + ND_TARGET);
	struct rte_mbuf *frame;

	if (ipv6_is_unspecified(source))
		/* to all nodes (RFC 4861 7.2.4), but to the one that asked on the link (RFC 6085)
		 */
		frame = advertisement_new(r->port, target, false, r->l2 + RTE_ETHER_ADDR_LEN,
					  all_nodes, pool);
	else
		frame = advertisement_new(r->port, target, true, r->l2 + RTE_ETHER_ADDR_LEN, source,
					  pool);
	if (frame)
		frame_inherit(frame, r->frame);
	return frame;
}

struct rte_mbuf *nd_announcement(const struct snapshot_port *port, struct ipv6_key address,
				 struct rte_mempool *pool)
{
	return advertisement_new(port, address, false, all_nodes_mac, all_nodes, pool);
}

/* A question for target from source; without a source it may not say the asker's MAC. */
static struct rte_mbuf *solicitation_new(const struct snapshot_port *port, struct ipv6_key source,
					 struct ipv6_key target, const uint8_t *mac,
					 struct rte_mempool *pool)
{
	const uint8_t group_mac[RTE_ETHER_ADDR_LEN] = { 0x33,
							0x33,
							0xff,
							(uint8_t)(target.lo >> 16),
							(uint8_t)(target.lo >> 8),
							(uint8_t)target.lo };
	/* ff02::1:ffXX:XXXX of the target: RFC 4291 2.7.1 */
	const struct ipv6_key group = { all_nodes.hi, 0x1ff000000 | (target.lo & 0xffffff) };
	const uint32_t bytes = ipv6_is_unspecified(source) ? ND_OPTIONS : REPLY_BYTES;
	struct rte_mbuf *frame;
	uint8_t *ip;

	frame = reply_new(port, mac ? mac : group_mac, RTE_ETHER_TYPE_IPV6, bytes, pool, &ip);
	if (!frame)
		return NULL;
	reply_ipv6(ip, bytes, 0, ND_HOP_LIMIT, source, mac ? target : group);
	memset(ip + ND_TYPE, 0, ND_TARGET - ND_TYPE);
	ip[ND_TYPE] = ND_SOLICITATION;
	put_ipv6(ip + ND_TARGET, target);
	if (bytes > ND_OPTIONS) {
		ip[ND_OPTIONS] = OPTION_SOURCE_LINK_LAYER;
		ip[ND_OPTIONS + 1] = 1;
		memcpy(ip + ND_OPTIONS + 2, port->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	}
	reply_icmp6_checksum(ip, bytes);
	return frame;
}

struct rte_mbuf *nd_solicitation(const struct snapshot_port *port, struct ipv6_key target,
				 const uint8_t *mac, struct rte_mempool *pool)
{
	return solicitation_new(port, port->link_local, target, mac, pool);
}

struct rte_mbuf *nd_probe(const struct snapshot_port *port, struct ipv6_key address,
			  struct rte_mempool *pool)
{
	return solicitation_new(port, (struct ipv6_key){ 0, 0 }, address, NULL, pool);
}
