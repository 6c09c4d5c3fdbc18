// SPDX-License-Identifier: BSD-3-Clause
/* Queueing a burst: the code for every CPU, and the choice. */
#include <immintrin.h>

#include "api/fib.h"
#include "depart_burst.h"

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

void depart_by_port(struct worker *w, const struct burst *b, const struct departures *d)
{
	if (cpu_path() >= CPU_AVX512)
		depart_avx512(w, b, d);
	else
		depart_burst(w, b, d);
}
