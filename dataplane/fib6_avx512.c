// SPDX-License-Identifier: BSD-3-Clause
/* The IPv6 lookup for CPUs with AVX-512: a node in one comparison of eight separators. */
#include <immintrin.h>

#include "fib6_burst.h"

static inline unsigned int way(const struct fib6_keys *node, int64_t key)
{
	__mmask8 below = _mm512_cmpgt_epi64_mask(_mm512_set1_epi64(key), _mm512_load_si512(node));

	return (unsigned int)__builtin_popcount(below);
}

void fib6_lookup_avx512(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
			uint32_t *leaf, unsigned int n)
{
	fib6_lookup_burst(fib, hi, lo, leaf, n);
}
