/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv4 table as its lookups see it.
 *
 * A node covers 64 neighbours (/24s of a /18, or addresses of a /26) and says in
 * a bitmap where their leaves change; the leaves stand behind it in a row, one
 * a run. A /24 with longer prefixes has an extension instead of a leaf: four
 * more nodes, one cache line.
 */
#ifndef NAPD_FIB4_H
#define NAPD_FIB4_H

#include "api/fib.h"

#define FIB4_NODES      (1u << 18)
#define FIB4_NODE_SHIFT 14          /* address bits below a node */
#define FIB4_EXTENSION  0x80000000u /* or'ed to the number of an extension */
#define FIB4_QUARTERS   4

struct arena;

struct fib4_node {
	uint64_t changes; /* bit i: neighbour i has another leaf than i - 1; bit 0 is 0 */
	uint32_t base;    /* the leaf of neighbour 0 */
	uint32_t unused;
};

struct fib4 {
	const uint32_t *leaf;
	const struct fib4_node *extension; /* FIB4_QUARTERS each */
	struct fib4_node *node;
	uint32_t extensions; /* in use */
	/* the tables thread's */
	struct arena *leaves;
	struct arena *extension_blocks;
};

static inline uint32_t fib4_index(const struct fib4_node *node, unsigned int neighbour)
{
	return node->base + (uint32_t)__builtin_popcountll(node->changes << (63 - neighbour));
}

/* Second step: the leaf of an address whose /24 has an extension. */
static inline uint32_t fib4_extension_leaf(const struct fib4 *fib, uint32_t entry, uint32_t address)
{
	const struct fib4_node *block =
		&fib->extension[(size_t)(entry & FIB_LEAF_MAX) * FIB4_QUARTERS];

	return fib->leaf[fib4_index(&block[address >> 6 & 3], address & 63)];
}

void fib4_lookup_avx2(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf,
		      unsigned int n);
void fib4_lookup_avx512(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf,
			unsigned int n);

#endif
