// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

/* Records in a row of the same ports: their sums are added once. */
struct run {
	struct transmit_record last;
	uint64_t packets, rx_bytes, tx_bytes;
};

static void count_run(struct worker *w, const struct run *run)
{
	const uint16_t in_port = record_in_port(&run->last);
	struct port_counters *out = &w->counters[record_out_port(&run->last)];

	tally_add(&out->transmitted, run->packets, run->tx_bytes);
	if (in_port == PORT_NONE)
		tally_add(&out->originated, run->packets, run->tx_bytes);
	else
		tally_add(&w->counters[in_port].forwarded, run->packets, run->rx_bytes);
}

/* Count frames the queue took, from their records: the frames themselves are gone. */
static void count_sent(struct worker *w, const struct transmit_record *record, uint16_t n)
{
	struct matrix_cell *matrix = w->matrix;
	struct run run = { .last = record[0] };

	for (uint16_t i = 0; i < n; i++) {
		const struct transmit_record r = record[i];

		if (unlikely(r.ports != run.last.ports)) {
			count_run(w, &run);
			run = (struct run){ .last = r };
		}
		run.packets++;
		run.rx_bytes += r.rx_bytes;
		run.tx_bytes += r.tx_bytes;
		if (likely(record_in_port(&r) != PORT_NONE)) {
			counter_add(&matrix[r.cell].packets, 1);
			counter_add(&matrix[r.cell].bytes, r.rx_bytes);
		}
	}
	count_run(w, &run);
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
static void drop_from(struct worker *w, struct transmit_queue *q, uint16_t from)
{
	for (uint16_t i = from; unlikely(i < q->n); i++)
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
	if (likely(sent))
		count_sent(w, q->record, sent);
	drop_from(w, q, sent);
	q->n = 0;
}

/* Queues that are busy keep their frames and their place. */
void transmit_flush(struct worker *w)
{
	uint16_t waiting = 0;

	for (uint16_t i = 0; i < w->active_count; i++) {
		struct transmit_queue *q = &w->queue[w->active[i]];

		transmit_flush_queue(w, q);
		q->listed = q->n > 0;
		if (unlikely(q->listed))
			w->active[waiting++] = w->active[i];
	}
	w->active_count = waiting;
}
