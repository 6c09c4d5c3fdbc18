/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of routes for tests of the FIBs: what a FIB reads, and a naive longest
 * match that shares nothing with it. No memory: the test ends.
 */
#ifndef NAPD_TEST_ROUTES_H
#define NAPD_TEST_ROUTES_H

#include "api/fib.h"

struct route {
	struct prefix_key prefix;
	uint32_t leaf;
};

struct routes;

/* bits: 32 or 128. Returns to the caller. */
struct routes *routes_new(unsigned int bits);
void routes_free(struct routes *routes);

/* Add a route, or replace its leaf. */
void routes_set(struct routes *routes, struct prefix_key prefix, uint32_t leaf);
/* False: there was none. */
bool routes_delete(struct routes *routes, struct prefix_key prefix);

size_t routes_count(const struct routes *routes);
/* Any of them, i below the count; changes move routes. */
const struct route *routes_at(const struct routes *routes, size_t i);

/* The leaf of the longest match, 0 without one: one hash probe a length, longest first. */
uint32_t routes_match(const struct routes *routes, struct ipv6_key address);

/* Borrows routes. */
struct fib_source routes_source(struct routes *routes);

/* Prefixes with host bits cleared. */
struct prefix_key prefix4(uint32_t address, unsigned int length);
struct prefix_key prefix6(uint64_t hi, uint64_t lo, unsigned int length);

#endif
