/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replies that workers make by themselves: ICMP errors, echo, ARP and
 * neighbour discovery, and the exact judgement of the last two.
 *
 * Everything here runs on a worker's thread, never blocks, borrows its
 * arguments until it returns, keeps no state and allocates from the given pool
 * only. Replies are whole Ethernet frames without FCS, in one segment, ready
 * for the output queue of the port that the question came in by; they return
 * to the caller. NULL: no buffer was free, or it is too small for the reply.
 * Whether there is a token for a reply is the caller's business.
 */
#ifndef NAPD_ANSWER_H
#define NAPD_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "api/ask.h"
#include "api/catalogue.h"
#include "api/dataplane.h"
#include "api/snapshot.h"

/*
 * A frame as received, for those who answer it. Nobody has written into it,
 * its source MAC is a unicast one. All borrowed.
 */
struct received {
	struct rte_mbuf
		*frame;    /* may have several segments; its first 200 bytes lie in the first */
	const uint8_t *l2; /* rte_pktmbuf_mtod(frame) */
	const uint8_t *l3; /* first byte after EtherType and tag */
	uint32_t l3_bytes; /* from l3 on; for IP by its own length, Ethernet padding left out */
	const struct snapshot_port *port; /* ingress */
};

/* What to send to whoever sent a frame. */
enum answer {
	ANSWER_NONE,
	ANSWER_NO_ROUTE,   /* 3/0, 1/0 */
	ANSWER_PROHIBITED, /* 3/13, 1/1 */
	ANSWER_TTL,        /* 11/0, 3/0 */
	ANSWER_HOST,       /* 3/1, 1/3 */
	ANSWER_TOO_BIG,    /* 3/4 and the MTU, 2/0 and the MTU */
	ANSWER_PORT,       /* 3/3, 1/4 */
	ANSWER_ECHO,
	ANSWER_ARP,
	ANSWER_ND,
};

/*
 * Let dst, a fragment of or a reply to src, carry the number and time of src,
 * where both have a private area for them (an offline dataplane); its length
 * on the wire is its own.
 */
static inline void frame_inherit(struct rte_mbuf *dst, const struct rte_mbuf *src)
{
	const struct frame_origin *from = RTE_PTR_ADD(src, sizeof(*src));
	struct frame_origin *to = RTE_PTR_ADD(dst, sizeof(*dst));

	if (dst->priv_size < sizeof(*to) || src->priv_size < sizeof(*from))
		return;
	to->number = from->number;
	to->time_ns = from->time_ns;
	to->wire_bytes = rte_pktmbuf_pkt_len(dst);
}

/* ---- ICMP errors ---- */

/*
 * Whether an error may be sent about the packet at ip, of which bytes are
 * there: RFC 1812 4.3.2.7 and RFC 4443 2.4(e). Not about ICMP errors (nor ICMP
 * whose type is cut off), IPv4 fragments other than the first, packets from or
 * to unspecified, multicast or broadcast addresses. Of IPv6 extension headers
 * only the fragment header is looked through. Ask before taking a token.
 */
bool icmp_error_allowed4(const uint8_t *ip, uint32_t bytes);
bool icmp_error_allowed6(const uint8_t *ip, uint32_t bytes);

/*
 * The error that what (NO_ROUTE to PORT) stands for, about the packet in r,
 * from the port's error_source; mtu is used by ANSWER_TOO_BIG only. NULL also
 * when the error is not allowed, a frame for several (a group MAC) included.
 */
struct rte_mbuf *icmp_error4(const struct received *r, enum answer what, uint16_t mtu,
			     struct rte_mempool *pool);
struct rte_mbuf *icmp_error6(const struct received *r, enum answer what, uint16_t mtu,
			     struct rte_mempool *pool);

/* ---- echo ---- */

/*
 * Whether the packet in r, for an address of the exchange, is an echo request
 * to answer: directly after the IP header, whole (no fragment), code 0,
 * checksum right, not longer than the port's MTU. Reads the whole packet.
 */
bool echo_answerable4(const struct received *r);
bool echo_answerable6(const struct received *r);

/*
 * The reply to an answerable request, from the address that was asked; from
 * the port's error_source6 if that is the subnet-router anycast address of a
 * subnet of the port (RFC 4443 4.2). IPv4 options are not returned.
 */
struct rte_mbuf *echo_reply4(const struct received *r, struct rte_mempool *pool);
struct rte_mbuf *echo_reply6(const struct received *r, struct rte_mempool *pool);

/* ---- ARP ---- */

struct arp_verdict {
	enum reason reason; /* DROP_ARP_INVALID, DROP_ARP_OTHER or REASON_CONSUMED */
	enum answer answer; /* ANSWER_ARP: with conflict arp_announcement() of sender, else
			       arp_reply() */
	bool conflict;      /* sender is one of the port's own addresses */
	bool announcement;  /* consumed because a neighbour announces sender at sender_mac */
	rte_be32_t sender;  /* protocol address; not set if invalid */
	struct rte_ether_addr sender_mac; /* its hardware address, as it says; not set if invalid */
};

/* Judge an ARP packet. Padding may follow it. */
struct arp_verdict arp_judge(const struct received *r);

/* The reply to a request or probe for one of the port's own addresses. */
struct rte_mbuf *arp_reply(const struct received *r, struct rte_mempool *pool);

/* ---- neighbour discovery ---- */

struct nd_verdict {
	enum reason reason; /* REASON_NONE: a packet like any other; REASON_CONSUMED;
			       DROP_ND_FORBIDDEN; DROP_ND_INVALID */
	enum answer answer; /* ANSWER_ND: nd_advertisement() */
	bool conflict;      /* somebody else uses, or is about to, an address of the port */
	/* What a consumed packet says of a neighbour, for those who learn; else not set. */
	bool advertisement;  /* 136, else 135 */
	bool has_link_layer; /* link_layer is set: the source (135) or target (136) option */
	uint8_t flags;       /* of an advertisement: 0x80 router, 0x40 solicited, 0x20 override */
	struct rte_ether_addr link_layer;
	struct ipv6_key source; /* of the packet */
	struct ipv6_key target;
};

/*
 * Judge an IPv6 packet (40 bytes at least, source already found right) with
 * ICMPv6 133 to 137 directly after its header; others are packets like any
 * other. special6 are the exchange's own addresses.
 */
struct nd_verdict nd_judge(const struct received *r, const struct address_set *special6);

/* The answer to a solicitation that nd_judge() wants answered; to all nodes if it came from ::. */
struct rte_mbuf *nd_advertisement(const struct received *r, struct rte_mempool *pool);

#endif
