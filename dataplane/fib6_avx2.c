// SPDX-License-Identifier: BSD-3-Clause
/* The IPv6 lookup for CPUs with AVX2: a node in two comparisons of four separators. */
#include <immintrin.h>

#include "fib6_burst.h"

static inline unsigned int way(const struct fib6_keys *node, uint64_t half)
{
	/* compared signed, with the top bit turned */
	const __m256i top = _mm256_set1_epi64x(INT64_MIN);
	__m256i wanted = _mm256_set1_epi64x((int64_t)(half ^ 1ull << 63));
	__m256i low = _mm256_load_si256((const __m256i *)&node->key[0]);
	__m256i high = _mm256_load_si256((const __m256i *)&node->key[4]);
	/* 64-bit lanes of -1, as pairs of 32-bit lanes; their order does not matter */
	__m256i below = _mm256_packs_epi32(_mm256_cmpgt_epi64(wanted, _mm256_xor_si256(low, top)),
					   _mm256_cmpgt_epi64(wanted, _mm256_xor_si256(high, top)));

	return (unsigned int)__builtin_popcount((unsigned int)_mm256_movemask_epi8(below)) / 4;
}

/* bound is not 0 */
static inline uint64_t at_least(const uint32_t *entry, unsigned int n, uint32_t bound)
{
	const __m256i limit = _mm256_set1_epi32((int)(bound - 1) ^ INT32_MIN);
	const __m256i top = _mm256_set1_epi32(INT32_MIN);
	uint64_t set = 0;

	for (unsigned int i = 0; i < n; i += 8) {
		__m256i some =
			_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)&entry[i]), top);

		set |= (uint64_t)(unsigned int)_mm256_movemask_ps(
			       _mm256_castsi256_ps(_mm256_cmpgt_epi32(some, limit)))
		       << i;
	}
	return _bzhi_u64(set, n);
}

void fib6_lookup_avx2(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
		      uint32_t *leaf, unsigned int n)
{
	fib6_lookup_burst(fib, hi, lo, leaf, n);
}
