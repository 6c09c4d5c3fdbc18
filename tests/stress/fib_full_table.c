// SPDX-License-Identifier: BSD-3-Clause
/*
 * The real full table: the borders of each prefix and a million random addresses
 * against a naive longest match. Skipped where the shared data is not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "family.h"
#include "random.h"
#include "table_file.h"

#define SKIPPED          77
#define RANDOM_ADDRESSES 1000000
#define BATCH            64

struct check {
	const struct family *family;
	void *fib;
	const struct routes *naive;
	struct ipv6_key address[BATCH];
	unsigned int n;
	size_t done;
};

static void check_batch(struct check *c)
{
	uint32_t leaf[BATCH];

	c->family->lookup(c->fib, c->address, leaf, c->n);
	for (unsigned int i = 0; i < c->n; i++) {
		uint32_t naive = routes_match(c->naive, c->address[i]);

		if (leaf[i] == naive)
			continue;
		fprintf(stderr,
			"%s: path %s: %016" PRIx64 " %016" PRIx64 " has leaf %" PRIu32
			", should be %" PRIu32 "\n",
			c->family->name, cpu_path_name(cpu_path()), c->address[i].hi,
			c->address[i].lo, leaf[i], naive);
		exit(1);
	}
	c->done += c->n;
	c->n = 0;
}

static void check_address(struct check *c, unsigned __int128 at)
{
	c->address[c->n++] = (struct ipv6_key){ (uint64_t)(at >> 64), (uint64_t)at };
	if (c->n == BATCH)
		check_batch(c);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check_table(const struct family *family, struct table *table)
{
	struct routes *naive = routes_new(family->bits);
	struct fib_source source = full_table_source(table);
	struct check c = { .family = family, .naive = naive };
	struct prefix_key all = prefix6(0, 0, 0);
	struct random random = { 7 };

	for (size_t i = 0; i < table->n; i++)
		routes_set(naive, table->route[i].prefix, table->route[i].leaf);
	double start = seconds();

	c.fib = family->apply(NULL, &all, 1, &source);
	if (!c.fib) {
		fprintf(stderr, "%s: no memory\n", family->name);
		exit(1);
	}
	double took = seconds() - start;

	for (size_t i = 0; i < table->n; i++) {
		struct prefix_key p = table->route[i].prefix;
		unsigned __int128 first = (unsigned __int128)p.address.hi << 64 | p.address.lo;

		cpu_path_set((enum cpu_path)(i / BATCH % (CPU_BEST + 1)));
		check_address(&c, first);
		check_address(&c,
			      p.length < 128 ? first | ~(unsigned __int128)0 >> p.length : first);
	}
	for (size_t i = 0; i < RANDOM_ADDRESSES; i++) {
		struct prefix_key p = table->route[random_bits(&random) % table->n].prefix;
		struct ipv6_key near = random_address_near(&random, p);

		check_address(&c, (unsigned __int128)near.hi << 64 | near.lo);
	}
	check_batch(&c);
	printf("%s: %zu prefixes made in %.0f ms, %zu addresses right\n", family->name, table->n,
	       took * 1e3, c.done);
	family->free(c.fib);
	routes_free(naive);
}

int main(void)
{
	struct table ipv4, ipv6;
	const char *why;

	if (!full_table_read(&ipv4, &ipv6, &why)) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	check_table(&family4, &ipv4);
	check_table(&family6, &ipv6);
	full_table_free(&ipv4);
	full_table_free(&ipv6);
	return 0;
}
