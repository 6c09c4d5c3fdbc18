// SPDX-License-Identifier: BSD-3-Clause
/* Stage address: sources and destinations that nobody may use here; takes neighbour discovery. */
#include "ask.h"
#include "ipv6.h"
#include "punt.h"
#include "worker.h"

#define PROTOCOL_ICMPV6 58

/* ---- IPv4: RFC 1122 3.2.1.3, RFC 1812 5.3.7, RFC 3927 ---- */

static bool in4(uint32_t address, uint32_t prefix, uint8_t length)
{
	return (address ^ prefix) >> (32 - length) == 0;
}

static const struct address_entry *special4(const struct snapshot *s, uint32_t address)
{
	const struct ipv6_key key = { (uint64_t)address << 32, 0 };

	return address_set_find(&s->special4, key);
}

static bool is_kind(const struct address_entry *entry, enum address_kind kind)
{
	return entry && entry->kind == kind;
}

/* What every packet to dst meets before routes are asked, but for broadcast, which comes last. */
static inline enum reason judge_destination4(uint32_t dst)
{
	if (in4(dst, 0x00000000, 8) || in4(dst, 0x7f000000, 8) || in4(dst, 0xf0000000, 4))
		return DROP_IPV4_MARTIAN_DESTINATION;
	if (in4(dst, 0xe0000000, 4))
		return DROP_IPV4_MULTICAST;
	return in4(dst, 0xa9fe0000, 16) ? DROP_IPV4_SCOPE : REASON_NONE;
}

static enum reason judge4(const struct snapshot *s, uint32_t src, uint32_t dst)
{
	const struct address_entry *special_src = special4(s, src);
	enum reason reason;

	if (in4(src, 0x00000000, 8) || in4(src, 0x7f000000, 8) || in4(src, 0xe0000000, 3) ||
	    is_kind(special_src, ADDRESS_OWN))
		return DROP_IPV4_MARTIAN_SOURCE;
	reason = judge_destination4(dst);
	if (unlikely(reason != REASON_NONE))
		return reason;
	if (in4(src, 0xa9fe0000, 16))
		return DROP_IPV4_SCOPE;
	if (is_kind(special_src, ADDRESS_BROADCAST) || is_kind(special4(s, dst), ADDRESS_BROADCAST))
		return DROP_IPV4_BROADCAST;
	return REASON_NONE;
}

static void address4(struct burst *b, const struct snapshot *s)
{
	for (uint64_t judge = b->sets.unproven; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		const enum reason reason = judge4(s, b->src4[i], b->dst4[i]);

		if (unlikely(reason != REASON_NONE))
			burst_drop(b, i, reason);
	}
}

/* ---- IPv6: RFC 4291 2.5 and 2.7, RFC 4007, RFC 4861 ---- */

static bool is_own6(const struct snapshot *s, struct ipv6_key a)
{
	return is_kind(address_set_find(&s->special6, a), ADDRESS_OWN);
}

static bool is_nd(const uint8_t *ip, uint32_t bytes)
{
	return ip[6] == PROTOCOL_ICMPV6 && bytes > 40 && ip[40] >= 133 && ip[40] <= 137;
}

/* Neighbour discovery is judged only where it would be heard: at the exchange. */
static bool is_nd_for_us(const struct snapshot *s, const uint8_t *ip, uint32_t bytes,
			 struct ipv6_key dst)
{
	return is_nd(ip, bytes) &&
	       (ipv6_is_multicast(dst) || ipv6_is_link_local(dst) || is_own6(s, dst));
}

static bool is_martian_source6(const struct snapshot *s, struct ipv6_key src, bool nd)
{
	return ipv6_is_multicast(src) || ipv6_is_loopback(src) || ipv6_is_mapped(src) ||
	       is_own6(s, src) || (ipv6_is_unspecified(src) && !nd);
}

static inline enum reason judge_destination6(struct ipv6_key dst)
{
	return ipv6_is_unspecified(dst) || ipv6_is_loopback(dst) || ipv6_is_mapped(dst)
		       ? DROP_IPV6_MARTIAN_DESTINATION
		       : REASON_NONE;
}

