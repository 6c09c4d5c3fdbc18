/* SPDX-License-Identifier: BSD-3-Clause */
/* Routing tables made up for measuring: as large and as deep as the Internet's, always the same. */
#ifndef NAPD_BENCH_TABLE_H
#define NAPD_BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Next hop h is router h / ports of port h % ports. */
struct bench_route {
	uint8_t address[16]; /* IPv4 in the first four */
	uint8_t length;
	bool ipv6;
	uint16_t hop;
};

/* Prefixes by the length distribution of the Internet in 2026, in the order of a BGP feed: none. */
struct bench_table {
	size_t count;
	struct bench_route *route;
};

struct bench_random {
	uint64_t state[2];
};

void bench_random_seed(struct bench_random *r, uint64_t seed);
uint64_t bench_random(struct bench_random *r);
/* 0 .. below - 1 */
uint32_t bench_random_below(struct bench_random *r, uint32_t below);

/* Fill table with count prefixes of one family; false: no memory. */
bool bench_table_make(struct bench_table *table, bool ipv6, size_t count, uint16_t hops);
/*
 * The same of a text file's prefixes, a line each, of which those of the other family are passed
 * over. False: no memory, or it cannot be read.
 */
bool bench_table_read(struct bench_table *table, bool ipv6, const char *path, uint16_t hops);
/* Takes table's routes. */
void bench_table_free(struct bench_table *table);

/*
 * The prefixes that each router may send from: at most each of every hop, disjoint
 * over all hops, so that the longest match is always the router's own.
 */
bool bench_table_sources(const struct bench_table *table, uint16_t hops, size_t each,
			 struct bench_table *sources);

/* A random host of a prefix. */
void bench_host(struct bench_random *r, const struct bench_route *route, uint8_t address[16]);

#endif
