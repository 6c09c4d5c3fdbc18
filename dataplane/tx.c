// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

/*
 * Count the run of records of the same ports that begins with the first of n: their sums are
 * added once. Returns how many it has.
 */
static uint32_t count_some(struct worker *w, const struct transmit_record *r, uint32_t n)
{
	const uint32_t ports = record_ports(r[0]);
	const uint16_t in_port = record_in_port(r[0]);
	struct port_counters *out = &w->counters[record_out_port(r[0])];
	struct matrix_cell *matrix = w->matrix;
	uint64_t rx_bytes = 0, tx_bytes = 0;
	uint32_t i = 0;

	for (; i < n && record_ports(r[i]) == ports; i++) {
		rx_bytes += record_rx_bytes(r[i]);
		tx_bytes += record_tx_bytes(r[i]);
		if (in_port == PORT_NONE)
			continue;
		counter_add(&matrix[record_cell(r[i])].packets, 1);
		counter_add(&matrix[record_cell(r[i])].bytes, record_rx_bytes(r[i]));
	}
	tally_add(&out->transmitted, i, tx_bytes);
	if (in_port == PORT_NONE)
		tally_add(&out->originated, i, tx_bytes);
	else
		tally_add(&w->counters[in_port].forwarded, i, rx_bytes);
	return i;
}

/* Count frames the queue took, from their records: the frames themselves are gone. */
static void count_sent(struct worker *w, const struct transmit_record *record, uint32_t n)
{
	for (uint32_t i = 0; i < n;)
		i += count_some(w, record + i, n - i);
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
