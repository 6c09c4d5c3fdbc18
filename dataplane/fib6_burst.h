/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv6 lookup of a burst; one text, compiled for each instruction set, which
 * brings its own way() to compare an address half with the separators of a node, and
 * at_least() to find trees in a burst.
 *
 * All trees of a burst go down together, level by level, each asking for its next node
 * before any is looked at: so misses overlap. Which trees go on is a set of packets for
 * each level, so that how deep a tree is costs no wrong guess and no bookkeeping a packet.
 */
#ifndef NAPD_FIB6_BURST_H
#define NAPD_FIB6_BURST_H

#include "fib6.h"

#define FIB6_BURST 64

/* How many separators of a node are below half: 0 to FIB6_KEYS. */
static inline unsigned int way(const struct fib6_keys *node, uint64_t half);

/* Which of n entries are at least bound, a bit each; an array as fib6_lookup() wants it. */
static inline uint64_t at_least(const uint32_t *entry, unsigned int n, uint32_t bound);

/* Which of n entries are trees of more levels than this. */
static inline uint64_t deeper(const uint32_t *entry, unsigned int n, unsigned int level)
{
	/* a tree of all levels has none below */
	return level < FIB6_LEVEL_MAX ? at_least(entry, n, FIB6_TREE | level << FIB6_LEVEL_SHIFT)
				      : 0;
}

/* Replace the trees of a set (all that leaf[0..n] has) by the values that half has in them. */
static inline void fib6_descend(const struct fib6 *fib, const uint64_t *half, uint32_t *leaf,
				unsigned int n, uint64_t trees)
{
	const struct fib6_keys *keys = fib->keys;
	const uint32_t *value = fib->value;
	/*
	 * A node is its place among all; its tree's first node is the origin, so that a
	 * child's place is node * FIB6_WAYS + step + way. Values: place * FIB6_WAYS + way.
	 */
	uint32_t node[FIB6_BURST], step[FIB6_BURST];
	uint64_t on = deeper(leaf, n, 1);

	for (uint64_t last = trees & ~on; last; last &= last - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(last);
		size_t at = fib6_tree_first(leaf[i]);

		leaf[i] = value[at * FIB6_WAYS + way(&keys[at], half[i])];
	}
	for (uint64_t set = on; set; set &= set - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(set);
		uint32_t first = fib6_tree_first(leaf[i]);

		node[i] = first + 1 + way(&keys[first], half[i]);
		step[i] = 1 - first * (FIB6_WAYS - 1);
		__builtin_prefetch(&keys[node[i]]);
	}
	for (unsigned int level = 2; on; level++) {
		uint64_t next = deeper(leaf, n, level) & on;

		for (uint64_t last = on & ~next; last; last &= last - 1) {
			unsigned int i = (unsigned int)__builtin_ctzll(last);
			size_t at = node[i];

			leaf[i] = value[at * FIB6_WAYS + way(&keys[at], half[i])];
		}
		for (uint64_t set = next; set; set &= set - 1) {
			unsigned int i = (unsigned int)__builtin_ctzll(set);

			node[i] = node[i] * FIB6_WAYS + step[i] + way(&keys[node[i]], half[i]);
			__builtin_prefetch(&keys[node[i]]);
		}
		on = next;
	}
}

static inline void fib6_lookup_burst(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
				     uint32_t *leaf, unsigned int n)
{
	const uint32_t *entry = fib->entry;
	const struct fib6_keys *keys = fib->keys;

	for (unsigned int i = 0; i < n; i++) {
		const struct fib6_root *root = &fib->root[hi[i] >> FIB6_ROOT_SHIFT];

		leaf[i] = root->base + ((uint32_t)(hi[i] >> FIB6_BLOCK_SHIFT) & root->mask);
		__builtin_prefetch(&entry[leaf[i]]);
	}
	for (unsigned int i = 0; i < n; i++) {
		leaf[i] = entry[leaf[i]];
		__builtin_prefetch(&keys[leaf[i] & FIB6_TREE ? fib6_tree_first(leaf[i]) : 0]);
	}
	uint64_t trees = at_least(leaf, n, FIB6_TREE);

	if (!trees)
		return;
	fib6_descend(fib, hi, leaf, n, trees);
	trees = at_least(leaf, n, FIB6_TREE);
	if (trees)
		fib6_descend(fib, lo, leaf, n, trees);
}

#endif
