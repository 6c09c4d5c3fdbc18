/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes of a routing daemon as its rtnetlink messages tell them, over FPM or from the kernel:
 * next-hop objects, several metrics of a prefix, and what is stale after a lost connection. Sets
 * the routes of a source in the model. One thread, the model's.
 */
#ifndef NAPD_FEED_LEARNED_H
#define NAPD_FEED_LEARNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink.h"
#include "rib.h"

struct learned;
struct model;
struct route;

struct learned_options {
	struct model *model;
	enum route_source source;
	uint32_t table; /* the only one that counts */
	/*
	 * The kernel: of one prefix the lowest metric wins, and an object that goes takes its
	 * routes with it. Else (FPM) a prefix has one route.
	 */
	bool kernel;
	/* The configured port whose TAP has an interface index; SIZE_MAX: none. */
	size_t (*port_of)(void *ctx, uint32_t interface);
	void *ctx;
};

/* What became of a prefix's best route. */
enum learned_state {
	LEARNED_USED,
	LEARNED_FOREIGN,    /* over interfaces that are no port's TAP */
	LEARNED_UNRESOLVED, /* no next hop is on its port's subnets, or there is none */
	LEARNED_WAITING,    /* its next-hop object is not known yet */
	LEARNED_REFUSED,    /* inside a connected subnet, or beyond the capacity */
	LEARNED_HIDDEN,     /* a lower metric wins */
	LEARNED_STATES
};

struct learned_counts {
	uint64_t routes[LEARNED_STATES];
	uint64_t stale;
	uint64_t objects;
	/* messages not used, ever: of other tables, link-local prefixes, kinds that are not routed,
	 * more than there is room for */
	uint64_t other_table, link_local, other_kind, beyond;
};

/* Returns to the caller, or NULL without memory. Borrows what options name. */
struct learned *learned_create(const struct learned_options *options);
/* Routes that it has set stay. NULL is allowed. */
void learned_free(struct learned *learned);

/* Apply a message: the model's routes change at once. 0 or -ENOMEM. */
int learned_apply(struct learned *learned, const struct netlink_message *message);

/*
 * A route from before napd started: in force, and stale until it is told again, whatever its
 * metric. Hops on no port (SIZE_MAX), or not on its subnets, are left out. 0; -EEXIST: its prefix
 * has one that was told; as model_route_set().
 */
int learned_restore(struct learned *learned, const struct route *route);

/* Another table counts from now on. What was taken of the one before stays until it is swept. */
void learned_set_table(struct learned *learned, uint32_t table);

/*
 * A reload: set routes in another model from now on, into which model_carry() has put those that
 * are set. learned_resolve_again() is due.
 */
void learned_move(struct learned *learned, struct model *model);

/*
 * Interfaces belong to other ports than before, or subnets have come and gone: every route, but
 * stale ones, is to be looked at again, which learned_resolve() does, some most at a time. True:
 * there are more to look at.
 */
void learned_resolve_again(struct learned *learned);
bool learned_resolve(struct learned *learned, size_t most);

/* Does a stale route stand for the prefix? Of several metrics, the one that is set. */
bool learned_is_stale(const struct learned *learned, const struct ip_prefix *prefix);

/* The state of a prefix's best route; LEARNED_STATES: there is none. */
enum learned_state learned_state_of(const struct learned *learned, const struct ip_prefix *prefix);

/*
 * The connection is lost: every route stays as it is, and is stale until its daemon tells it
 * again. What objects meant is forgotten, for a daemon that returns numbers them anew.
 */
void learned_mark(struct learned *learned);

/* Delete stale routes, looking at some most. True: there are more to look at. */
bool learned_sweep(struct learned *learned, size_t most);

void learned_counts(const struct learned *learned, struct learned_counts *counts);

#endif
