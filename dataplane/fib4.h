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

/* Replace the extensions among the leaves by what they say of the addresses. */
static inline void fib4_extend_burst(const struct fib4 *fib, const uint32_t *address,
				     uint32_t *leaf, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!(leaf[i] & FIB4_EXTENSION))
			continue;
		size_t quarter =
			(size_t)(leaf[i] & FIB_LEAF_MAX) * FIB4_QUARTERS + (address[i] >> 6 & 3);

		leaf[i] = fib->leaf[fib4_index(&fib->extension[quarter], address[i] & 63)];
	}
}

/* Where among all leaves that of a /24 stands. */
static inline uint32_t fib4_place(const struct fib4_node *node, uint32_t address)
{
	return fib4_index(&node[address >> FIB4_NODE_SHIFT], address >> 8 & 63);
}

/*
 * The lookups; one text, compiled for each instruction set that makes it faster. In one pass,
 * the misses of some 30 packets are in flight together by themselves. Loops are so short that
 * they go by four: counting was a fifth of them.
 */
static inline void fib4_lookup_burst(const struct fib4 *fib, const uint32_t *address,
				     uint32_t *leaf, unsigned int n)
{
	const struct fib4_node *node = fib->node;
	const uint32_t *row = fib->leaf;
	uint32_t any = 0;
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t k = 0; k < 4; k++)
			any |= leaf[i + k] = row[fib4_place(node, address[i + k])];
	for (; i < n; i++)
		any |= leaf[i] = row[fib4_place(node, address[i])];
	if (any & FIB4_EXTENSION)
		fib4_extend_burst(fib, address, leaf, n);
}

/* Ask for what fib4_ask() reads first. */
static inline void fib4_prefetch(const struct fib4 *fib, const uint32_t *address, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		__builtin_prefetch(&fib->node[address[i] >> FIB4_NODE_SHIFT]);
}

/* The first half: finds each place, and has the leaf brought near. */
static inline void fib4_ask_burst(const struct fib4 *fib, const uint32_t *address, uint32_t *place,
				  unsigned int n)
{
	const struct fib4_node *node = fib->node;
	const uint32_t *row = fib->leaf;
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t k = 0; k < 4; k++)
			__builtin_prefetch(&row[place[i + k] = fib4_place(node, address[i + k])]);
	for (; i < n; i++)
		__builtin_prefetch(&row[place[i] = fib4_place(node, address[i])]);
}

/*
 * With the shifts of BMI2. There is none for AVX-512: its gathers were measured
 * no faster anywhere and slower on cold tables (Zen 4: 9.3 cycles against 7.3).
 */
void fib4_lookup_avx2(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf,
		      unsigned int n);
void fib4_ask_avx2(const struct fib4 *fib, const uint32_t *address, uint32_t *place,
		   unsigned int n);

/*
 * A lookup in two halves, for who has something else to do meanwhile: fib4_ask() finds where
 * the leaves of n addresses stand and asks memory for them, fib4_take() makes leaves of
 * these places. Arguments as of fib4_lookup().
 */
void fib4_ask(const struct fib4 *fib, const uint32_t *address, uint32_t *place, unsigned int n);
void fib4_take(const struct fib4 *fib, const uint32_t *address, uint32_t *place_to_leaf,
	       unsigned int n);

#endif
