/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the packets of a burst go to the queues of their ports: port by port, all of one port at
 * once. A packet at a time each would wait for the count of frames that the one before it has
 * left in the same queue. One text, compiled for each instruction set that makes it faster.
 */
#ifndef NAPD_DEPART_H
#define NAPD_DEPART_H

#include <immintrin.h>

#include "worker.h"

/* Where the packets of a burst go, from their next hops. */
struct departures {
	uint16_t port[BURST_MAX] __attribute__((aligned(64)));
	uint16_t party[BURST_MAX] __attribute__((aligned(64)));
};

#ifdef __AVX512BW__
/* The places of a column that hold value. */
static inline uint64_t places_of(const uint16_t *column, uint16_t value)
{
	const __m512i wanted = _mm512_set1_epi16((int16_t)value);

	return _mm512_cmpeq_epi16_mask(_mm512_load_si512(column), wanted) |
	       (uint64_t)_mm512_cmpeq_epi16_mask(_mm512_load_si512(column + 32), wanted) << 32;
}

/*
 * Copy the frames of a set of packets, in their order; returns the sum of their bytes. Writes
 * up to 7 places behind the last one.
 */
static inline uint32_t copy_frames(struct rte_mbuf **to, const struct burst *b, uint64_t set)
{
	__m512i bytes = _mm512_setzero_si512();

	for (uint32_t i = 0; i < BURST_MAX; i += 8) {
		const __mmask8 mine = (__mmask8)(set >> i);

		_mm512_storeu_si512(
			to, _mm512_maskz_compress_epi64(mine, _mm512_load_si512(&b->frame[i])));
		to += __builtin_popcount(mine);
	}
	for (uint32_t i = 0; i < BURST_MAX; i += 16)
		bytes = _mm512_add_epi32(
			bytes, _mm512_maskz_loadu_epi32((__mmask16)(set >> i), &b->bytes[i]));
	return (uint32_t)_mm512_reduce_add_epi32(bytes);
}
#else
static inline uint64_t places_of(const uint16_t *column, uint16_t value)
{
	const __m128i wanted = _mm_set1_epi16((int16_t)value);
	uint64_t places = 0;

	for (uint32_t i = 0; i < BURST_MAX; i += 16) {
		const __m128i *words = (const __m128i *)&column[i];
		const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(words[0], wanted),
						      _mm_cmpeq_epi16(words[1], wanted));

		places |= (uint64_t)(uint16_t)_mm_movemask_epi8(equal) << i;
	}
	return places;
}

static inline uint32_t copy_frames(struct rte_mbuf **to, const struct burst *b, uint64_t set)
{
	uint32_t bytes = 0;

	for (; set; set &= set - 1) {
		const uint32_t i = __builtin_ctzll(set);

		*to++ = b->frame[i];
		bytes += b->bytes[i];
	}
	return bytes;
}
#endif

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

/* With AVX-512. */
void depart_avx512(struct worker *w, const struct burst *b, const struct departures *d);

#endif
