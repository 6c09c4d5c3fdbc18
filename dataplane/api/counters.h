/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters: one writer (a worker) each, 64 bits, never reset; readers sum over
 * the workers with relaxed loads. Bytes are of Ethernet frames without FCS.
 */
#ifndef NAPD_COUNTERS_H
#define NAPD_COUNTERS_H

#include <stdint.h>

#include "catalogue.h"

struct tally {
	uint64_t packets;
	uint64_t bytes;
};

/*
 * Of one port. Ingress: received = forwarded + consumed + sum of drop (+ what
 * waits in a ring or for a neighbour, live). Egress: transmitted = what the
 * device took: forwarded packets and fragments, strays and originated ones.
 */
struct port_counters {
	struct tally received;    /* by ingress port */
	struct tally forwarded;   /* by ingress port, bytes as received */
	struct tally consumed;    /* by ingress port */
	struct tally transmitted; /* by output port, bytes as sent */
	struct tally originated;  /* by output port: ICMP, ARP, ND replies that the device took */
	struct tally unsent;      /* by output port: replies that the device refused */
	struct tally stray;       /* by output port: fragments sent of a packet that then failed */
	struct tally fragments;   /* by output port: fragments beyond each packet's first */
	struct tally reported;    /* by ingress port: source-check in report mode, forwarded */
	uint64_t arp_conflicts;   /* somebody else uses an address of this port (IPv4 or IPv6) */
	uint64_t answers_limited; /* ICMP replies withheld by the port's token buckets */
	uint64_t
		pending; /* by ingress port: packets that wait for a neighbour now; goes down too */
	struct tally drop[REASON_COUNT];        /* by ingress port */
	struct tally egress_drop[REASON_COUNT]; /* by output port: tx-full, egress-policed,
						   link-down again */
} __attribute__((aligned(64)));

/* One cell of the member-to-member matrix: forwarded packets, bytes as received. */
struct matrix_cell {
	uint64_t packets;
	uint64_t bytes;
};

struct dataplane;

/* Sum of one port's counters over all workers. Any thread. */
void counters_port(const struct dataplane *dp, uint16_t port, struct port_counters *sum);

/* Sum of one cell over all workers; in and out are parties, ipv6 0 or 1. Any thread. */
struct matrix_cell counters_matrix(const struct dataplane *dp, uint16_t in, uint16_t out, int ipv6);

#endif
