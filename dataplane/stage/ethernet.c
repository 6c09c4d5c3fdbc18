// SPDX-License-Identifier: BSD-3-Clause
/* Stage ethernet: admits what members may send at all, and knows each frame's family and member. */
#include <rte_ether.h>

#include "bytes.h"
#include "worker.h"

#define MAC_MASK      UINT64_C(0xffffffffffff)
#define MAC_BROADCAST MAC_MASK
#define MAC_GROUP_BIT 1 /* of the first byte, which is the lowest of mac_number() */

#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMPV6     58

/* IPv6 multicast that is let in: neighbour discovery; MLD has a name of its own among what is not.
 */
static enum reason judge_ipv6_multicast(const uint8_t *ip, uint32_t bytes)
{
	uint32_t at = 40;
	uint8_t protocol, type;

	if (bytes < 40)
		return DROP_L2_MULTICAST;
	protocol = ip[6];
	if (protocol == PROTOCOL_ICMPV6 && bytes >= at + 8 && ip[at] >= 133 && ip[at] <= 137)
		return REASON_NONE;
	if (protocol == PROTOCOL_HOP_BY_HOP && bytes >= at + 8) {
		protocol = ip[at];
		at += 8 * (ip[at + 1] + 1u);
	}
	/* the first bytes of the frame lie in one segment; longer headers are not looked behind */
	if (protocol != PROTOCOL_ICMPV6 || at >= bytes || at > 40 + 8 * 8)
		return DROP_L2_MULTICAST;
	type = ip[at];
	return (type >= 130 && type <= 132) || type == 143 ? DROP_MLD : DROP_L2_MULTICAST;
}

static enum reason judge_destination(const struct snapshot_port *port, uint64_t destination,
				     uint16_t type, const uint8_t *l3, uint32_t l3_bytes)
{
	if (!(destination & MAC_GROUP_BIT))
		return port->any_mac || destination == mac_number(port->mac.addr_bytes)
			       ? REASON_NONE
			       : DROP_L2_DESTINATION;
	if (type == RTE_ETHER_TYPE_ARP)
		return REASON_NONE;
	if (destination == MAC_BROADCAST)
		return DROP_L2_BROADCAST;
	return type == RTE_ETHER_TYPE_IPV6 ? judge_ipv6_multicast(l3, l3_bytes) : DROP_L2_MULTICAST;
}

/* The contract's checks in its order; tells party and family on the way. */
static enum reason judge(struct burst *b, uint32_t i, const struct snapshot *snapshot)
{
	const struct snapshot_port *port = &snapshot->port[b->port[i]];
	const uint8_t *l2 = rte_pktmbuf_mtod(b->frame[i], const uint8_t *);
	const struct mac_slot *slot;
	uint64_t source;
	uint16_t type;

	if (rte_pktmbuf_data_len(b->frame[i]) < RTE_ETHER_HDR_LEN)
		return DROP_L2_TRUNCATED;
	if (!b->l3[i] || !port->enabled)
		return DROP_L2_VLAN;
	memcpy(&source, l2 + 6, sizeof(source));
	source &= MAC_MASK;
	if (source & MAC_GROUP_BIT || source == 0 || source == mac_number(port->mac.addr_bytes))
		return DROP_L2_SOURCE;
	slot = &port->mac_slot[(source * port->mac_multiplier) >> port->mac_shift];
	b->party[i] = slot->mac == source ? slot->party : port->party;
	if (port->mac_lock && slot->mac != source && !port->any_mac)
		return DROP_MAC_LOCK;
	type = load_be16(b->l3[i] - 2);
	switch (type) {
	case RTE_ETHER_TYPE_IPV4:
		break;
	case RTE_ETHER_TYPE_IPV6:
		b->sets.ipv6 |= UINT64_C(1) << i;
		break;
	case RTE_ETHER_TYPE_ARP:
		b->sets.arp |= UINT64_C(1) << i;
		break;
	default:
		return DROP_L2_ETHERTYPE;
	}
	return judge_destination(port, mac_number(l2), type, b->l3[i], b->l3_bytes[i]);
}

static void judge_from(struct burst *b, uint32_t i, struct worker *w)
{
	for (; i < b->n; i++) {
		const enum reason reason = judge(b, i, w->snapshot);

		if (unlikely(reason != REASON_NONE))
			burst_drop(b, i, reason);
	}
}

/*
 * A burst is usually from one router: what the checks say of its first frame they say of all
 * with the same MACs, unless the destination is a group, whose packets are looked into.
 */
void stage_ethernet(struct burst *b, struct worker *w)
{
	uint16_t party;
	bool group;

	if (!b->alike) {
		judge_from(b, 0, w);
		return;
	}
	group = b->l3[0][-14] & MAC_GROUP_BIT;
	if (unlikely(group || judge(b, 0, w->snapshot) != REASON_NONE)) {
		judge_from(b, 0, w);
		return;
	}
	party = b->party[0];
	for (uint32_t i = 0; i < BURST_MAX; i++)
		b->party[i] = party;
	b->sets.arp = b->sets.arp ? burst_all(b) : 0;
}
