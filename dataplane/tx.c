// SPDX-License-Identifier: BSD-3-Clause
/* Transmission: frames wait by queue until the burst is done; what a device took is counted. */
#include "worker.h"

/* Count frames the queue took, from their records: the frames themselves are gone. */
static void count_sent(struct worker *w, const struct transmit_record *record, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct transmit_record *r = &record[i];
		struct port_counters *out = &w->counters[r->out_port];

		tally_add(&out->transmitted, 1, r->tx_bytes);
		if (r->in_port == PORT_NONE) {
			tally_add(&out->originated, 1, r->tx_bytes);
			continue;
		}
		tally_add(&w->counters[r->in_port].forwarded, 1, r->rx_bytes);
		counter_add(&w->matrix[r->cell].packets, 1);
		counter_add(&w->matrix[r->cell].bytes, r->rx_bytes);
	}
}

static void drop_unsent(struct worker *w, struct rte_mbuf *frame, const struct transmit_record *r)
{
	if (r->in_port == PORT_NONE) {
		tally_add(&w->counters[r->out_port].unsent, 1, r->tx_bytes);
	} else {
		const struct drop_event event = { frame, r->in_port, DROP_TX_FULL, r->rx_bytes };

		worker_count_drop(w, &event);
		tally_add(&w->counters[r->out_port].egress_drop[DROP_TX_FULL], 1, r->tx_bytes);
	}
	rte_pktmbuf_free(frame);
}

void transmit_flush_queue(struct worker *w, struct transmit_queue *q)
{
	uint16_t sent;

	if (!q->n)
		return;
	sent = q->txq.transmit(q->txq.arg, q->frame, q->n);
	if (unlikely(sent == TRANSMIT_BUSY))
		return;
	count_sent(w, q->record, sent);
	for (uint16_t i = sent; unlikely(i < q->n); i++)
		drop_unsent(w, q->frame[i], &q->record[i]);
	q->n = 0;
}

void transmit(struct worker *w, struct rte_mbuf *frame, const struct transmit_record *record)
{
	const uint16_t index = w->port_queue[record->out_port];
	struct transmit_queue *q = &w->queue[index];

	if (!q->listed) {
		q->listed = true;
		w->active[w->active_count++] = index;
	}
	if (unlikely(q->n == TRANSMIT_MAX)) {
		transmit_flush_queue(w, q);
		if (q->n == TRANSMIT_MAX) {
			drop_unsent(w, frame, record);
			return;
		}
	}
	q->frame[q->n] = frame;
	q->record[q->n] = *record;
	q->n++;
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
