// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

/*
 * Count the runs between the same ports that begin with the first of n: their sums are added
 * once. Returns how many there are.
 */
static uint32_t count_some(struct worker *w, const struct transmit_run *run, uint32_t n)
{
	const uint16_t in_port = run[0].in_port, out_port = run[0].out_port;
	struct port_counters *out = &w->counters[out_port];
	uint64_t frames = 0, rx_bytes = 0, tx_bytes = 0;
	uint32_t i = 0;

	for (; i < n && run[i].in_port == in_port && run[i].out_port == out_port; i++) {
		frames += run[i].frames;
		rx_bytes += run[i].rx_bytes;
		tx_bytes += run[i].tx_bytes;
		if (in_port == PORT_NONE)
			continue;
		counter_add(&w->matrix[run[i].cell].packets, run[i].frames);
		counter_add(&w->matrix[run[i].cell].bytes, run[i].rx_bytes);
	}
	tally_add(&out->transmitted, frames, tx_bytes);
	if (in_port == PORT_NONE)
		tally_add(&out->originated, frames, tx_bytes);
	else
		tally_add(&w->counters[in_port].forwarded, frames, rx_bytes);
	return i;
}

/* Count what the device took, from the runs: the frames themselves are gone. */
static void count_sent(struct worker *w, const struct transmit_run *run, uint32_t n)
{
	for (uint32_t i = 0; i < n;)
		i += count_some(w, run + i, n - i);
}

/* A run of one frame is lost. */
static void drop_unsent(struct worker *w, struct rte_mbuf *frame, const struct transmit_run *run)
{
	struct port_counters *out = &w->counters[run->out_port];

	if (run->in_port == PORT_NONE) {
		tally_add(&out->unsent, 1, run->tx_bytes);
	} else {
		const struct drop_event event = { frame, run->in_port, DROP_TX_FULL,
						  run->rx_bytes };

		worker_count_drop(w, &event);
		tally_add(&out->egress_drop[DROP_TX_FULL], 1, run->tx_bytes);
	}
	rte_pktmbuf_free(frame);
}

/* Take the last frame of a queue, and of its last run, away: as a run of its own. */
static struct transmit_run take_last(struct transmit_queue *q)
{
	struct transmit_run *run = &q->run[q->runs - 1], last = *run;

	q->n--;
	if (run->frames == 1) {
		q->runs--;
		return last;
	}
	last.frames = 1;
	last.rx_bytes = last.tx_bytes = rte_pktmbuf_pkt_len(q->frame[q->n]);
	run->frames--;
	run->rx_bytes -= last.rx_bytes;
	run->tx_bytes -= last.tx_bytes;
	return last;
}

/* Only the first frames of a queue stay: the others, if any, are lost. */
static void drop_from(struct worker *w, struct transmit_queue *q, uint32_t from)
{
	while (unlikely(q->n > from)) {
		const struct transmit_run run = take_last(q);

		drop_unsent(w, q->frame[q->n], &run);
	}
}

void transmit_flush_queue(struct worker *w, struct transmit_queue *q)
{
	uint16_t sent;

	if (!q->n)
		return;
	sent = q->txq.transmit(q->txq.arg, q->frame, q->n);
	if (unlikely(sent == TRANSMIT_BUSY)) {
		drop_from(w, q, TRANSMIT_MAX);
		return;
	}
	drop_from(w, q, sent);
	count_sent(w, q->run, q->runs);
	q->n = q->runs = 0;
}

/* Queues that are busy keep their frames. */
void transmit_flush(struct worker *w)
{
	uint64_t active = w->active;

	w->active = 0;
	for (; active; active &= active - 1) {
		const uint32_t bit = __builtin_ctzll(active);

		for (uint32_t i = bit; i < w->dp->config.transmit_queues; i += 64) {
			transmit_flush_queue(w, &w->queue[i]);
			if (unlikely(w->queue[i].n))
				w->active |= UINT64_C(1) << bit;
		}
	}
}
