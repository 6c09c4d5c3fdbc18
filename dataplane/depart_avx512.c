// SPDX-License-Identifier: BSD-3-Clause
/* Queueing a burst, with AVX-512. */
#include <immintrin.h>

#include "depart_burst.h"

static inline uint64_t places_of(const uint16_t *column, uint16_t value)
{
	const __m512i wanted = _mm512_set1_epi16((int16_t)value);

	return _mm512_cmpeq_epi16_mask(_mm512_load_si512(column), wanted) |
	       (uint64_t)_mm512_cmpeq_epi16_mask(_mm512_load_si512(column + 32), wanted) << 32;
}

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

void depart_avx512(struct worker *w, const struct burst *b, const struct departures *d)
{
	depart_burst(w, b, d);
}
