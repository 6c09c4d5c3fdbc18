/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small exchange made by hand for tests of the dataplane: three ports, their
 * neighbours, a few routes, and queues in memory that can be told to be full.
 *
 *   port 0 "pa"  device 0            198.51.100.1/24  2001:db8:a::1/64  mtu 1500
 *   port 1 "pb"  device 1            203.0.113.1/24   2001:db8:b::1/64  mtu 1500
 *   port 2 "pc"  device 1, VLAN 100  192.0.2.1/24     2001:db8:c::1/64  mtu 9000
 *
 * Neighbour n of a port has the address .10+n (::10+n) and the MAC
 * 02:00:00:00:PORT:n. Routes: see rig_routes in rig.c.
 */
#ifndef NAPD_RIG_H
#define NAPD_RIG_H

#include "worker.h"

#define RIG_PORTS     3
#define RIG_SENT_MAX  1024
#define RIG_BURST_MAX BURST_MAX

/* What a queue in memory took. */
struct rig_queue {
	struct rte_mbuf *frame[RIG_SENT_MAX];
	uint32_t n;
	uint32_t room; /* how many more it takes */
	bool busy;     /* somebody else has it */
};

/* 198.18.n.0/24 leads where: n = 0 pa, 1 pb, 2 pc, 3 unresolved, 4 the group, ... */
#define RIG_DST4(n) (0xc6120001u + ((n) << 8))
/* 2001:db8:n::/48: n = 1 pb, 2 pc, 3 the group */
#define RIG_DST6(n) ((struct ipv6_key){ 0x20010db800000000 + ((uint64_t)(n) << 16), 1 })

struct rig {
	struct dataplane *dp;
	struct worker *w;
	struct rte_mempool *pool;
	struct snapshot snapshot;
	struct snapshot_port port[RIG_PORTS];
	struct snapshot_device device[2];
	struct nexthop_table table;
	struct rig_queue queue[RIG_PORTS];
	/* what the next poll receives, and from which device */
	struct rte_mbuf *input[RIG_BURST_MAX];
	uint32_t input_count;
	/* what the hooks saw */
	unsigned int drops[REASON_COUNT], reports, samples, traced;
	unsigned int released; /* snapshots given back */
};

/* Leaves of the rig's table beyond the special ones. */
enum {
	RIG_LEAF_PA = LEAF_FIRST_FREE, /* neighbour 0 of pa */
	RIG_LEAF_PB,
	RIG_LEAF_PC,
	RIG_LEAF_UNRESOLVED, /* on pb */
	RIG_LEAF_DEFAULT,    /* neighbour 0 of pb, by a default route */
	RIG_NEXTHOPS,
	RIG_LEAF_GROUP = LEAF_GROUP, /* pa, pb and pc by turns */
};

/* Start it, offline. Ends the test program when it cannot. */
struct rig *rig_create(const struct hooks *hooks);
/* The same with the clock, the rings and the record of a live dataplane. */
struct rig *rig_create_live(void);
/* Live, with several workers: only the first has queues to send by, and is online. */
struct rig *rig_create_workers(unsigned int workers);
void rig_destroy(struct rig *rig);

/* A frame as wide as bytes, zeroed but for: Ethernet from neighbour 0 of in to in, tag, EtherType.
 */
struct rte_mbuf *rig_frame(struct rig *rig, uint16_t in, uint16_t ether_type, uint32_t l3_bytes);
uint8_t *rig_l3(struct rte_mbuf *frame);

/* A whole UDP packet from 198.19.0.5 (2001:db8:ff::5) to dst, TTL 64. */
struct rte_mbuf *rig_udp4(struct rig *rig, uint16_t in, uint32_t dst, uint32_t l3_bytes);
struct rte_mbuf *rig_udp6(struct rig *rig, uint16_t in, struct ipv6_key dst, uint32_t l3_bytes);
void rig_checksum4(uint8_t *ip);

/* Put a frame into the next burst. */
void rig_input(struct rig *rig, struct rte_mbuf *frame);
/* Receive that burst from device and forward it. */
void rig_poll(struct rig *rig, uint16_t device);
/* One frame in; what port out sent of it, or NULL. The rig keeps the frame. */
struct rte_mbuf *rig_forward(struct rig *rig, uint16_t in, struct rte_mbuf *frame, uint16_t out);
/* Free what the queues took. */
void rig_clear(struct rig *rig);

struct port_counters rig_counters(const struct rig *rig, uint16_t port);
/* received = forwarded + consumed + dropped + pending on every port, and what left is what was
 * counted. */
void rig_assert_conserved(const struct rig *rig);

#endif
