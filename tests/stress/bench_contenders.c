// SPDX-License-Identifier: BSD-3-Clause
/* Owns how each table is loaded, asked and changed when they are measured. */
#include "bench_lookup.h"

#include <stdlib.h>

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#define ROUTES_MAX 2000000
#define FIB_TBL8   8000
/* As many as an entry of 2 bytes can name; as many as the table wants, and some. */
#define FIB6_TBL8_2 32767
#define FIB6_TBL8_4 250000

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

static bool add_rte_fib(void *fib, const struct route *r)
{
	return rte_fib_add(fib, (uint32_t)(r->prefix.address.hi >> 32), r->prefix.length,
			   r->leaf) == 0;
}

static bool add_rte_lpm(void *fib, const struct route *r)
{
	return rte_lpm_add(fib, (uint32_t)(r->prefix.address.hi >> 32), r->prefix.length,
			   r->leaf) == 0;
}

static void address_bytes(struct ipv6_key key, uint8_t *bytes)
{
	for (int i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(key.hi >> (56 - 8 * i));
		bytes[i + 8] = (uint8_t)(key.lo >> (56 - 8 * i));
	}
}

static bool add_rte_fib6(void *fib, const struct route *r)
{
	uint8_t bytes[16];

	address_bytes(r->prefix.address, bytes);
	return rte_fib6_add(fib, bytes, r->prefix.length, r->leaf) == 0;
}

static bool add_rte_lpm6(void *fib, const struct route *r)
{
	uint8_t bytes[16];

	address_bytes(r->prefix.address, bytes);
	return rte_lpm6_add(fib, bytes, r->prefix.length, r->leaf) == 0;
}

/* How many routes went in until one was refused or time was up. */
static size_t add_all(void *fib, const struct table *table, double deadline,
		      bool (*add)(void *fib, const struct route *r))
{
	size_t n = 0;

	while (fib && n < table->n && add(fib, &table->route[n]))
		if (++n % 256 == 0 && bench_seconds() > deadline)
			break;
	return n;
}

static bool change_all(void *fib, const struct table *table, const size_t *list, size_t n,
		       bool (*add)(void *fib, const struct route *r))
{
	for (size_t i = 0; i < n; i++)
		if (!add(fib, &table->route[list[i]]))
			return false;
	return true;
}

static void *load_rte_fib(struct table *table, size_t *loaded, double deadline,
			  enum rte_fib_dir24_8_nh_sz size)
{
	struct rte_fib_conf conf = { .type = RTE_FIB_DIR24_8,
				     .max_routes = ROUTES_MAX,
				     .dir24_8 = { .nh_sz = size, .num_tbl8 = FIB_TBL8 } };
	struct rte_fib *fib = rte_fib_create("bench", SOCKET_ID_ANY, &conf);

	*loaded = add_all(fib, table, deadline, add_rte_fib);
	if (*loaded == table->n)
		return fib;
	rte_fib_free(fib);
	return NULL;
}

static void *load_rte_fib_2(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib(table, loaded, deadline, RTE_FIB_DIR24_8_2B);
}

static void *load_rte_fib_4(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib(table, loaded, deadline, RTE_FIB_DIR24_8_4B);
}

static void *load_rte_lpm(struct table *table, size_t *loaded, double deadline)
{
	struct rte_lpm_config conf = { .max_rules = ROUTES_MAX, .number_tbl8s = FIB_TBL8 };
	struct rte_lpm *lpm = rte_lpm_create("bench", SOCKET_ID_ANY, &conf);

	*loaded = add_all(lpm, table, deadline, add_rte_lpm);
	if (*loaded == table->n)
		return lpm;
	rte_lpm_free(lpm);
	return NULL;
}

static void *load_rte_fib6(struct table *table, size_t *loaded, double deadline,
			   enum rte_fib_trie_nh_sz size, uint32_t groups)
{
	struct rte_fib6_conf conf = { .type = RTE_FIB6_TRIE,
				      .max_routes = ROUTES_MAX,
				      .trie = { .nh_sz = size, .num_tbl8 = groups } };
	struct rte_fib6 *fib = rte_fib6_create("bench", SOCKET_ID_ANY, &conf);

	*loaded = add_all(fib, table, deadline, add_rte_fib6);
	if (*loaded == table->n)
		return fib;
	rte_fib6_free(fib);
	return NULL;
}

static void *load_rte_fib6_2(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib6(table, loaded, deadline, RTE_FIB6_TRIE_2B, FIB6_TBL8_2);
}

static void *load_rte_fib6_4(struct table *table, size_t *loaded, double deadline)
{
	return load_rte_fib6(table, loaded, deadline, RTE_FIB6_TRIE_4B, FIB6_TBL8_4);
}