static enum reason judge_scope6(const struct snapshot *s, const struct snapshot_port *port,
				struct ipv6_key src, struct ipv6_key dst)
{
	if (ipv6_is_link_local(dst))
		return ipv6_equal(dst, port->link_local) ? REASON_NONE : DROP_IPV6_SCOPE;
	return ipv6_is_link_local(src) && !is_own6(s, dst) ? DROP_IPV6_SCOPE : REASON_NONE;
}

/* What neighbour discovery says of its sender (135) or its target (136). */
static void tell_control(struct worker *w, uint16_t port, const struct nd_verdict *verdict)
{
	const struct punt punt = {
		.kind = verdict->conflict ? PUNT_CONFLICT : PUNT_LEARN,
		.ipv6 = true,
		.solicited = verdict->advertisement && verdict->flags & 0x40,
		.override = !verdict->advertisement || verdict->flags & 0x20,
		.port = port,
		.mac = verdict->link_layer,
		.address = verdict->advertisement ? verdict->target : verdict->source,
	};

	if (verdict->conflict || verdict->has_link_layer)
		punt_send(w, &punt);
}

static void judge_nd(struct burst *b, uint32_t i, struct worker *w)
{
	const struct received r = burst_received(b, i, w->snapshot);
	const struct nd_verdict verdict = nd_judge(&r, &w->snapshot->special6);

	if (verdict.reason != REASON_NONE)
		burst_answer(b, i, verdict.reason, verdict.answer);
	if (verdict.reason == REASON_CONSUMED)
		tell_control(w, b->port[i], &verdict);
	if (verdict.conflict)
		counter_add(&w->counters[b->port[i]].arp_conflicts, 1);
}

static enum reason judge6(const struct burst *b, uint32_t i, const struct snapshot *s, bool *nd)
{
	const struct ipv6_key src = burst_src6(b, i), dst = burst_dst6(b, i);

	*nd = unlikely(b->l3[i][6] == PROTOCOL_ICMPV6) &&
	      is_nd_for_us(s, b->l3[i], b->l3_bytes[i], dst);
	if (is_martian_source6(s, src, *nd))
		return DROP_IPV6_MARTIAN_SOURCE;
	if (judge_destination6(dst) != REASON_NONE)
		return DROP_IPV6_MARTIAN_DESTINATION;
	if (*nd)
		return REASON_NONE;
	if (ipv6_is_multicast(dst))
		return DROP_IPV6_MULTICAST;
	return judge_scope6(s, &s->port[b->port[i]], src, dst);
}

static void address6(struct burst *b, struct worker *w)
{
	for (uint64_t judge = b->sets.unproven; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		bool nd;
		const enum reason reason = judge6(b, i, w->snapshot, &nd);

		if (unlikely(reason != REASON_NONE))
			burst_drop(b, i, reason);
		else if (unlikely(nd))
			judge_nd(b, i, w);
	}
}

/* ---- asked from outside ---- */

/* A port whose own link-local address it is. */
static bool is_own_link_local(const struct snapshot *s, struct ipv6_key address)
{
	for (uint32_t i = 0; i < s->ports; i++)
		if (s->port[i].used && ipv6_equal(s->port[i].link_local, address))
			return true;
	return false;
}

enum reason dataplane_judge_destination(const struct dataplane *dp, struct ipv6_key address,
					bool ipv6)
{
	const struct snapshot *s = dp->snapshot;
	const uint32_t dst4 = address.hi >> 32;
	enum reason reason;

	if (!ipv6) {
		reason = judge_destination4(dst4);
		if (reason == REASON_NONE && is_kind(special4(s, dst4), ADDRESS_BROADCAST))
			reason = DROP_IPV4_BROADCAST;
		return reason;
	}
	reason = judge_destination6(address);
	if (reason == REASON_NONE && ipv6_is_multicast(address))
		reason = DROP_IPV6_MULTICAST;
	if (reason == REASON_NONE && ipv6_is_link_local(address))
		reason = is_own_link_local(s, address) ? REASON_CONSUMED : DROP_IPV6_SCOPE;
	return reason;
}

void stage_address(struct burst *b, struct worker *w)
{
	if (b->ipv6)
		address6(b, w);
	else
		address4(b, w->snapshot);
}
