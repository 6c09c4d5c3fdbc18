// SPDX-License-Identifier: BSD-3-Clause
/*
 * The rings between workers and control: events and frames for the host up, frames to send down;
 * one producer and one consumer each.
 */
#include "punt.h"

#include <errno.h>

#include "mapped.h"
#include "worker.h"

#define PUNT_RING   1024
#define INJECT_RING 1024

/* A class may not starve another: each has a bucket before the ring (RFC 6192). */
static const struct {
	uint64_t rate, burst;
} punt_rates[PUNT_KINDS] = {
	[PUNT_RESOLVE] = { 10000, 500 },
	[PUNT_LEARN] = { 10000, 500 },
	[PUNT_CONFLICT] = { 10, 10 },
};

/* Of frames for the host: a port's bucket, and the ring between worker and control. */
static const struct {
	uint64_t rate, burst;
	unsigned int ring;
} lane_sizes[PUNT_CLASSES] = {
	[PUNT_ROUTING] = { 20000, 1000, 1024 },
	[PUNT_ICMP] = { 1000, 200, 256 },
	[PUNT_REST] = { 1000, 200, 256 },
};

#define INJECT_WAITING     64
#define INJECT_PATIENCE_NS UINT64_C(10000000)

struct inject {
	struct rte_mbuf *frame;
	uint64_t port;
};

/* A frame that control wants sent, while its device has no room. */
struct injected {
	struct rte_mbuf *frame;
	uint64_t until_ns;
	uint16_t port;
};

struct punt_lanes {
	struct rte_ring *ring[PUNT_CLASSES]; /* of struct punt_frame */
	struct meter meter[PUNT_CLASSES];
	unsigned int waiting_count;
	struct injected waiting[INJECT_WAITING];
	struct rte_meter_srtcm bucket[PORT_MAX][PUNT_CLASSES];
};

