// SPDX-License-Identifier: BSD-3-Clause
/* Measures the FIBs by themselves on the full table, beside those of DPDK; see
 * scripts/bench-lookup. */
#include "bench_lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_eal.h>

#include "table_file.h"

#define PIECES       64
#define PIECE        16384
#define ADDRESSES    (PIECES * PIECE)
#define HOT          1000
#define CHANGES      2000
#define RUN_SECONDS  0.25
#define LOAD_SECONDS 20.0

static struct ipv6_key *address[WORKLOADS];
static uint64_t random_state = 1;

static const char *const workload_name[WORKLOADS] = { "uniform", "hot", "Zipf" };

static uint64_t random64(void)
{
	random_state += 0x9e3779b97f4a7c15ull;
	uint64_t x = random_state;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

double bench_seconds(void)
{
	return (double)rte_rdtsc() / (double)rte_get_tsc_hz();
}

/* ---- what is looked up ---- */

static struct ipv6_key address_in(struct prefix_key prefix)
{
	struct ipv6_key key = prefix.address;

	if (prefix.length < 64) {
		key.hi |= random64() >> prefix.length;
		key.lo = random64();
	} else if (prefix.length < 128) {
		key.lo |= random64() >> (prefix.length - 64);
	}
	return key;
}

/* The k-th prefix is asked for in proportion to 1 / k, in an order of their own. */
static size_t zipf(size_t n)
{
	static double harmonic;
	static size_t of_n;
	static double *sum;

	if (of_n != n) {
		sum = realloc(sum, n * sizeof(*sum));
		harmonic = 0;
		for (size_t i = 0; i < n; i++)
			sum[i] = harmonic += 1.0 / (double)(i + 1);
		of_n = n;
	}
	double at = (double)(random64() >> 11) / 9007199254740992.0 * harmonic;
	size_t from = 0, to = n - 1;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (sum[middle] < at)
			from = middle + 1;
		else
			to = middle;
	}
	return from * 2654435761u % n;
}

static void make_addresses(const struct table *table)
{
	for (int w = 0; w < WORKLOADS; w++)
		address[w] = realloc(address[w], ADDRESSES * sizeof(**address));
	for (size_t i = 0; i < ADDRESSES; i++) {
		address[UNIFORM][i] = address_in(table->route[random64() % table->n].prefix);
		address[HOT_1000][i] =
			i < HOT ? address[UNIFORM][i] : address[HOT_1000][random64() % HOT];
		address[ZIPF][i] = address_in(table->route[zipf(table->n)].prefix);
	}
}

/* ---- measuring ---- */

/*
 * Cycles a lookup. The addresses are timed in pieces, all in turn and again for
 * a while; the best time of each piece counts, so that being interrupted does not.
 */
static double measure(const struct contender *c, void *fib, enum workload workload)
{
	static uint32_t list4[ADDRESSES];
	static uint64_t hi[ADDRESSES], lo[ADDRESSES];
	static struct address_bytes bytes[ADDRESSES];
	struct addresses from = { list4, hi, lo, bytes };
	uint32_t leaf[BENCH_BATCH];
	uint64_t best[PIECES], sum = 0;

	for (size_t i = 0; i < ADDRESSES; i++) {
		list4[i] = (uint32_t)(address[workload][i].hi >> 32);
		hi[i] = address[workload][i].hi;
		lo[i] = address[workload][i].lo;
		uint64_t big[2] = { rte_cpu_to_be_64(hi[i]), rte_cpu_to_be_64(lo[i]) };

		memcpy(&bytes[i], big, sizeof(big));
	}
	memset(best, 0xff, sizeof(best));
	for (double end = bench_seconds() + RUN_SECONDS; bench_seconds() < end;) {
		for (size_t piece = 0; piece < PIECES; piece++) {
			uint64_t start = rte_rdtsc();

			for (size_t i = 0; i < PIECE; i += BENCH_BATCH)
				c->lookup(fib, &from, piece * PIECE + i, leaf, BENCH_BATCH);
			uint64_t took = rte_rdtsc() - start;

			best[piece] = took < best[piece] ? took : best[piece];
		}
	}
	for (size_t piece = 0; piece < PIECES; piece++)
		sum += best[piece];
	return (double)sum / ADDRESSES;
}

static double measure_changes(const struct contender *c, void **fib, struct table *table)
{
	double start = bench_seconds();

	for (size_t i = 0; i < CHANGES && bench_seconds() < start + 2; i += CHANGE_BATCH) {
		size_t list[CHANGE_BATCH];

		for (size_t k = 0; k < CHANGE_BATCH; k++) {
			list[k] = random64() % table->n;
			table->route[list[k]].leaf ^= 1;
		}
		if (!c->change(fib, table, list, CHANGE_BATCH))
			return 0;
		if (bench_seconds() > start + 2)
			return (double)(i + CHANGE_BATCH) / (bench_seconds() - start);
	}
	return CHANGES / (bench_seconds() - start);
}

static void run(const struct contender *c, struct table *table)
{
	size_t bytes = 0, loaded = table->n;
	double start = bench_seconds();
	void *fib = c->load(table, &loaded, start + LOAD_SECONDS);
	double load = bench_seconds() - start;

	printf("%-4s %-16s", c->ipv6 ? "IPv6" : "IPv4", c->name);
	if (!fib) {
		printf("  does not hold the table: %zu of %zu prefixes in %.1f s\n", loaded,
		       table->n, load);
		return;
	}
	for (int w = 0; w < WORKLOADS; w++) {
		double cycles = measure(c, fib, w);

		printf(" %7.0f %6.1f", (double)rte_get_tsc_hz() / 1e6 / cycles, cycles);
	}
	bytes = c->bytes(fib);
	printf(" %8.1f %9.0f", (double)bytes / 1e6, load * 1e3);
	printf(" %11.0f\n", measure_changes(c, &fib, table));
	c->free(fib);
}

static void run_family(struct table *table, bool ipv6, const char *only)
{
	make_addresses(table);
	for (size_t i = 0; i < contenders; i++)
		if (contender[i].ipv6 == ipv6 && (!only || strstr(contender[i].name, only))) {
			run(&contender[i], table);
			fflush(stdout);
		}
}

static void head(const struct table *ipv4, const struct table *ipv6)
{
	printf("%zu IPv4 and %zu IPv6 prefixes, %d next hops; batches of %d; M/s: million lookups a second;\n"
	       "cycles of the TSC (%.0f MHz); changes: replaced leaves a second in batches of %d\n\n",
	       ipv4->n, ipv6->n, 64, BENCH_BATCH, (double)rte_get_tsc_hz() / 1e6, CHANGE_BATCH);
	printf("%-21s", "");
	for (int w = 0; w < WORKLOADS; w++)
		printf(" %7s M/s cyc", workload_name[w]);
	printf(" %8s %9s %11s\n", "MB", "load ms", "changes/s");
}

/* bench_lookup [WORD]: only what has WORD in its name. */
int main(int argc, char **argv)
{
	char *eal[] = {
		argv[0],    "--no-huge",      "-m",          "3072",
		"--no-pci", "--no-telemetry", "--no-shconf", "--lcores",
		"0",        "--log-level",    "error",       "--force-max-simd-bitwidth=512"
	};
	struct table ipv4, ipv6;
	const char *why;

	if (!full_table_read(&ipv4, &ipv6, &why)) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	head(&ipv4, &ipv6);
	run_family(&ipv4, false, argc > 1 ? argv[1] : NULL);
	run_family(&ipv6, true, argc > 1 ? argv[1] : NULL);
	return 0;
}
