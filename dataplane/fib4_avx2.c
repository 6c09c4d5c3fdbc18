// SPDX-License-Identifier: BSD-3-Clause
/* The IPv4 lookup compiled for CPUs with AVX2 and BMI2. */
#include "fib4.h"

void fib4_lookup_avx2(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf,
		      unsigned int n)
{
	fib4_lookup_burst(fib, address, leaf, n);
}

void fib4_ask_avx2(const struct fib4 *fib, const uint32_t *address, uint32_t *place, unsigned int n)
{
	fib4_ask_burst(fib, address, place, n);
}
