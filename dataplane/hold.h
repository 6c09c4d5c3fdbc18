/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that wait for a neighbour's MAC: a few a next hop, in a place of
 * fixed size, in their order. Held by the worker that received them; with every new
 * snapshot they are looked up again, and go on, stay, or end as neighbour-unresolved.
 * All functions: the worker's thread.
 */
#ifndef NAPD_HOLD_H
#define NAPD_HOLD_H

#include "burst.h"

#define HOLD_PACKETS  1024 /* a worker */
#define HOLD_NEXTHOPS 4096 /* counts, by hash: next hops of one hash share what one may have */
#define HOLD_EACH     8    /* a next hop */
/*
 * Destinations in connected subnets are anybody's to invent (RFC 6583), and one port may
 * send much: neither takes the room of others.
 */
#define HOLD_SUBNETS (HOLD_PACKETS / 4 * 3)
#define HOLD_PORT    (HOLD_PACKETS / 2)
/* Longer than control asks; by then it did not even know (too many are asked for). */
#define HOLD_NS UINT64_C(4000000000)

struct held {
	struct rte_mbuf *frame;
	const uint8_t *l3;
	uint64_t until_ns;
	uint32_t bytes, l3_bytes;
	uint16_t port, party;
	uint16_t nexthop; /* index into hold.load */
	bool ipv6, subnet;
};

struct hold {
	uint32_t count;   /* 0: everything below is at rest */
	uint32_t subnets; /* of them, for destinations in connected subnets */
	uint64_t publication;
	uint64_t look_ns;  /* when to look for those whose time is over */
	uint64_t until_ns; /* of packets held again, whose time goes on; 0: new ones */
	uint8_t load[HOLD_NEXTHOPS];
	struct held packet[HOLD_PACKETS]; /* in order of arrival */
	struct held again[HOLD_PACKETS];
};

/*
 * Hold packet i, whose next hop (index in the snapshot's table, subnet: whoever the
 * destination is) has no MAC yet. False: no room; the caller drops it. A packet
 * that is held has left the burst. Never in an offline worker, which waits for nothing.
 */
bool hold_packet(struct burst *b, uint32_t i, struct worker *w, uint32_t nexthop, bool subnet);

/* Are packets being looked up again? They have been asked for already. */
bool hold_is_resuming(const struct worker *w);

/* By a new snapshot, send the held packets on their way, before any that arrive now. */
void hold_resume(struct worker *w, const struct snapshot *snapshot);

/* Every round while packets are held: resume them, end those whose time is over. */
void hold_poll(struct worker *w);

/* The worker ends: what it still holds is dropped and counted. */
void hold_end(struct worker *w);

#endif
