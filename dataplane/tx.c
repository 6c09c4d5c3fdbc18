// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

static void count_cell(struct matrix_cell *cell, uint64_t packets, uint64_t bytes)
{
	counter_add(&cell->packets, packets);
	counter_add(&cell->bytes, bytes);
}

/* Count packets between the same two ports: packets and bytes in all. */
static void count_ports(struct worker *w, struct transmit_record r, uint32_t packets,
			uint64_t rx_bytes, uint64_t tx_bytes)
{
	const uint16_t in_port = record_in_port(r);
	struct port_counters *out = &w->counters[record_out_port(r)];

	tally_add(&out->transmitted, packets, tx_bytes);
	if (in_port == PORT_NONE)
		tally_add(&out->originated, packets, tx_bytes);
	else
		tally_add(&w->counters[in_port].forwarded, packets, rx_bytes);
}

/*
 * Count the run of records of the same ports that begins with the first of n: their sums are
 * added once. Returns how many it has.
 */
static uint32_t count_some(struct worker *w, const struct transmit_record *r, uint32_t n)
{
	const uint32_t ports = record_ports(r[0]);
	const bool forwarded = record_in_port(r[0]) != PORT_NONE;
	uint64_t rx_bytes = 0, tx_bytes = 0;
	uint32_t i = 0;

	for (; i < n && record_ports(r[i]) == ports; i++) {
		rx_bytes += record_rx_bytes(r[i]);
		tx_bytes += record_tx_bytes(r[i]);
		if (forwarded)
			count_cell(&w->matrix[record_cell(r[i])], 1, record_rx_bytes(r[i]));
	}
	count_ports(w, r[0], i, rx_bytes, tx_bytes);
	return i;
}

/*
 * Count frames the queue took, from their records: the frames themselves are gone. Often all
 * are of one cell, as where a port has one member: adding to it once a packet would wait for
 * the addition before, each time.
 */
static void count_sent(struct worker *w, const struct transmit_record *r, uint32_t n)
{
	uint64_t differ = 0;
	uint64_t bytes = 0; /* both sums of a record side by side: some hundred frames of 64 KB */

	for (uint32_t i = 0; i < n; i++) {
		differ |= r[i].cell_ports ^ r[0].cell_ports;
		bytes += r[i].bytes;
	}
	if (likely(!differ) && n && record_in_port(r[0]) != PORT_NONE) {
		count_cell(&w->matrix[record_cell(r[0])], n, (uint32_t)bytes);
		count_ports(w, r[0], n, (uint32_t)bytes, bytes >> 32);
		return;
	}
	for (uint32_t i = 0; i < n;)
		i += count_some(w, r + i, n - i);
}

static void drop_unsent(struct worker *w, struct rte_mbuf *frame, struct transmit_record r)
{
	const uint16_t in_port = record_in_port(r);
	struct port_counters *out = &w->counters[record_out_port(r)];

	if (in_port == PORT_NONE) {
		tally_add(&out->unsent, 1, record_tx_bytes(r));
	} else {
		const struct drop_event event = { frame, in_port, DROP_TX_FULL,
						  record_rx_bytes(r) };

		worker_count_drop(w, &event);
		tally_add(&out->egress_drop[DROP_TX_FULL], 1, record_tx_bytes(r));
	}
	rte_pktmbuf_free(frame);
}

/* The queue took the first frames: the others, if any, are lost. */
static void drop_from(struct worker *w, struct transmit_queue *q, uint32_t from)
{
	for (uint32_t i = from; unlikely(i < q->n); i++)
		drop_unsent(w, q->frame[i], q->record[i]);
	q->n = RTE_MIN(q->n, from);
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
	count_sent(w, q->record, sent);
	drop_from(w, q, sent);
	q->n = 0;
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
