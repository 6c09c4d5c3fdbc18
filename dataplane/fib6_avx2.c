// SPDX-License-Identifier: BSD-3-Clause
/* The IPv6 lookup for CPUs with AVX2: a node in two comparisons of four separators. */
#include <immintrin.h>

#include "fib6_burst.h"

static inline unsigned int way(const struct fib6_keys *node, int64_t key)
{
	__m256i wanted = _mm256_set1_epi64x(key);
	__m256i low = _mm256_load_si256((const __m256i *)&node->key[0]);
	__m256i high = _mm256_load_si256((const __m256i *)&node->key[4]);
	/* 64-bit lanes of -1, as pairs of 32-bit lanes; their order does not matter */
	__m256i below = _mm256_packs_epi32(_mm256_cmpgt_epi64(wanted, low),
					   _mm256_cmpgt_epi64(wanted, high));

	return (unsigned int)__builtin_popcount((unsigned int)_mm256_movemask_epi8(below)) / 4;
}

void fib6_lookup_avx2(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
		      uint32_t *leaf, unsigned int n)
{
	fib6_lookup_burst(fib, hi, lo, leaf, n);
}
