// SPDX-License-Identifier: BSD-3-Clause
/* Owns how each table is loaded, asked and changed when they are measured. */
#include "bench_lookup.h"

#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#define FIB_TBL8 8000

static const struct prefix_key everything;

static struct prefix_key *changed_prefixes(const struct table *table, const size_t *list, size_t n)
{
	static struct prefix_key prefix[CHANGE_BATCH];

	for (size_t i = 0; i < n; i++)
		prefix[i] = table->route[list[i]].prefix;
	return prefix;
}

/* ---- ours ---- */

static void *load_fib4(struct table *table, enum cpu_path path)
{
	struct fib_source source = full_table_source(table);

	return cpu_path_set(path) == path ? fib4_apply(NULL, &everything, 1, &source) : NULL;
}

static void *load_fib6(struct table *table, enum cpu_path path)
{
	struct fib_source source = full_table_source(table);

	return cpu_path_set(path) == path ? fib6_apply(NULL, &everything, 1, &source) : NULL;
}

#define LOAD_ON(family, path, PATH)                                                               \
	static void *load_##family##_##path(struct table *table, size_t *loaded, double deadline) \
	{                                                                                         \
		(void)loaded, (void)deadline;                                                     \
		return load_##family(table, PATH);                                                \
	}
LOAD_ON(fib4, scalar, CPU_SCALAR)
LOAD_ON(fib4, avx2, CPU_AVX2)
LOAD_ON(fib4, avx512, CPU_AVX512)
LOAD_ON(fib6, scalar, CPU_SCALAR)
LOAD_ON(fib6, avx2, CPU_AVX2)
LOAD_ON(fib6, avx512, CPU_AVX512)

static void lookup_fib4(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			unsigned int n)
{
	fib4_lookup(fib, from->ipv4 + at, leaf, n);
}

static void lookup_fib6(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			unsigned int n)
{
	fib6_lookup(fib, from->hi + at, from->lo + at, leaf, n);
}

static bool change_fib4(void **fib, struct table *table, const size_t *list, size_t n)
{
	struct fib_source source = full_table_source(table);
	struct fib4 *next = fib4_apply(*fib, changed_prefixes(table, list, n), n, &source);

	if (!next)
		return false;
	fib4_free(*fib);
	*fib = next;
	return true;
}

static bool change_fib6(void **fib, struct table *table, const size_t *list, size_t n)
{
	struct fib_source source = full_table_source(table);
	struct fib6 *next = fib6_apply(*fib, changed_prefixes(table, list, n), n, &source);

	if (!next)
		return false;
	fib6_free(*fib);
	*fib = next;
	return true;
}

static size_t bytes_fib4(void *fib)
{
	struct fib_stats stats;

	fib4_stats(fib, &stats);
	return stats.bytes;
}

static size_t bytes_fib6(void *fib)
{
	struct fib_stats stats;

	fib6_stats(fib, &stats);
	return stats.bytes;
}

static void free_fib4(void *fib)
{
	fib4_free(fib);
}

static void free_fib6(void *fib)
{
	fib6_free(fib);
}

/* ---- DPDK's ---- */

static double now(void)
{
	return (double)rte_rdtsc() / (double)rte_get_tsc_hz();
}

static void *load_rte_fib(struct table *table, size_t *loaded, double deadline,
			  enum rte_fib_dir24_8_nh_sz size)
{
	struct rte_fib_conf conf = { .type = RTE_FIB_DIR24_8,
				     .max_routes = 2000000,
				     .dir24_8 = { .nh_sz = size, .num_tbl8 = FIB_TBL8 } };
	struct rte_fib *fib = rte_fib_create("bench", SOCKET_ID_ANY, &conf);

	for (*loaded = 0; fib && *loaded < table->n; ++*loaded) {
		const struct route *r = &table->route[*loaded];

		if (rte_fib_add(fib, (uint32_t)(r->prefix.address.hi >> 32), r->prefix.length,
				r->leaf) != 0 ||
		    now() > deadline) {
			rte_fib_free(fib);
			return NULL;
		}
	}
	return fib;
}

static void *load_rte_fib_2(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib(table, loaded, deadline, RTE_FIB_DIR24_8_2B);
}

static void *load_rte_fib_4(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib(table, loaded, deadline, RTE_FIB_DIR24_8_4B);
}

static void lookup_rte_fib(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			   unsigned int n)
{
	uint64_t next_hop[64];

	(void)leaf;
	rte_fib_lookup_bulk(fib, (uint32_t *)(uintptr_t)(from->ipv4 + at), next_hop, (int)n);
}

static bool change_rte_fib(void **fib, struct table *table, const size_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &table->route[list[i]];

		if (rte_fib_add(*fib, (uint32_t)(r->prefix.address.hi >> 32), r->prefix.length,
				r->leaf) != 0)
			return false;
	}
	return true;
}

/* As rte_fib allocates them: 2^24 entries and all groups of 256. */
static size_t bytes_rte_fib_2(void *fib)
{
	(void)fib;
	return 2 * ((size_t)1 << 24) + (size_t)FIB_TBL8 * 256 * 2;
}

static size_t bytes_rte_fib_4(void *fib)
{
	return 2 * bytes_rte_fib_2(fib);
}

static void free_rte_fib(void *fib)
{
	rte_fib_free(fib);
}

const struct contender contender[] = {
	{ "napd scalar", false, load_fib4_scalar, lookup_fib4, change_fib4, bytes_fib4, free_fib4 },
	{ "napd avx2", false, load_fib4_avx2, lookup_fib4, change_fib4, bytes_fib4, free_fib4 },
	{ "napd avx512", false, load_fib4_avx512, lookup_fib4, change_fib4, bytes_fib4, free_fib4 },
	{ "rte_fib 2 bytes", false, load_rte_fib_2, lookup_rte_fib, change_rte_fib, bytes_rte_fib_2,
	  free_rte_fib },
	{ "rte_fib 4 bytes", false, load_rte_fib_4, lookup_rte_fib, change_rte_fib, bytes_rte_fib_4,
	  free_rte_fib },
	{ "napd scalar", true, load_fib6_scalar, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
	{ "napd avx2", true, load_fib6_avx2, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
	{ "napd avx512", true, load_fib6_avx512, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
};
const size_t contenders = sizeof(contender) / sizeof(contender[0]);