static void *load_rte_lpm6(struct table *table, size_t *loaded, double deadline)
{
	struct rte_lpm6_config conf = { .max_rules = ROUTES_MAX, .number_tbl8s = FIB6_TBL8_4 };
	struct rte_lpm6 *lpm = rte_lpm6_create("bench", SOCKET_ID_ANY, &conf);

	*loaded = add_all(lpm, table, deadline, add_rte_lpm6);
	if (*loaded == table->n)
		return lpm;
	rte_lpm6_free(lpm);
	return NULL;
}

/* The lists are only read, whatever the library's types say. */
static void lookup_rte_fib(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			   unsigned int n)
{
	uint64_t next_hop[BENCH_BATCH];

	(void)leaf;
	rte_fib_lookup_bulk(fib, (uint32_t *)(uintptr_t)(from->ipv4 + at), next_hop, (int)n);
}

static void lookup_rte_lpm(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			   unsigned int n)
{
	rte_lpm_lookup_bulk(fib, from->ipv4 + at, leaf, n);
}

static void lookup_rte_fib6(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			    unsigned int n)
{
	uint64_t next_hop[BENCH_BATCH];

	(void)leaf;
	rte_fib6_lookup_bulk(fib, (uint8_t(*)[16])(uintptr_t)(from->bytes + at), next_hop, (int)n);
}

static void lookup_rte_lpm6(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
			    unsigned int n)
{
	rte_lpm6_lookup_bulk_func(fib, (uint8_t(*)[16])(uintptr_t)(from->bytes + at),
				  (int32_t *)leaf, n);
}

static bool change_rte_fib(void **fib, struct table *table, const size_t *list, size_t n)
{
	return change_all(*fib, table, list, n, add_rte_fib);
}

static bool change_rte_lpm(void **fib, struct table *table, const size_t *list, size_t n)
{
	return change_all(*fib, table, list, n, add_rte_lpm);
}

static bool change_rte_fib6(void **fib, struct table *table, const size_t *list, size_t n)
{
	return change_all(*fib, table, list, n, add_rte_fib6);
}

static bool change_rte_lpm6(void **fib, struct table *table, const size_t *list, size_t n)
{
	return change_all(*fib, table, list, n, add_rte_lpm6);
}

/* As they allocate them for lookups: 2^24 entries and all groups of 256, without their rules. */
#define BYTES(name, entry_bytes, groups)                                           \
	static size_t bytes_##name(void *fib)                                      \
	{                                                                          \
		(void)fib;                                                         \
		return (entry_bytes) * (((size_t)1 << 24) + (size_t)(groups)*256); \
	}
BYTES(rte_fib_2, 2, FIB_TBL8)
BYTES(rte_fib_4, 4, FIB_TBL8)
BYTES(rte_fib6_2, 2, FIB6_TBL8_2)
BYTES(rte_fib6_4, 4, FIB6_TBL8_4)

static void free_rte_fib(void *fib)
{
	rte_fib_free(fib);
}

static void free_rte_lpm(void *fib)
{
	rte_lpm_free(fib);
}

static void free_rte_fib6(void *fib)
{
	rte_fib6_free(fib);
}

static void free_rte_lpm6(void *fib)
{
	rte_lpm6_free(fib);
}

const struct contender contender[] = {
	{ "napd scalar", false, load_fib4_scalar, lookup_fib4, change_fib4, bytes_fib4, free_fib4 },
	{ "napd avx2", false, load_fib4_avx2, lookup_fib4, change_fib4, bytes_fib4, free_fib4 },
	{ "rte_fib 2 bytes", false, load_rte_fib_2, lookup_rte_fib, change_rte_fib, bytes_rte_fib_2,
	  free_rte_fib },
	{ "rte_fib 4 bytes", false, load_rte_fib_4, lookup_rte_fib, change_rte_fib, bytes_rte_fib_4,
	  free_rte_fib },
	{ "rte_lpm", false, load_rte_lpm, lookup_rte_lpm, change_rte_lpm, bytes_rte_fib_4,
	  free_rte_lpm },
	{ "napd scalar", true, load_fib6_scalar, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
	{ "napd avx2", true, load_fib6_avx2, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
	{ "napd avx512", true, load_fib6_avx512, lookup_fib6, change_fib6, bytes_fib6, free_fib6 },
	{ "rte_fib6 2 bytes", true, load_rte_fib6_2, lookup_rte_fib6, change_rte_fib6,
	  bytes_rte_fib6_2, free_rte_fib6 },
	{ "rte_fib6 4 bytes", true, load_rte_fib6_4, lookup_rte_fib6, change_rte_fib6,
	  bytes_rte_fib6_4, free_rte_fib6 },
	{ "rte_lpm6", true, load_rte_lpm6, lookup_rte_lpm6, change_rte_lpm6, bytes_rte_fib6_4,
	  free_rte_lpm6 },
};
const size_t contenders = sizeof(contender) / sizeof(contender[0]);
