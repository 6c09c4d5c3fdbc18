// SPDX-License-Identifier: BSD-3-Clause
/* Stage nexthop: one next hop a flow, by a seeded hash over the buckets of a group. */
#include "bytes.h"
#include "hold.h"
#include "punt.h"
#include "worker.h"

/* Finaliser of MurmurHash3: every input bit reaches every output bit. */
static uint32_t mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

static uint32_t mix64(uint32_t h, uint64_t v)
{
	h = mix(h ^ (uint32_t)v);
	return mix(h ^ (uint32_t)(v >> 32));
}

/* Protocols that start with source and destination port: TCP, UDP, DCCP, SCTP, UDP-Lite. */
static bool has_ports(uint8_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 ||
	       protocol == 136;
}

/* Both ports of packet i; 0 where it has none, or may have them in another fragment. */
static uint32_t flow_ports(const struct burst *b, uint32_t i, uint8_t protocol)
{
	const uint8_t *ip = b->l3[i];
	const uint32_t header = b->ipv6 ? 40 : (ip[0] & 0xf) * 4u;

	if (!has_ports(protocol) || b->l3_bytes[i] < header + 4)
		return 0;
	if (!b->ipv6 && load_be16(ip + 6) & 0x3fff)
		return 0;
	return load_be32(ip + header);
}

/* The contract's flow: source, destination, protocol, and ports or flow label (RFC 6438). */
static uint32_t flow_hash(const struct burst *b, uint32_t i, uint32_t seed)
{
	const uint8_t *ip = b->l3[i];
	const uint8_t protocol = b->ipv6 ? ip[6] : ip[9];
	uint32_t h = mix(seed ^ 0x9e3779b9), label = 0;

	if (b->ipv6) {
		label = load_be32(ip) & 0xfffff;
		h = mix64(mix64(h, b->src_hi[i]), b->src_lo[i]);
		h = mix64(mix64(h, b->dst_hi[i]), b->dst_lo[i]);
	} else {
		h = mix(mix(h ^ b->src4[i]) ^ b->dst4[i]);
	}
	h = mix(h ^ protocol);
	return mix(h ^ (label ? label : flow_ports(b, i, protocol)));
}

static bool is_link_down(const struct worker *w, const struct nexthop *nh)
{
	return nh->port != PORT_NONE &&
	       __atomic_load_n(&w->dp->link_down[nh->port], __ATOMIC_RELAXED);
}

/*
 * The flow's bucket, or while a link is down the next one behind it that leads
 * on. Only flows of the lost link move, and only until control lays the group
 * out anew.
 */
static uint32_t group_choose(const struct worker *w, const struct nexthop_group *group,
			     uint32_t hash)
{
	const struct nexthop_table *t = w->snapshot->nexthops;
	const uint32_t *bucket = &t->bucket[group->first];
	const uint32_t first = bucket[hash & group->mask];

	if (likely(!__atomic_load_n(&w->dp->links_down, __ATOMIC_RELAXED)))
		return first;
	for (uint32_t k = 0; k <= group->mask; k++) {
		const uint32_t nexthop = bucket[(hash + k) & group->mask];

		if (t->nexthop[nexthop].mtu && !is_link_down(w, &t->nexthop[nexthop]))
			return nexthop;
	}
	return first;
}

/* Control is asked to find the neighbour out; whether it can is known to a later packet. */
static void ask_control(const struct burst *b, uint32_t i, struct worker *w,
			const struct nexthop *nh)
{
	const struct punt punt = {
		.kind = PUNT_RESOLVE,
		.ipv6 = b->ipv6,
		.port = nh->port,
		.nexthop = b->nexthop[i],
		.address = b->ipv6 ? burst_dst6(b, i)
				   : (struct ipv6_key){ (uint64_t)b->dst4[i] << 32, 0 },
	};

	punt_send(w, &punt);
}

