// SPDX-License-Identifier: BSD-3-Clause
/* The IPv6 lookup for CPUs with AVX-512: a node in one comparison of eight separators. */
#include <immintrin.h>

#include "fib6_burst.h"

static inline unsigned int way(const struct fib6_keys *node, uint64_t half)
{
	__mmask8 below =
		_mm512_cmplt_epu64_mask(_mm512_load_si512(node), _mm512_set1_epi64((int64_t)half));

	return (unsigned int)__builtin_popcount(below);
}

static inline uint64_t at_least(const uint32_t *entry, unsigned int n, uint32_t bound)
{
	const __m512i limit = _mm512_set1_epi32((int)bound);
	uint64_t set = 0;

	for (unsigned int i = 0; i < n; i += 16)
		set |= (uint64_t)_mm512_cmpge_epu32_mask(_mm512_loadu_si512(&entry[i]), limit) << i;
	return _bzhi_u64(set, n);
}

void fib6_lookup_avx512(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
			uint32_t *leaf, unsigned int n)
{
	fib6_lookup_burst(fib, hi, lo, leaf, n);
}
