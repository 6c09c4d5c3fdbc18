/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IPv6 lookup of a burst; one text, compiled for each instruction set, which
 * brings its own way() to compare an address half with the separators of a node.
 *
 * All trees of a burst go down together, level by level, each asking for its next node
 * before any is looked at: so misses overlap, and how deep a tree is costs no
 * wrong guess. Whoever has arrived leaves the list without a branch.
 */
#ifndef NAPD_FIB6_BURST_H
#define NAPD_FIB6_BURST_H

#include <string.h>

#include "fib6.h"

#define FIB6_BURST 64

/* How many separators of a node are below key: 0 to FIB6_KEYS. */
static inline unsigned int way(const struct fib6_keys *node, int64_t key);

/*
 * Replace the trees leaf[list[0..n]] by the values that half has in them. Those that
 * are trees again are the list's beginning then; returns how many.
 */
static inline unsigned int fib6_descend(const struct fib6 *fib, const uint64_t *half,
					uint32_t *leaf, uint8_t *list, unsigned int n)
{
	const struct fib6_keys *keys = fib->keys;
	uint32_t node[FIB6_BURST] = { 0 };
	uint8_t open[FIB6_BURST];
	unsigned int at_level = n, trees = 0;

	memcpy(open, list, sizeof(open));
	for (unsigned int level = 1; at_level > 0; level++) {
		unsigned int deeper = 0;

		for (unsigned int k = 0; k < at_level; k++) {
			unsigned int i = open[k];
			uint32_t first = fib6_tree_first(leaf[i]);
			bool more = fib6_tree_levels(leaf[i]) > level;

			node[i] = node[i] * FIB6_WAYS + 1 +
				  way(&keys[first + node[i]], fib6_key(half[i]));
			__builtin_prefetch(&keys[first + (more ? node[i] : 0)]);
			open[deeper] = (uint8_t)i;
			deeper += more;
		}
		at_level = deeper;
	}
	/* behind the last level, counting on as for one more, stand the values */
	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = list[k];

		leaf[i] = fib->value[fib6_tree_first(leaf[i]) * (size_t)FIB6_WAYS + node[i] - 1];
		list[trees] = (uint8_t)i;
		trees += leaf[i] >> 31;
	}
	return trees;
}

static inline void fib6_lookup_burst(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo,
				     uint32_t *leaf, unsigned int n)
{
	const uint32_t *entry = fib->entry;
	const struct fib6_keys *keys = fib->keys;
	uint8_t list[FIB6_BURST] = { 0 };
	unsigned int trees = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct fib6_root *root = &fib->root[hi[i] >> FIB6_ROOT_SHIFT];

		leaf[i] = root->base + ((uint32_t)(hi[i] >> FIB6_BLOCK_SHIFT) & root->mask);
		__builtin_prefetch(&entry[leaf[i]]);
	}
	for (unsigned int i = 0; i < n; i++) {
		leaf[i] = entry[leaf[i]];
		__builtin_prefetch(&keys[leaf[i] & FIB6_TREE ? fib6_tree_first(leaf[i]) : 0]);
		list[trees] = (uint8_t)i;
		trees += leaf[i] >> 31;
	}
	trees = fib6_descend(fib, hi, leaf, list, trees);
	if (trees > 0)
		fib6_descend(fib, lo, leaf, list, trees);
}

#endif
