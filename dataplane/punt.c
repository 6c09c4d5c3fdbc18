// SPDX-License-Identifier: BSD-3-Clause
/* The rings between workers and control: events up, frames down, one producer and consumer each. */
#include "punt.h"

#include <errno.h>

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

struct inject {
	struct rte_mbuf *frame;
	uint64_t port;
};

int punt_create(struct worker *w)
{
	char name[RTE_RING_NAMESIZE];

	for (unsigned int kind = 0; kind < PUNT_KINDS; kind++)
		meter_init(&w->punt_meter[kind], punt_rates[kind].rate, punt_rates[kind].burst);
	snprintf(name, sizeof(name), "punt-%p-%u", (void *)w->dp, w->index);
	w->punt = rte_ring_create_elem(name, sizeof(struct punt), PUNT_RING, SOCKET_ID_ANY,
				       RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "inject-%p-%u", (void *)w->dp, w->index);
	w->inject = rte_ring_create_elem(name, sizeof(struct inject), INJECT_RING, SOCKET_ID_ANY,
					 RING_F_SP_ENQ | RING_F_SC_DEQ);
	return w->punt && w->inject ? 0 : -ENOMEM;
}

void punt_destroy(struct worker *w)
{
	struct inject waiting;

	while (w->inject && rte_ring_sc_dequeue_elem(w->inject, &waiting, sizeof(waiting)) == 0)
		rte_pktmbuf_free(waiting.frame);
	rte_ring_free(w->inject);
	rte_ring_free(w->punt);
}

void punt_send(struct worker *w, const struct punt *punt)
{
	struct rte_meter_srtcm *bucket = &w->punt_bucket[punt->kind];

	if (!w->punt)
		return;
	if (!bucket->time)
		*bucket = (struct rte_meter_srtcm){ w->now_ns,
						    w->punt_meter[punt->kind].profile.cbs, 0 };
	if (!meter_take(bucket, &w->punt_meter[punt->kind], w->now_ns, 1, true) ||
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

int inject(struct dataplane *dp, unsigned int worker, uint16_t port, struct rte_mbuf *frame)
{
	struct worker *w = dataplane_worker(dp, worker);
	struct inject item = { frame, port };

	if (!w || !w->inject || port >= PORT_MAX)
		return -EINVAL;
	return rte_ring_sp_enqueue_elem(w->inject, &item, sizeof(item));
}

void inject_send(struct worker *w)
{
	struct inject item[BURST_MAX];
	const unsigned int n =
		rte_ring_sc_dequeue_burst_elem(w->inject, item, sizeof(item[0]), BURST_MAX, NULL);

	for (unsigned int i = 0; i < n; i++) {
		const struct transmit_record record = {
			.in_port = PORT_NONE,
			.out_port = item[i].port,
			.tx_bytes = rte_pktmbuf_pkt_len(item[i].frame),
		};

		transmit(w, item[i].frame, &record);
	}
	if (n)
		transmit_flush(w);
}
