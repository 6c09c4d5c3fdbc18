/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The burst: up to 64 packets in columns, and the ways a packet leaves it.
 *
 * A stage loops over the columns and marks packets dead, with a reason; the
 * pipeline sweeps after every stage, so that stages never see dead packets and
 * no drop goes uncounted. No stage writes into a frame before rewrite.
 */
#ifndef NAPD_BURST_H
#define NAPD_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "answer/answer.h"
#include "api/dataplane.h"

/*
 * Sets of packets, bit i for packet i. A stage that learns something on its way leaves it
 * here for a later one, which then looks at few packets or at none.
 */
struct burst_sets {
	uint64_t ipv6, arp; /* by ethernet: what frames carry that are not IPv4 */
	uint64_t unproven;  /* by parse: header, address and option have to judge them */
	uint64_t last_hop;  /* by parse: TTL or hop limit of 0 or 1 */
	uint64_t special;   /* by local: their leaf is not a next hop to send to */
	uint64_t oversize;  /* by nexthop: longer than the MTU; from mtu on to be fragmented */
};

struct burst {
	uint32_t n;
	bool ipv6;  /* of a burst that STAGEs see: the family of all its packets */
	bool alike; /* frame stages only: untagged, the first one's MACs, all ARP or IP as sets.ipv6
		     */
	bool one_port; /* all came in by port[0], without a tag, from party[0] */
	uint16_t device;
	uint64_t dead; /* packets that leave at the next sweep */
	struct burst_sets sets;

	struct rte_mbuf *frame[BURST_MAX] __attribute__((aligned(64)));
	const uint8_t *l3[BURST_MAX]; /* IP or ARP header; NULL: the frame has no port */
	uint32_t bytes[BURST_MAX];    /* of the frame on the wire, for every counter */
	/* Bytes from l3 on as received; from stage header on the IP packet's own length. */
	uint32_t l3_bytes[BURST_MAX];
	uint16_t port[BURST_MAX];  /* ingress */
	uint16_t party[BURST_MAX]; /* whom it came from */
	uint8_t order[BURST_MAX];  /* place in the burst as received */

	/* Host order; of one family only, see ipv6. Filled by parse. */
	union {
		struct {
			uint32_t src4[BURST_MAX] __attribute__((aligned(64)));
			uint32_t dst4[BURST_MAX];
			/* bytes 8 to 11 of the header, TTL to checksum, as they leave */
			uint32_t ttl4[BURST_MAX];
		};
		struct {
			uint64_t src_hi[BURST_MAX] __attribute__((aligned(64)));
			uint64_t src_lo[BURST_MAX];
			uint64_t dst_hi[BURST_MAX];
			uint64_t dst_lo[BURST_MAX];
		};
	};
	/* of the destination, from local on; of IPv4 before that, and from parse on, its place */
	uint32_t leaf[BURST_MAX] __attribute__((aligned(64)));
	uint32_t nexthop[BURST_MAX]; /* from nexthop on */

	/* of dead packets */
	uint8_t reason[BURST_MAX]; /* enum reason */
	uint8_t answer[BURST_MAX]; /* enum answer */
	uint16_t answer_mtu[BURST_MAX];
};

/* Packet i is dropped; nobody is told. */
static inline void burst_drop(struct burst *b, uint32_t i, enum reason reason)
{
	b->dead |= UINT64_C(1) << i;
	b->reason[i] = reason;
	b->answer[i] = ANSWER_NONE;
}

/* Packet i is dropped (or consumed) and answered, as far as rules and rates allow. */
static inline void burst_answer(struct burst *b, uint32_t i, enum reason reason, enum answer answer)
{
	burst_drop(b, i, reason);
	b->answer[i] = answer;
}

/* Packet i is somebody else's from now on (see hold.h), who will account for it. */
static inline void burst_leave(struct burst *b, uint32_t i)
{
	burst_drop(b, i, REASON_NONE);
}

static inline bool burst_is_dead(const struct burst *b, uint32_t i)
{
	return b->dead >> i & 1;
}

/* The first n packets of a burst; n from 0 to 64. */
static inline uint64_t burst_first(uint32_t n)
{
	return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* One bit for each packet of b. */
static inline uint64_t burst_all(const struct burst *b)
{
	return burst_first(b->n);
}

/* Nothing is known of the packets that are about to be put into b. */
static inline void burst_reset(struct burst *b, bool ipv6)
{
	b->n = 0;
	b->ipv6 = ipv6;
	b->alike = false;
	b->one_port = false;
	b->dead = 0;
	b->sets = (struct burst_sets){ 0 };
}

/* Close the gaps: only the packets whose bits are set stay, in their order. pipeline.c */
void burst_keep(struct burst *b, uint64_t keep);

/* Packet i of b as its answerers want it. */
static inline struct received burst_received(const struct burst *b, uint32_t i,
					     const struct snapshot *snapshot)
{
	return (struct received){
		.frame = b->frame[i],
		.l2 = rte_pktmbuf_mtod(b->frame[i], const uint8_t *),
		.l3 = b->l3[i],
		.l3_bytes = b->l3_bytes[i],
		.port = &snapshot->port[b->port[i]],
	};
}

/* The two addresses of packet i of an IPv6 burst. */
static inline struct ipv6_key burst_src6(const struct burst *b, uint32_t i)
{
	return (struct ipv6_key){ b->src_hi[i], b->src_lo[i] };
}

static inline struct ipv6_key burst_dst6(const struct burst *b, uint32_t i)
{
	return (struct ipv6_key){ b->dst_hi[i], b->dst_lo[i] };
}

#endif
