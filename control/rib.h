/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RIB: every route of every source, the best of each prefix, and which
 * prefixes changed since the FIB was made. A route is a leaf of the FIB
 * (snapshot.h); what a leaf means is its owner's business. One thread.
 */
#ifndef NAPD_RIB_H
#define NAPD_RIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "fib.h"

/*
 * Where a route is from; the first wins. Addresses of the exchange and of
 * neighbours are host routes that are no prefixes in the eyes of people: they
 * are not counted. An operator's own route overrules a neighbour's address.
 */
enum route_source {
	ROUTE_NONE,
	ROUTE_LOCAL,     /* an address of the exchange */
	ROUTE_CONNECTED, /* a subnet of a port */
	ROUTE_STATIC,    /* the configuration's routes */
	ROUTE_FILE,      /* tables.file */
	ROUTE_ADJACENT,  /* the address of a neighbour */
	ROUTE_FPM,
	ROUTE_KERNEL,
	ROUTE_MRT,
	ROUTE_SOURCES
};

/* As configuration, metrics and people call it. */
const char *route_source_name(enum route_source source);

struct rib;

/* What the RIB says of a prefix: its best route. */
struct rib_route {
	struct prefix_key prefix;
	uint32_t leaf;
	enum route_source source;
};

/* Returns to the caller, or NULL without memory. Capacities in prefixes. */
struct rib *rib_create(uint64_t capacity_ipv4, uint64_t capacity_ipv6);
void rib_free(struct rib *rib);

/*
 * Add a route, or replace that of the same source. leaf is not 0. old: the leaf
 * that was replaced, or 0; its reference is the caller's again.
 *
 * -ENOSPC: the prefix is one more than the capacity (connected ones always
 * fit); -ENOMEM. Then nothing has changed.
 */
int rib_set(struct rib *rib, const struct ip_prefix *prefix, enum route_source source,
	    uint32_t leaf, uint32_t *old);

/* Take a route out; old as above. -ENOENT: there was none. */
int rib_delete(struct rib *rib, const struct ip_prefix *prefix, enum route_source source,
	       uint32_t *old);

/* The route of one source for exactly this prefix; 0: none. */
uint32_t rib_get(const struct rib *rib, const struct ip_prefix *prefix, enum route_source source);

/* The best route of the longest prefix that holds all of prefix; false: none. */
bool rib_cover(const struct rib *rib, const struct ip_prefix *prefix, struct rib_route *route);

/* The best route of every prefix inside range and range itself, ascending. visit must not change
 * the RIB. */
void rib_walk(const struct rib *rib, const struct ip_prefix *range,
	      void (*visit)(void *arg, const struct rib_route *route), void *arg);

/*
 * The same in parts, for callers who must not stay long: looks at some most nodes of the tree (of
 * prefixes and of forks) behind after, or from the beginning where it is NULL. True: there is more
 * behind *last. Between parts the RIB may change.
 */
bool rib_walk_part(const struct rib *rib, const struct ip_prefix *range,
		   const struct prefix_key *after, size_t most,
		   void (*visit)(void *arg, const struct rib_route *route), void *arg,
		   struct prefix_key *last);

/* Every route of exactly this prefix, the best first. */
void rib_routes(const struct rib *rib, const struct ip_prefix *prefix,
		void (*visit)(void *arg, const struct rib_route *route), void *arg);

/* Make the FIB of a prefix anew, though its best route has not changed. */
void rib_touch(struct rib *rib, const struct ip_prefix *prefix);

/* How many prefixes are in force, host routes of addresses not counted. */
uint64_t rib_prefixes(const struct rib *rib, bool ipv6);

/* Of those, how many a source's route decides; ROUTE_LOCAL and ROUTE_ADJACENT decide none. All of
 * them together are rib_prefixes(). */
uint64_t rib_prefixes_of(const struct rib *rib, bool ipv6, enum route_source source);

/* How many routes a source has, whether they win or not. */
uint64_t rib_routes_of(const struct rib *rib, bool ipv6, enum route_source source);

/*
 * The ranges whose best routes changed since rib_clean(); beyond some ten
 * thousand the whole, as one range of length 0. Borrowed until the RIB changes.
 */
const struct prefix_key *rib_dirty(const struct rib *rib, bool ipv6, size_t *n);
void rib_clean(struct rib *rib, bool ipv6);

/* The best routes of a family, for fib*_apply(). Borrowed for the RIB's life. */
const struct fib_source *rib_source(const struct rib *rib, bool ipv6);

#endif
