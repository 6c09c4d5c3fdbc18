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

/* A run for each packet of a set: members behind one port, in any order. */
static inline void add_runs(struct transmit_queue *q, const struct burst *b,
			    const struct departures *d, uint32_t cell, uint64_t set)
{
	for (; set; set &= set - 1) {
		const uint32_t i = __builtin_ctzll(set);

		q->run[q->runs++] =
			(struct transmit_run){ cell + d->party[i], b->port[0], d->port[i], 1,
					       b->bytes[i],        b->bytes[i] };
	}
}

/*
 * Queue all packets of a burst that are from one port and party and leave as long as they
 * came. cell: of that party and party 0.
 */
static inline void depart_burst(struct worker *w, const struct burst *b, const struct departures *d,
				uint32_t cell)
{
	uint64_t left = burst_all(b);

	while (left) {
		const uint32_t first = __builtin_ctzll(left);
		const uint16_t port = d->port[first], party = d->party[first];
		const uint64_t set = places_of(d->port, port) & left;
		const uint32_t n = __builtin_popcountll(set);
		struct transmit_queue *q = w->port_queue[port];
		const uint32_t bytes = copy_frames(&q->frame[q->n], b, set);

		if (likely(!(set & ~places_of(d->party, party))))
			q->run[q->runs++] =
				(struct transmit_run){ cell + party, b->port[0], port, n,
						       bytes,        bytes };
		else
			add_runs(q, b, d, cell, set);
		q->n += n;
		w->active |= q->bit;
		left &= ~set;
	}
}

/* With AVX-512. */
void depart_avx512(struct worker *w, const struct burst *b, const struct departures *d,
		   uint32_t cell);

#endif
