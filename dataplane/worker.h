/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's private state. One core writes it; others read nothing of it but
 * the counters.
 */
#ifndef NAPD_WORKER_H
#define NAPD_WORKER_H

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "api/live.h"
#include "burst.h"
#include "record.h"
#include "stage_clock.h"

/* Transmission waits here until the burst is done: the frames of one queue and what to count. */
#define TRANSMIT_MAX 256

/*
 * Frames of a queue that follow one another and are counted together. Where they are several, each
 * has as many bytes as received. in_port PORT_NONE: originated here.
 */
struct transmit_run {
	uint32_t cell; /* of the matrix */
	uint16_t in_port, out_port;
	uint32_t frames;
	uint32_t rx_bytes, tx_bytes; /* of all of them: as received, as sent */
};

struct transmit_queue {
	struct txq txq;
	uint64_t bit;     /* its own of worker.active */
	uint32_t n, runs; /* in use of frame and run */
	/*
	 * Between two bursts at most TRANSMIT_MAX are taken, so that a burst needs not ask; 8 more
	 * that vectors write in vain.
	 */
	struct rte_mbuf *frame[TRANSMIT_MAX + BURST_MAX + 8];
	struct transmit_run run[TRANSMIT_MAX + BURST_MAX];
} __attribute__((aligned(64)));

/* A packet that left the pipeline and may be answered, kept until the burst is done. */
struct pending_answer {
	struct rte_mbuf *frame;
	const uint8_t *l3;
	uint32_t l3_bytes;
	uint16_t port;
	uint16_t mtu;
	uint8_t answer; /* enum answer */
	uint8_t order;
	bool ipv6;
};

/* The token buckets of one port; parameters come from the snapshot. */
struct port_meters {
	uint32_t generation; /* of the parameters they were filled for; 0: never */
	struct rte_meter_srtcm ingress, egress, icmp_too_big, icmp_error, icmp_echo, defence;
};

struct worker {
	struct dataplane *dp;
	unsigned int index;
	int16_t node;                    /* NUMA node, -1: unknown */
	const struct snapshot *snapshot; /* of the burst in hand */
	uint64_t now_ns;                 /* of the burst in hand, live */
	struct rte_mempool *pool;

	struct port_counters *counters; /* [PORT_MAX] */
	struct matrix_cell *matrix;     /* [family][in << party_bits | out] */
	uint8_t party_bits;
	struct port_meters *meters; /* [PORT_MAX] */

	struct transmit_queue *queue; /* [queues] */
	uint64_t active;              /* bit i: queues i, i + 64, ... may hold frames */
	struct transmit_queue *port_queue[PORT_MAX];

	/* live only: see live.h */
	struct worker_queues *queues; /* control writes, the worker loads once a loop */
	bool stop;                    /* control writes */
	struct rte_ring *punt, *inject;
	struct meter punt_meter[PUNT_KINDS];
	struct rte_meter_srtcm punt_bucket[PUNT_KINDS];
	struct punt_lanes *lanes; /* punt.c: frames for the host */
	struct worker_load load;
	struct record_ring *records; /* [PORT_MAX] */
	struct hold *hold;

	/* generation of queues, see worker_settled(): other workers wait for it, so it has a line
	 * of its own, and is written only when it changes */
	uint64_t settled __attribute__((aligned(64)));

	uint32_t sample_countdown __attribute__((aligned(64)));
	unsigned int answer_count;
	struct pending_answer answers[BURST_MAX];
#ifdef NAPD_STAGES
	struct stage_clock stage[STAGE_IDS];
#endif
	struct burst arrival, ip[2]; /* ip[0] IPv4, ip[1] IPv6 */
} __attribute__((aligned(64)));

struct dataplane {
	struct dataplane_config config;
	const struct snapshot *snapshot; /* control writes, workers load once a burst */
	uint8_t *link_down;              /* [PORT_MAX]: control writes, workers read */
	uint32_t links_down;             /* how many of them: 0 spares the look */
	struct rte_rcu_qsbr *qsbr;
	struct retiree *retired; /* oldest first; control's */
	uint64_t publications;   /* control's */
	struct meter defence;    /* announcements against conflicts, of each port */
	uint64_t tsc_hz;
	unsigned int worker_count;
	struct worker *worker[WORKER_MAX];
};

/* Add to a counter that only this worker writes and others read at any time. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void tally_add(struct tally *tally, uint64_t packets, uint64_t bytes)
{
	counter_add(&tally->packets, packets);
	counter_add(&tally->bytes, bytes);
}

/* Where and when an offline frame came from. */
static inline struct frame_origin *frame_origin(struct rte_mbuf *frame)
{
	return rte_mbuf_to_priv(frame);
}

/* The time by which this frame's rate limits go, in nanoseconds. */
static inline uint64_t frame_time(const struct worker *w, struct rte_mbuf *frame)
{
	return w->dp->config.offline ? frame_origin(frame)->time_ns : w->now_ns;
}

/* The token buckets of a port, filled anew when their parameters changed. */
struct port_meters *worker_meters(struct worker *w, uint16_t port, uint64_t now_ns);

/* Take n tokens if they are there. A meter that is not enabled says no_limit. */
bool meter_take(struct rte_meter_srtcm *bucket, const struct meter *meter, uint64_t now_ns,
		uint32_t n, bool no_limit);

/* Count and tell of a drop that is not swept out of a burst (transmission). */
void worker_count_drop(struct worker *w, const struct drop_event *event);

/*
 * Queue the one frame of a run for its port; the worker's queue takes it. There is room for
 * the frames of one burst and the answers to them, BURST_MAX in all, until transmit_flush().
 * Returns the queue's bit of worker.active, for the caller to set: a register does for a burst.
 */
static inline __attribute__((always_inline)) uint64_t transmit(
	struct transmit_queue *const *port_queue, struct rte_mbuf *frame, struct transmit_run run)
{
	struct transmit_queue *q = port_queue[run.out_port];

	q->frame[q->n++] = frame;
	q->run[q->runs++] = run;
	return q->bit;
}

/* tx.c: hand what one queue, or every one, holds to its device. */
void transmit_flush_queue(struct worker *w, struct transmit_queue *q);
void transmit_flush(struct worker *w);

/* answer.c: make and send the replies of this burst, in the order of arrival. */
void answers_send(struct worker *w);

/* Receive one burst from a queue, forward it, hand it to the outputs. Returns frames received. */
unsigned int worker_receive(struct worker *w, const struct rxq *q);

/* publish.c: have what was just replaced released once no worker reads it. Control thread. */
void retire(struct dataplane *dp, struct retiree *what, void (*release)(struct retiree *));

/* Run the arrived frames in w->arrival through the whole path. */
void pipeline_run(struct worker *w);

/*
 * Run packets of one family that were held (columns of frames, no addresses) on: they are
 * looked up anew, by w->snapshot, and sent or dropped; checks that they have passed are not
 * repeated.
 */
void pipeline_resume(struct burst *b, struct worker *w);

/* The index of a matrix cell. */
static inline uint32_t matrix_index(uint8_t party_bits, uint16_t in, uint16_t out, bool ipv6)
{
	return ((uint32_t)ipv6 << party_bits | in) << party_bits | out;
}

/* stage/ */
#define FRAME_STAGE(name, text) void stage_##name(struct burst *b, struct worker *w);
#define STAGE(name, text)       void stage_##name(struct burst *b, struct worker *w);
#include "pipeline.def"

#endif
