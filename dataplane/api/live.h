/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a live dataplane adds to an offline one: workers that run by themselves,
 * the rings between them and control, and the record of the last drops.
 */
#ifndef NAPD_LIVE_H
#define NAPD_LIVE_H

#include <rte_ether.h>

#include "dataplane.h"

/* ---- the worker's loop ---- */

/* What came through one receive queue; its worker writes, anybody reads. */
struct queue_load {
	uint64_t received; /* frames */
} __attribute__((aligned(64)));

/*
 * A receive queue that a worker polls. One that another worker had is not touched
 * before that one has taken up its own queues of the generation `after`, has sent all that it
 * held, and with it whatever it received from this queue. after 0: at once.
 */
struct polled_queue {
	struct rxq rxq;
	struct queue_load *load; /* NULL: nobody wants to know */
	uint64_t after;
	unsigned int after_worker;
};

/* The queues a worker polls, in order. Immutable once given. */
struct worker_queues {
	struct retiree retiree; /* publish.c */
	uint64_t generation;    /* from 1 on, larger than that of what it replaces */
	uint32_t count;
	struct polled_queue queue[];
};

/*
 * Give a worker the queues to poll. Takes next (from malloc; NULL: none); what it
 * had before is freed by a later snapshot_reclaim(), when the worker does not read it
 * any more. Control thread; never blocks.
 */
void worker_set_queues(struct worker *w, struct worker_queues *next);

/*
 * The generation of queues that a worker polls and before which it holds nothing: all that it
 * received from queues of earlier ones has been sent. Any thread.
 */
uint64_t worker_settled(const struct worker *w);

/*
 * Poll until worker_stop(). adaptive: rest while there is nothing to do, first with
 * pauses, then asleep for at most 100 us at a time. Runs on the worker's thread;
 * returns 0. A worker that rests is offline for publication.
 */
int worker_run(struct worker *w, bool adaptive);
/* Ask it to end; it does within a burst. Any thread. */
void worker_stop(struct worker *w);

/* How a worker spends its time. Any thread. */
struct worker_load {
	uint64_t busy_ns;    /* in bursts that received something */
	uint64_t loops;      /* grows while the worker is alive */
	uint64_t received;   /* frames */
	uint64_t punts_lost; /* events that found no token or no room */
};
struct worker_load worker_load(const struct worker *w);

/* How long the packets of a worker were in a stage, and how many there were. */
struct stage_time {
	const char *name;
	uint64_t packets; /* 0 for "queue in", whose polls mostly find nothing */
	uint64_t time_ns;
};

/*
 * The stages of a worker in order, at most n. Returns how many; 0 unless napd was built
 * with -Dstages=true, for whoever measures. Any thread.
 */
unsigned int worker_stages(const struct worker *w, struct stage_time *list, unsigned int n);

/* ---- punt: what workers tell control ---- */

enum punt_kind {
	PUNT_RESOLVE,  /* traffic for a neighbour whose MAC is not known; port is where it is */
	PUNT_LEARN,    /* a neighbour said its MAC: ARP or neighbour discovery on port */
	PUNT_CONFLICT, /* somebody uses an address of the port */
	PUNT_KINDS
};

struct punt {
	uint8_t kind; /* enum punt_kind */
	bool ipv6;
	bool solicited; /* LEARN: in answer to a question (ARP reply, solicited advertisement) */
	bool override;  /* LEARN: replaces what was known (not a tentative advertisement) */
	uint16_t port;
	struct rte_ether_addr mac; /* LEARN, CONFLICT */
	uint32_t nexthop; /* RESOLVE: of this table; its gateway is meant unless it is a connected
			     subnet's */
	struct ipv6_key address; /* LEARN: the neighbour's; RESOLVE: the packet's destination */
};

/* Take at most n events of worker i. Returns how many. Control thread. */
unsigned int punt_receive(struct dataplane *dp, unsigned int worker, struct punt *list,
			  unsigned int n);

/* ---- punt: frames for the host, which a port's TAP accepts ---- */

/*
 * Each class has a bucket a port and a ring a worker, so that a flood of one starves
 * neither the others nor other ports (RFC 6192). ARP and neighbour discovery never come this
 * way: workers answer them, and what they say are events above.
 */
enum punt_class {
	PUNT_ROUTING, /* BGP and BFD */
	PUNT_ICMP,
	PUNT_REST,
	PUNT_CLASSES
};

/* An IP packet as received, counted as consumed by the time control has it. */
struct punt_frame {
	struct rte_mbuf *frame; /* maybe of several segments */
	uint16_t port;          /* ingress */
	uint16_t l3_offset;     /* where the packet begins */
	uint16_t l3_bytes;      /* its own length, padding left out */
	bool ipv6;
};

/*
 * Take at most n frames of a class from a worker, in their order. Returns how many;
 * the frames return to the caller. Control thread.
 */
unsigned int punt_receive_frames(struct dataplane *dp, unsigned int worker, enum punt_class which,
				 struct punt_frame *list, unsigned int n);

/* ---- inject: what control sends through workers ---- */

/*
 * Have a worker send a frame by a port, as traffic originated here, before any transit
 * of its next round; while the device has no room it is tried again for some milliseconds.
 * Takes frame when it returns 0; -ENOBUFS when the ring is full. Control thread.
 */
int inject(struct dataplane *dp, unsigned int worker, uint16_t port, struct rte_mbuf *frame);

/* ---- the last drops ---- */

#define DROP_RECORDS 32 /* a port and worker */

/* A dropped frame in short. Fields that it does not have are 0. */
struct drop_record {
	uint64_t time_ns; /* CLOCK_REALTIME-free: rte_rdtsc based, see dataplane_now_ns() */
	uint32_t bytes;
	uint16_t ether_type;
	uint16_t vlan;  /* tag's VID, 0 without */
	uint8_t reason; /* enum reason */
	uint8_t protocol;
	uint8_t ttl;
	bool has_addresses;
	struct rte_ether_addr source_mac, destination_mac;
	struct ipv6_key source, destination; /* IPv4 in the top 32 bits of hi */
	uint16_t source_port, destination_port;
};

/*
 * The last drops of a port over all workers, newest first, at most n. Entries
 * that a worker is just writing are left out. Any thread.
 */
unsigned int drop_records(const struct dataplane *dp, uint16_t port, struct drop_record *list,
			  unsigned int n);

/* The clock of workers: nanoseconds since some start, by the TSC. Any thread. */
uint64_t dataplane_now_ns(const struct dataplane *dp);

#endif
