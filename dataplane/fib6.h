/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv6 table as its lookups see it.
 *
 * The top 24 bits of an address lead, over a root of 12 and a block of 12, to an
 * entry: a leaf, or a tree of the intervals of the upper half (hi). A tree has
 * nodes of 8 separators, one cache line, compared at once, with 9 ways out; its
 * levels stand one after another, so that a child's place is computed. Its values are
 * entries again: a leaf, or, in a /64 with longer prefixes, a tree of
 * the lower half (lo).
 */
#ifndef NAPD_FIB6_H
#define NAPD_FIB6_H

#include "api/fib.h"

#define FIB6_ROOTS       4096u
#define FIB6_BLOCK       4096u
#define FIB6_ROOT_SHIFT  52
#define FIB6_BLOCK_SHIFT 40

/* An entry: a leaf, or this bit, the number of levels below the first, the first node. */
#define FIB6_TREE        0x80000000u
#define FIB6_LEVEL_SHIFT 28
#define FIB6_LEVEL_MAX   8 /* 3 bits */
#define FIB6_NODE_MASK   0x0fffffffu

#define FIB6_KEYS 8u
#define FIB6_WAYS 9u

struct arena;

/* The entry of a bucket is entry[base + (bucket & mask)]. */
struct fib6_root {
	uint32_t base;
	uint32_t mask; /* FIB6_BLOCK - 1, or 0: one leaf for all */
};

/* Separators: the last address of each interval but the last. */
struct fib6_keys {
	uint64_t key[FIB6_KEYS];
};

struct fib6 {
	const uint32_t *entry;
	const struct fib6_keys *keys;
	const uint32_t *value; /* FIB6_WAYS a node */
	uint32_t extensions;
	/* the tables thread's */
	struct arena *entries;
	struct arena *key_rows;
	struct arena *value_rows; /* as long as key_rows */
	struct fib6_root root[FIB6_ROOTS] __attribute__((aligned(64)));
};

static inline uint32_t fib6_tree_first(uint32_t entry)
{
	return entry & FIB6_NODE_MASK;
}

static inline unsigned int fib6_tree_levels(uint32_t entry)
{
	return 1 + (entry >> FIB6_LEVEL_SHIFT & 7);
}

void fib6_lookup_avx2(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
		      uint32_t *leaf, unsigned int n);
void fib6_lookup_avx512(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
			uint32_t *leaf, unsigned int n);

#endif
