/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding information bases: immutable generations of longest prefix
 * match, prefix -> leaf, for either family.
 *
 * A leaf is 31 bits that mean something to the caller (see snapshot.h); 0 is
 * "no prefix matches". A generation never changes after it was made; a new one
 * is made from the old one and the ranges that changed, sharing what did not.
 */
#ifndef NAPD_FIB_H
#define NAPD_FIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIB_LEAF_MAX 0x7fffffffu

struct fib4;
struct fib6;

/* An IPv6 address as two host-order halves: compares like the address. */
struct ipv6_key {
	uint64_t hi;
	uint64_t lo;
};

/* A prefix of either family. IPv4 addresses stand in the top 32 bits of hi. */
struct prefix_key {
	struct ipv6_key address; /* host order, bits beyond length are 0 */
	uint8_t length;
};

/*
 * Where a FIB reads the routes in force when it is made or changed: the RIB,
 * or a test's table. Called only during fib*_apply(), on its thread.
 */
struct fib_source {
	/* The leaf of the longest prefix that covers all of range and is not
	 * longer than it (range itself included); 0 if there is none. */
	uint32_t (*cover)(void *ctx, struct prefix_key range);
	/* Calls visit for every prefix strictly longer than and inside range, in
	 * ascending order of address, shorter prefixes first. */
	void (*walk)(void *ctx, struct prefix_key range,
		     void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf), void *arg);
	void *ctx;
};

struct fib_stats {
	size_t bytes;        /* memory of this generation, shared parts included */
	size_t shared_bytes; /* of that, what other generations use too */
	uint32_t extensions; /* IPv4: /24s, IPv6: /64s with longer prefixes */
};

/*
 * Make a generation in which everything inside the ranges is as source says
 * now and everything else as in old. old NULL: an empty table first; then a
 * range of length 0 builds the whole. Ranges may overlap and come in any order.
 *
 * Borrows all arguments; old stays valid. Returns to the caller, or NULL when
 * there is no memory (old is still right). One thread at a time for a family
 * of generations (the tables thread); lookups in old go on meanwhile.
 */
struct fib4 *fib4_apply(struct fib4 *old, const struct prefix_key *ranges, size_t n,
			const struct fib_source *source);
struct fib6 *fib6_apply(struct fib6 *old, const struct prefix_key *ranges, size_t n,
			const struct fib_source *source);

/* Free a generation that no worker reads any more. Takes it; NULL is allowed. Any thread. */
void fib4_free(struct fib4 *fib);
void fib6_free(struct fib6 *fib);

/*
 * Look up n destinations (host order), n at most 64. Arrays need no alignment,
 * but both must be readable and writable up to n rounded up to 16. Any thread.
 */
void fib4_lookup(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf, unsigned int n);
void fib6_lookup(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo, uint32_t *leaf,
		 unsigned int n);

void fib4_stats(const struct fib4 *fib, struct fib_stats *stats);
void fib6_stats(const struct fib6 *fib, struct fib_stats *stats);

/*
 * The instruction sets that lookups (and other vector code) can use.
 * cpu_path_set() chooses for the whole process; call it before workers start.
 * Returns the path now in use: path if this CPU can run it, else the best below.
 */
enum cpu_path { CPU_SCALAR, CPU_AVX2, CPU_AVX512, CPU_BEST = CPU_AVX512 };
enum cpu_path cpu_path_set(enum cpu_path path);
enum cpu_path cpu_path(void);
const char *cpu_path_name(enum cpu_path path);

/*
 * Have the memory of all tables made from now on lie on a NUMA node, where it has room; -1:
 * wherever they are written. Once, before the first table.
 */
void fib_prefer_node(int16_t node);

#endif
