/* SPDX-License-Identifier: BSD-3-Clause */
/* The full table of the shared data, for tests and measurements that use it where it is. */
#ifndef NAPD_TEST_TABLE_FILE_H
#define NAPD_TEST_TABLE_FILE_H

#include "routes.h"

/* A family's prefixes, ascending, each once; leaves are those of 64 next hops at random. */
struct table {
	struct route *route;
	size_t n;
};

/*
 * Read $NAPD_SHARED/data/tables/full-2026/prefixes.txt.gz (without the variable
 * ../shared beside the sources). False: it is not there, *why says so. Text that
 * is no prefix ends the program.
 */
bool full_table_read(struct table *ipv4, struct table *ipv6, const char **why);
void full_table_free(struct table *table);

/* The table as a FIB reads it. Borrows table. */
struct fib_source full_table_source(struct table *table);

#endif