static struct rte_ring *ring_create(const struct worker *w, const char *what, unsigned int which,
				    unsigned int bytes, unsigned int count)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s%u-%p-%u", what, which, (void *)w->dp, w->index);
	return rte_ring_create_elem(name, bytes, count, SOCKET_ID_ANY,
				    RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int punt_create(struct worker *w)
{
	bool whole = true;

	for (unsigned int kind = 0; kind < PUNT_KINDS; kind++)
		meter_init(&w->punt_meter[kind], punt_rates[kind].rate, punt_rates[kind].burst);
	w->punt = ring_create(w, "punt", 0, sizeof(struct punt), PUNT_RING);
	w->inject = ring_create(w, "inject", 0, sizeof(struct inject), INJECT_RING);
	w->lanes = map_alloc(sizeof(*w->lanes), w->node);
	for (unsigned int i = 0; w->lanes && i < PUNT_CLASSES; i++) {
		meter_init(&w->lanes->meter[i], lane_sizes[i].rate, lane_sizes[i].burst);
		w->lanes->ring[i] =
			ring_create(w, "lane", i, sizeof(struct punt_frame), lane_sizes[i].ring);
		whole &= w->lanes->ring[i] != NULL;
	}
	return w->punt && w->inject && w->lanes && whole ? 0 : -ENOMEM;
}

static void lanes_destroy(struct punt_lanes *lanes)
{
	struct punt_frame waiting;

	for (unsigned int i = 0; i < PUNT_CLASSES; i++) {
		while (lanes->ring[i] &&
		       rte_ring_sc_dequeue_elem(lanes->ring[i], &waiting, sizeof(waiting)) == 0)
			rte_pktmbuf_free(waiting.frame);
		rte_ring_free(lanes->ring[i]);
	}
	for (unsigned int i = 0; i < lanes->waiting_count; i++)
		rte_pktmbuf_free(lanes->waiting[i].frame);
	map_free(lanes, sizeof(*lanes));
}

void punt_destroy(struct worker *w)
{
	struct inject waiting;

	while (w->inject && rte_ring_sc_dequeue_elem(w->inject, &waiting, sizeof(waiting)) == 0)
		rte_pktmbuf_free(waiting.frame);
	rte_ring_free(w->inject);
	rte_ring_free(w->punt);
	if (w->lanes)
		lanes_destroy(w->lanes);
}

/* ---- what workers tell ---- */

/* A token of a bucket that is full when it is first asked. */
static bool bucket_take(const struct worker *w, struct rte_meter_srtcm *bucket,
			const struct meter *meter)
{
	if (!bucket->time)
		*bucket = (struct rte_meter_srtcm){ w->now_ns, meter->profile.cbs, 0 };
	return meter_take(bucket, meter, w->now_ns, 1, true);
}

void punt_send(struct worker *w, const struct punt *punt)
{
	if (!w->punt)
		return;
	if (!bucket_take(w, &w->punt_bucket[punt->kind], &w->punt_meter[punt->kind]) ||
	    rte_ring_sp_enqueue_elem(w->punt, (void *)(uintptr_t)punt, sizeof(*punt)) != 0)
		counter_add(&w->load.punts_lost, 1);
}

unsigned int punt_receive(struct dataplane *dp, unsigned int worker, struct punt *list,
			  unsigned int n)
{
	struct worker *w = dataplane_worker(dp, worker);

	if (!w || !w->punt)
		return 0;
	return rte_ring_sc_dequeue_burst_elem(w->punt, list, sizeof(*list), n, NULL);
}

/* ---- frames for the host ---- */

void punt_packet(struct burst *b, uint32_t i, struct worker *w, enum punt_class which)
{
	const uint16_t port = b->port[i];
	struct punt_lanes *lanes = w->lanes;
	struct punt_frame item = {
		.frame = b->frame[i],
		.port = port,
		.l3_offset = b->l3[i] - rte_pktmbuf_mtod(b->frame[i], const uint8_t *),
		.l3_bytes = RTE_MIN(b->l3_bytes[i], (uint32_t)UINT16_MAX),
		.ipv6 = b->ipv6,
	};

	if (!lanes) {
		burst_drop(b, i, REASON_CONSUMED);
		return;
	}
	if (!bucket_take(w, &lanes->bucket[port][which], &lanes->meter[which])) {
		burst_drop(b, i, DROP_PUNT_POLICED);
		return;
	}
	if (rte_ring_full(lanes->ring[which])) {
		burst_drop(b, i, DROP_PUNT_FULL);
		return;
	}
	/* counted first: control frees the frame at any time after */
	tally_add(&w->counters[port].consumed, 1, b->bytes[i]);
	rte_ring_sp_enqueue_elem(lanes->ring[which], &item, sizeof(item));
	burst_leave(b, i);
}

unsigned int punt_receive_frames(struct dataplane *dp, unsigned int worker, enum punt_class which,
				 struct punt_frame *list, unsigned int n)
{
	struct worker *w = dataplane_worker(dp, worker);

	if (!w || !w->lanes)
		return 0;
	return rte_ring_sc_dequeue_burst_elem(w->lanes->ring[which], list, sizeof(*list), n, NULL);
}

int inject(struct dataplane *dp, unsigned int worker, uint16_t port, struct rte_mbuf *frame)
{
	struct worker *w = dataplane_worker(dp, worker);
	struct inject item = { frame, port };

	if (!w || !w->inject || port >= PORT_MAX)
		return -EINVAL;
	return rte_ring_sp_enqueue_elem(w->inject, &item, sizeof(item));
}

/* ---- what control sends ---- */

static void injected_unsent(struct worker *w, const struct injected *item)
{
	tally_add(&w->counters[item->port].unsent, 1, rte_pktmbuf_pkt_len(item->frame));
	rte_pktmbuf_free(item->frame);
}

/* Frames of one port straight to its queue. Returns how many it took. */
static unsigned int injected_transmit(struct worker *w, const struct injected *item, unsigned int n)
{
	const struct txq *q = &w->port_queue[item->port]->txq;
	struct port_counters *out = &w->counters[item->port];
	struct rte_mbuf *frame[INJECT_WAITING];
	uint32_t bytes[INJECT_WAITING];
	uint16_t sent;

	for (unsigned int i = 0; i < n; i++) {
		frame[i] = item[i].frame;
		bytes[i] = rte_pktmbuf_pkt_len(item[i].frame); /* theirs once sent */
	}
	sent = q->transmit(q->arg, frame, n);
	if (sent == TRANSMIT_BUSY)
		return 0;
	for (unsigned int i = 0; i < sent; i++) {
		tally_add(&out->transmitted, 1, bytes[i]);
		tally_add(&out->originated, 1, bytes[i]);
	}
	return sent;
}

static bool waits_for_port(const struct injected *waiting, unsigned int n, uint16_t port)
{
	for (unsigned int i = 0; i < n; i++)
		if (waiting[i].port == port)
			return true;
	return false;
}

/* What waited already, and what is new. */
static unsigned int injected_list(struct worker *w, struct injected *list)
{
	struct inject item[INJECT_WAITING];
	unsigned int n = w->lanes->waiting_count, new;

	memcpy(list, w->lanes->waiting, n * sizeof(*list));
	new = rte_ring_sc_dequeue_burst_elem(w->inject, item, sizeof(item[0]), INJECT_WAITING - n,
					     NULL);
	for (unsigned int i = 0; i < new; i++)
		list[n++] = (struct injected){ item[i].frame, w->now_ns + INJECT_PATIENCE_NS,
					       item[i].port };
	return n;
}

/* A port's frames keep their order, and one port's full queue holds up no other's. */
void inject_send(struct worker *w)
{
	struct injected list[INJECT_WAITING], *waiting = w->lanes->waiting;
	unsigned int n, kept = 0, same;

	if (!w->lanes->waiting_count && rte_ring_empty(w->inject))
		return;
	n = injected_list(w, list);
	for (unsigned int i = 0; i < n; i += same) {
		unsigned int sent = 0;

		for (same = 1; i + same < n && list[i + same].port == list[i].port;)
			same++;
		if (!waits_for_port(waiting, kept, list[i].port))
			sent = injected_transmit(w, &list[i], same);
		for (unsigned int k = i + sent; k < i + same; k++) {
			if (w->now_ns < list[k].until_ns)
				waiting[kept++] = list[k];
			else
				injected_unsent(w, &list[k]);
		}
	}
	w->lanes->waiting_count = kept;
}
