// SPDX-License-Identifier: BSD-3-Clause
/* Gives both tables one face. */
#include "family.h"

#include <string.h>

#define BATCH 64

static void *apply4(void *old, const struct prefix_key *ranges, size_t n,
		    const struct fib_source *source)
{
	return fib4_apply(old, ranges, n, source);
}

static void *apply6(void *old, const struct prefix_key *ranges, size_t n,
		    const struct fib_source *source)
{
	return fib6_apply(old, ranges, n, source);
}

static void free4(void *fib)
{
	fib4_free(fib);
}

static void free6(void *fib)
{
	fib6_free(fib);
}

static void lookup4(const void *fib, const struct ipv6_key *address, uint32_t *leaf, unsigned int n)
{
	uint32_t list[BATCH] = { 0 }, found[BATCH];

	for (unsigned int i = 0; i < n; i++)
		list[i] = (uint32_t)(address[i].hi >> 32);
	fib4_lookup(fib, list, found, n);
	memcpy(leaf, found, n * sizeof(*leaf));
}

static void lookup6(const void *fib, const struct ipv6_key *address, uint32_t *leaf, unsigned int n)
{
	uint64_t hi[BATCH] = { 0 }, lo[BATCH] = { 0 };
	uint32_t found[BATCH];

	for (unsigned int i = 0; i < n; i++) {
		hi[i] = address[i].hi;
		lo[i] = address[i].lo;
	}
	fib6_lookup(fib, hi, lo, found, n);
	memcpy(leaf, found, n * sizeof(*leaf));
}

const struct family family4 = { "IPv4", 32, apply4, free4, lookup4 };
const struct family family6 = { "IPv6", 128, apply6, free6, lookup6 };
