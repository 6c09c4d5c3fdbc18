/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane as control sees it: workers and their queues, publication of
 * snapshots, and the hooks through which drops are shown.
 */
#ifndef NAPD_DATAPLANE_H
#define NAPD_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "counters.h"
#include "snapshot.h"

struct rte_mbuf;
struct rte_mempool;
struct dataplane;
struct worker;

#define WORKER_MAX 64
#define BURST_MAX  64

/*
 * Queues as workers see them. receive returns how many of at most n frames it
 * gave; transmit how many it took (those belong to it from then on). Live they are
 * ethdev queues; replay, tests and fuzzers bring their own.
 */
typedef uint16_t (*receive_fn)(void *arg, struct rte_mbuf **frame, uint16_t n);
typedef uint16_t (*transmit_fn)(void *arg, struct rte_mbuf **frame, uint16_t n);

/* What transmit says when somebody else holds the queue: the frames wait one loop. */
#define TRANSMIT_BUSY UINT16_MAX

struct rxq {
	receive_fn receive;
	void *arg;
	uint16_t device; /* whose tags decide the port */
};

struct txq {
	transmit_fn transmit;
	void *arg;
};

/*
 * Travels in the private area of every mbuf of an offline dataplane, and is
 * inherited by fragments and replies.
 */
struct frame_origin {
	uint64_t number;     /* of the input frame, in merged order */
	uint64_t time_ns;    /* its timestamp; the clock of every rate limit */
	uint32_t wire_bytes; /* length on the wire, more than the mbuf holds when cut by the capture
			      */
};

/* What the sweep knows of a packet that was dropped; borrowed until the hook returns. */
struct drop_event {
	struct rte_mbuf *frame; /* as received (tx-full: as it would have left) */
	uint16_t port;          /* ingress */
	enum reason reason;
	uint32_t bytes; /* of the frame on the wire */
};

/* What a stage did with a packet, for those who trace. */
struct trace_event {
	struct rte_mbuf *frame;
	uint16_t port;      /* ingress */
	const char *stage;  /* name in pipeline.def */
	enum reason reason; /* REASON_NONE: it goes on */
};

/* A forwarded packet as received, and where it goes. */
struct sample_event {
	struct rte_mbuf *frame;
	uint16_t port; /* ingress */
	uint32_t bytes;
	const struct nexthop *nexthop;
};

/* Observers of a worker, called on its thread; they must not block. NULL: nobody looks. */
struct hooks {
	void *ctx;
	void (*drop)(void *ctx, const struct drop_event *event);
	/* source-check in report mode: forwarded all the same */
	void (*report)(void *ctx, const struct drop_event *event);
	/* every packet after every stage */
	void (*trace)(void *ctx, const struct trace_event *event);
	/* one forwarded packet in sample_interval */
	void (*sample)(void *ctx, const struct sample_event *event);
	uint32_t sample_interval;
};

struct dataplane_config {
	unsigned int workers;
	bool offline;             /* mbufs carry struct frame_origin, whose time is the clock */
	uint16_t parties;         /* how many parties the matrix can hold */
	uint16_t transmit_queues; /* how many txq each worker may have */
	const int16_t
		*node; /* [workers], NUMA node of each, -1: unknown; NULL: all are. Borrowed */
	struct hooks hooks;
};

/* Returns to the caller, or NULL with errno. EAL must be initialised. Control thread. */
struct dataplane *dataplane_create(const struct dataplane_config *config);
/* Takes dp; no worker may run any more. Releases every snapshot. */
void dataplane_destroy(struct dataplane *dp);

/* Worker number i of dp. */
struct worker *dataplane_worker(struct dataplane *dp, unsigned int i);

/* ---- setting a worker up; before it runs, or while it is stopped ---- */

/* Where the worker takes buffers for fragments and replies. Borrows for the worker's life. */
void worker_set_pool(struct worker *w, struct rte_mempool *pool);
/* The worker's queue towards a port. Ports may share a queue: same index, and then the same txq. */
void worker_set_transmit(struct worker *w, uint16_t port, uint16_t queue, struct txq txq);

/* ---- running; on the worker's thread ---- */

/* Receive one burst from q, forward it, hand everything to the output queues. Returns frames
 * received. */
unsigned int worker_poll(struct worker *w, const struct rxq *q);

/* QSBR: a worker that sleeps or ends goes offline; worker_poll() reports quiescence by itself. */
void worker_online(struct worker *w);
void worker_offline(struct worker *w);

/* ---- publication; control thread ---- */

/*
 * Make a snapshot the one that all workers forward by.
 *
 * Takes next. A worker finishes the burst in its hands under the previous
 * snapshot, which retires and is released by a later snapshot_reclaim(), once
 * every worker has moved on.
 *
 * Control thread only; never blocks, never fails. A worker pays one load
 * per burst.
 */
void snapshot_publish(struct dataplane *dp, struct snapshot *next);

/* Release what every worker has left behind. Returns how many still wait. Never blocks. */
unsigned int snapshot_reclaim(struct dataplane *dp);

/* The link word of a port, the one value written in place. Up at the start. */
void dataplane_set_link(struct dataplane *dp, uint16_t port, bool up);
bool dataplane_link(const struct dataplane *dp, uint16_t port);

#endif
