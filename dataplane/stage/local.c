// SPDX-License-Identifier: BSD-3-Clause
/* Stage local: looks destinations up; packets for the exchange itself end here. */
#include "bytes.h"
#include "fib4.h"
#include "ipv6.h"
#include "punt.h"
#include "worker.h"

enum {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMPV6 = 58,
	PORT_BGP = 179,
};

/* What local delivery needs to know of a packet. */
struct local_packet {
	uint8_t protocol;
	bool fragment;
	bool has_ports;
	uint16_t source_port, destination_port;
};

static struct local_packet local_parse(const struct burst *b, uint32_t i)
{
	const uint8_t *ip = b->l3[i];
	struct local_packet p = { .protocol = b->ipv6 ? ip[6] : ip[9] };
	const uint32_t header = b->ipv6 ? 40 : (ip[0] & 0xf) * 4u;

	p.fragment = !b->ipv6 && load_be16(ip + 6) & 0x3fff;
	if ((p.protocol == PROTOCOL_TCP || p.protocol == PROTOCOL_UDP) && !p.fragment &&
	    b->l3_bytes[i] >= header + 4) {
		p.has_ports = true;
		p.source_port = load_be16(ip + header);
		p.destination_port = load_be16(ip + header + 2);
	}
	return p;
}

/* Single hop, multihop, micro (RFC 5881, 5883, 7130) and the echo function of BFD. */
static bool is_bfd_port(uint16_t port)
{
	return port == 3784 || port == 3785 || port == 4784 || port == 6784;
}

static bool is_icmp(const struct local_packet *p)
{
	return p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
}

static bool is_bgp(const struct local_packet *p)
{
	return p->has_ports && p->protocol == PROTOCOL_TCP &&
	       (p->source_port == PORT_BGP || p->destination_port == PORT_BGP);
}

static bool is_bfd(const struct local_packet *p)
{
	return p->has_ports && p->protocol == PROTOCOL_UDP && is_bfd_port(p->destination_port);
}

static bool tap_accepts(const struct snapshot_port *port, const struct local_packet *p)
{
	if (port->tap_accept & TAP_ACCEPT_ALL)
		return true;
	return (port->tap_accept & TAP_ACCEPT_ICMP && is_icmp(p)) ||
	       (port->tap_accept & TAP_ACCEPT_BGP && is_bgp(p)) ||
	       (port->tap_accept & TAP_ACCEPT_BFD && is_bfd(p));
}

static enum punt_class punt_class(const struct local_packet *p)
{
	if (is_bgp(p) || is_bfd(p))
		return PUNT_ROUTING;
	return is_icmp(p) ? PUNT_ICMP : PUNT_REST;
}

static void deliver(struct burst *b, uint32_t i, struct worker *w)
{
	const struct received r = burst_received(b, i, w->snapshot);
	const struct local_packet p = local_parse(b, i);

	if (b->ipv6 ? echo_answerable6(&r) : echo_answerable4(&r))
		burst_answer(b, i, REASON_CONSUMED, ANSWER_ECHO);
	else if (tap_accepts(r.port, &p))
		punt_packet(b, i, w, punt_class(&p));
	else if (p.protocol == PROTOCOL_UDP && !p.fragment)
		burst_answer(b, i, DROP_LOCAL_UNWANTED, ANSWER_PORT);
	else
		burst_drop(b, i, DROP_LOCAL_UNWANTED);
}

/* Packets whose leaf is one of the reserved. */
static uint64_t special_leaves(const struct burst *b)
{
	uint32_t any = 0;
	uint64_t special = 0;

	for (uint32_t i = 0; i < b->n; i++)
		any |= b->leaf[i] < LEAF_FIRST_FREE;
	if (likely(!any))
		return 0;
	for (uint32_t i = 0; i < b->n; i++)
		special |= (uint64_t)(b->leaf[i] < LEAF_FIRST_FREE) << i;
	return special;
}

void stage_local(struct burst *b, struct worker *w)
{
	const struct snapshot *s = w->snapshot;

	if (b->ipv6)
		fib6_lookup(s->fib6, b->dst_hi, b->dst_lo, b->leaf, b->n);
	else
		fib4_take(s->fib4, b->dst4, b->leaf, b->n);
	b->sets.special = special_leaves(b);
	/* an address that parse has proven is global */
	for (uint64_t judge = b->sets.special | b->sets.unproven; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		/* link-local destinations that came this far are the port's own, whatever routes
		 * say */
		const bool link_local = b->ipv6 && ipv6_is_link_local(burst_dst6(b, i));

		if (unlikely(b->leaf[i] == LEAF_LOCAL || link_local))
			deliver(b, i, w);
	}
}
