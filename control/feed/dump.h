/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tables.mrt and --rib: the best paths of MRT dumps become routes; and what BGP peers announced
 * and withdrew afterwards, if somebody plays it.
 */
#ifndef NAPD_FEED_DUMP_H
#define NAPD_FEED_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_nexthop;
struct dumps;
struct ip_address;
struct ip_prefix;
struct model;
struct mrt_message;
struct problems;

struct dump_options {
	char *const *file; /* beside the configuration's tables.mrt */
	size_t files;
	char *const *map; /* PEER-AS=MEMBER or auto: whose routers are next hops instead */
	size_t maps;
	bool keep; /* keep all paths, for updates */
};

/*
 * Load the configuration's dumps and those of options, which may be NULL, as one table. Errors go
 * to problems with file and offset; then nothing is loaded. 0 or -ENOMEM.
 */
int feed_dump_load(struct model *model, const struct dump_options *options,
		   struct problems *problems);

/* The paths that were kept for updates; NULL: none were. */
struct dumps *feed_dump_kept(const struct model *model);

/* Who makes routes of best paths, and knows where next hops lie. */
struct dump_taker {
	/* The port on which a next hop lies, in whatever numbers; SIZE_MAX: it cannot be used. */
	size_t (*port_of)(void *ctx, const struct ip_address *address);
	/* 0, -ENOMEM, or the negative errno of a route that is not used. */
	int (*set)(void *ctx, const struct ip_prefix *prefix, const struct config_nexthop *via);
	int (*unset)(void *ctx, const struct ip_prefix *prefix); /* 0 or -ENOMEM */
	void *ctx;
};

/*
 * Read dumps and keep all paths, for updates, without a model; the taker gets every route. Returns
 * dumps to the caller, who frees them; 0, -EINVAL (problems say why) or -ENOMEM.
 */
int feed_dump_keep(char *const *file, size_t files, const struct dump_taker *taker,
		   uint64_t capacity_ipv4, uint64_t capacity_ipv6, struct problems *problems,
		   struct dumps **dumps);

/*
 * What a configuration's dumps come to: its files as they are on disk, and the subnets that next
 * hops lie on. Equal numbers, equal routes.
 */
uint64_t feed_dump_identity(const struct config *config);

/*
 * Apply a peer's message to the paths that were kept: routes change at once. 0, -ENOMEM or -E2BIG
 * (a prefix has more paths than any can have).
 */
int feed_dump_apply(struct dumps *dumps, const struct mrt_message *message);

void feed_dump_free(struct dumps *dumps); /* NULL is allowed */

#endif
