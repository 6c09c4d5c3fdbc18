/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queueing a burst; one text, compiled for each instruction set, which brings its own places_of()
 * and copy_frames().
 */
#ifndef NAPD_DEPART_BURST_H
#define NAPD_DEPART_BURST_H

#include "depart.h"

/* The places of a column that hold value. */
static inline uint64_t places_of(const uint16_t *column, uint16_t value);

/*
 * Copy the frames of a set of packets, in their order; returns the sum of their bytes. Writes
 * up to 7 places behind the last one.
 */
static inline uint32_t copy_frames(struct rte_mbuf **to, const struct burst *b, uint64_t set);

/* The run of packet i alone. */
static inline struct transmit_run run_of(const struct worker *w, const struct burst *b, uint32_t i,
					 const struct departures *d)
{
	return (struct transmit_run){
		.cell = matrix_index(w->party_bits, b->party[i], d->party[i], b->ipv6),
		.in_port = b->port[i],
		.out_port = d->port[i],
		.frames = 1,
		.rx_bytes = b->bytes[i],
		.tx_bytes = b->bytes[i],
	};
}

/* A run for each packet of a set: from or to several members, in any order. */
static inline void add_runs(struct transmit_queue *q, const struct worker *w, const struct burst *b,
			    const struct departures *d, uint64_t set)
{
	struct transmit_run *run = &q->run[q->runs];

	q->runs += __builtin_popcountll(set);
	for (; set; set &= set - 1)
		*run++ = run_of(w, b, __builtin_ctzll(set), d);
}

/* One run for all packets of a set, of the first one's ports and parties. */
static inline void add_run(struct transmit_queue *q, const struct worker *w, const struct burst *b,
			   const struct departures *d, uint64_t set, uint32_t bytes)
{
	struct transmit_run *run = &q->run[q->runs++];

	*run = run_of(w, b, __builtin_ctzll(set), d);
	run->frames = __builtin_popcountll(set);
	run->rx_bytes = run->tx_bytes = bytes;
}

/* Queue all packets of a burst, which leave as long as they came. */
static inline void depart_burst(struct worker *w, const struct burst *b, const struct departures *d)
{
	uint64_t left = burst_all(b);

	while (left) {
		const uint32_t first = __builtin_ctzll(left);
		const uint64_t set = places_of(d->port, d->port[first]) & left;
		struct transmit_queue *q = w->port_queue[d->port[first]];
		const uint32_t bytes = copy_frames(&q->frame[q->n], b, set);

		if (b->one_port && !(set & ~places_of(d->party, d->party[first])))
			add_run(q, w, b, d, set, bytes);
		else
			add_runs(q, w, b, d, set);
		q->n += __builtin_popcountll(set);
		w->active |= q->bit;
		left &= ~set;
	}
}

#endif