/* The neighbour is being asked for: the packet waits for the answer where there is room. */
static void await(struct burst *b, uint32_t i, struct worker *w, const struct nexthop *nh,
		  bool subnet)
{
	if (!hold_is_resuming(w))
		ask_control(b, i, w, nh);
	if (is_link_down(w, nh) || !hold_packet(b, i, w, b->nexthop[i], subnet))
		burst_drop(b, i, DROP_NEIGHBOUR_UNRESOLVED);
}

static __attribute__((noinline, cold)) void refuse(struct burst *b, uint32_t i, struct worker *w,
						   const struct nexthop *nh)
{
	switch (nh->kind & ~NEXTHOP_VIA_DEFAULT) {
	case NEXTHOP_UNRESOLVED:
		await(b, i, w, nh, false);
		break;
	case NEXTHOP_SUBNET:
		await(b, i, w, nh, true);
		break;
	case NEXTHOP_FAILED:
		burst_answer(b, i, DROP_NEIGHBOUR_UNRESOLVED, ANSWER_HOST);
		ask_control(b, i, w, nh);
		break;
	default:
		burst_drop(b, i, DROP_INTERNAL);
	}
}

/* The next hop of every packet; most tables have no groups that traffic meets, or few. */
static void choose_all(struct burst *b, const struct worker *w)
{
	const struct nexthop_table *t = w->snapshot->nexthops;
	const uint32_t n = b->n;
	uint32_t any = 0;

	for (uint32_t i = 0; i < n; i++)
		any |= b->nexthop[i] = b->leaf[i];
	for (uint32_t i = 0; any & LEAF_GROUP && i < n; i++) {
		const uint32_t leaf = b->leaf[i];

		if (leaf & LEAF_GROUP)
			b->nexthop[i] = group_choose(w, &t->group[leaf & ~LEAF_GROUP],
						     flow_hash(b, i, w->snapshot->hash_seed));
	}
}

/* What is left of an MTU, for a comparison a burst: the top bit says that it does not do. */
static inline uint32_t room(const struct burst *b, size_t i, const struct nexthop *nexthop)
{
	return nexthop[b->nexthop[i]].mtu - b->l3_bytes[i];
}

/*
 * Who is longer than the MTU. One comparison says whether a packet can be sent as it is: a
 * next hop that does not forward has an MTU of 0.
 */
static uint64_t find_oversize(const struct burst *b, const struct nexthop *nexthop)
{
	const uint32_t n = b->n;
	uint32_t any = 0;
	size_t i = 0;
	uint64_t oversize = 0;

	for (; i + 4 <= n; i += 4)
		any |= room(b, i, nexthop) | room(b, i + 1, nexthop) | room(b, i + 2, nexthop) |
		       room(b, i + 3, nexthop);
	for (; i < n; i++)
		any |= room(b, i, nexthop);
	if (likely(!(any >> 31)))
		return 0;
	for (i = 0; i < n; i++)
		oversize |= (uint64_t)(room(b, i, nexthop) >> 31) << i;
	return oversize;
}

static void drop_link_down(struct burst *b, uint32_t i, struct worker *w, uint16_t port)
{
	burst_drop(b, i, DROP_LINK_DOWN);
	tally_add(&w->counters[port].egress_drop[DROP_LINK_DOWN], 1, b->bytes[i]);
}

void stage_nexthop(struct burst *b, struct worker *w)
{
	const struct nexthop *nexthop = w->snapshot->nexthops->nexthop;
	const bool links_down = __atomic_load_n(&w->dp->links_down, __ATOMIC_ACQUIRE) != 0;
	uint64_t judge;

	choose_all(b, w);
	b->sets.oversize = find_oversize(b, nexthop);
	judge = unlikely(links_down) ? burst_all(b) : b->sets.oversize;
	for (; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		const struct nexthop *nh = &nexthop[b->nexthop[i]];

		if (nh->mtu == 0)
			refuse(b, i, w, nh);
		else if (links_down && is_link_down(w, nh))
			drop_link_down(b, i, w, nh->port);
	}
}
