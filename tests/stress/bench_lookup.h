/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables that are measured against each other. */
#ifndef NAPD_BENCH_LOOKUP_H
#define NAPD_BENCH_LOOKUP_H

#include "table_file.h"

#define CHANGE_BATCH 100
#define BENCH_BATCH  64

enum workload { UNIFORM, HOT_1000, ZIPF, WORKLOADS };

/* An IPv6 address in network order. */
struct address_bytes {
	uint8_t byte[16];
};

/* What is looked up, by family. */
struct addresses {
	const uint32_t *ipv4;
	const uint64_t *hi, *lo;
	const struct address_bytes *bytes;
};

struct contender {
	const char *name;
	bool ipv6;
	/* Load table; NULL: it does not fit or took until the deadline, *loaded says how far it
	 * came. */
	void *(*load)(struct table *table, size_t *loaded, double deadline);
	void (*lookup)(void *fib, const struct addresses *from, size_t at, uint32_t *leaf,
		       unsigned int n);
	/* The routes at these places of the table have another leaf. False: refused. */
	bool (*change)(void **fib, struct table *table, const size_t *list, size_t n);
	size_t (*bytes)(void *fib);
	void (*free)(void *fib);
};

/* Of any beginning. */
double bench_seconds(void);

extern const struct contender contender[];
extern const size_t contenders;

#endif
