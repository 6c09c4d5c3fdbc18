// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

/* Records in a row of the same ports: their sums are added once. */
struct run {
	uint32_t ports;
	uint64_t packets, rx_bytes, tx_bytes;
};

static void count_run(struct worker *w, const struct run *run)
{
	const struct transmit_record r = { .ports = run->ports };
	const uint16_t in_port = record_in_port(&r);
	struct port_counters *out = &w->counters[record_out_port(&r)];

	tally_add(&out->transmitted, run->packets, run->tx_bytes);
	if (in_port == PORT_NONE)
		tally_add(&out->originated, run->packets, run->tx_bytes);
	else
		tally_add(&w->counters[in_port].forwarded, run->packets, run->rx_bytes);
}

/* Count the run that begins with the first of n records. Returns how many it has. */
static uint32_t count_some(struct worker *w, const struct transmit_record *record, uint32_t n)
{
	struct matrix_cell *matrix = w->matrix;
	const uint32_t ports = record->ports;
	const bool originated = record_in_port(record) == PORT_NONE;
	uint64_t rx_bytes = 0, tx_bytes = 0;
	uint32_t i = 0;

	for (; i < n && record[i].ports == ports; i++) {
		rx_bytes += record[i].rx_bytes;
		tx_bytes += record[i].tx_bytes;
		if (originated)
			continue;
		counter_add(&matrix[record[i].cell].packets, 1);
		counter_add(&matrix[record[i].cell].bytes, record[i].rx_bytes);
	}
	count_run(w, &(struct run){ ports, i, rx_bytes, tx_bytes });
	return i;
}

/* Count frames the queue took, from their records: the frames themselves are gone. */
static void count_sent(struct worker *w, const struct transmit_record *record, uint32_t n)
{
	for (uint32_t i = 0; i < n;)
		i += count_some(w, record + i, n - i);
}

static void drop_unsent(struct worker *w, struct rte_mbuf *frame, const struct transmit_record *r)
{
	const uint16_t in_port = record_in_port(r);
	struct port_counters *out = &w->counters[record_out_port(r)];

	if (in_port == PORT_NONE) {
		tally_add(&out->unsent, 1, r->tx_bytes);
	} else {
		const struct drop_event event = { frame, in_port, DROP_TX_FULL, r->rx_bytes };

		worker_count_drop(w, &event);
		tally_add(&out->egress_drop[DROP_TX_FULL], 1, r->tx_bytes);
	}
	rte_pktmbuf_free(frame);
}

/* The queue took the first frames: the others, if any, are lost. */
static void drop_from(struct worker *w, struct transmit_queue *q, uint32_t from)
{
	for (uint32_t i = from; unlikely(i < q->n); i++)
		drop_unsent(w, q->frame[i], &q->record[i]);
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
