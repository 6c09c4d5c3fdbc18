/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model holds, for model.c, which fills it, compile.c, which reads
 * it, and the feeds, which bring routes. One thread.
 */
#ifndef NAPD_MODEL_STATE_H
#define NAPD_MODEL_STATE_H

#include "hops.h"
#include "model.h"
#include "numbers.h"
#include "rib.h"

/* FIB generations that snapshots share; freed with their last user, on whatever thread. */
struct table {
	unsigned int references;
	struct fib4 *fib4;
	struct fib6 *fib6;
	uint64_t *allowed; /* of source tables: the parties of each class */
	uint32_t allowed_words;
};

/* Returns to the caller with one reference; NULL without memory. */
struct table *table_create(void);
struct table *table_ref(struct table *table);
void table_unref(struct table *table); /* NULL is allowed */

/* The prefixes that members may send from, as tables. Pure. NULL without memory. */
struct table *source_table_create(const struct model *model);

/* A router's address on a port, or a neighbour that was learned there. */
struct neighbour {
	struct ip_address address;
	uint16_t port; /* its number */
	uint16_t party;
	bool listed; /* by the configuration */
	bool fixed;  /* the configuration gives its MAC */
	bool resolved;
	bool failed;
	struct rte_ether_addr mac;
	const struct config_router *router; /* when listed */
};

/* What a port's configuration leaves to be worked out. */
struct model_port {
	const struct config_port *config; /* NULL: nobody has this number */
	struct rte_ether_addr mac;
	struct ipv6_key link_local;
	uint16_t device;
	uint16_t party; /* its only member, or the port itself */
	uint64_t name_hash;
	bool enabled, detached;
};

struct model {
	const struct config *config;
	struct model_options options;
	struct numbers port_numbers, party_numbers, device_numbers;
	uint16_t *port_number;       /* of each port of the configuration */
	uint16_t *port_device;       /* of each port of the configuration: its device's */
	uint16_t *party_number;      /* of each member of the configuration, then of each port */
	struct model_port *port;     /* by number; as many as port_numbers has */
	size_t *port_by_name;        /* indices of the configuration, ascending by name */
	struct neighbour *neighbour; /* ascending by port and address */
	size_t neighbours, neighbours_allocated;
	struct hops hops;
	bool relayout; /* next hops came or went: groups share their buckets anew */
	struct rib *rib;
	struct rib *connected; /* subnets; their leaf is the port's number + 1 */
	struct table *routes[2], *sources;
	struct dumps *dumps; /* paths kept for updates; NULL: none */
	uint64_t generation;
	uint64_t unresolved, refused; /* see struct model_routes */
};

/* What a feed says of a prefix; via is borrowed. A hop on no port is left out. */
struct route {
	struct ip_prefix prefix;
	enum config_route_kind kind;
	const struct config_nexthop *via;
	size_t via_count; /* 1..64 when kind is VIA */
};

/*
 * Add or replace the route of a source. Routes that are not used are counted:
 * -EADDRINUSE: inside a connected subnet; -EADDRNOTAVAIL: link-local; -ENOSPC:
 * beyond the capacity; -ENETUNREACH: no next hop is on a port's subnet. -ENOMEM.
 */
int model_route_set(struct model *model, enum route_source source, const struct route *route);

/* Take the route of a source back. -ENOENT: there was none. */
int model_route_delete(struct model *model, enum route_source source,
		       const struct ip_prefix *prefix);

/* The port of a name, or on whose subnet an address lies, as the configuration counts; SIZE_MAX:
 * none. */
size_t model_port_by_name(const struct model *model, const char *name);
size_t model_port_of(const struct model *model, const struct ip_address *address);

/* Is it an address of the exchange itself? */
bool model_is_own(const struct model *model, const struct ip_address *address);

/* Of model.c, for model_live.c. */
int model_neighbour_order(const struct neighbour *a, const struct neighbour *b);
struct ipv6_key model_link_local(const struct rte_ether_addr *mac);
struct neighbour *model_find_neighbour(const struct model *model, uint16_t port,
				       const struct ip_address *address);
int model_add_adjacency(struct model *model, const struct neighbour *neighbour);
void model_drop_adjacency(struct model *model, const struct neighbour *neighbour);

/* model_numbers.c: number ports, parties and devices, those of previous (or NULL) as there. 0,
 * -ENOSPC (problems say of what) or -ENOMEM. */
int model_assign_numbers(struct model *model, const struct model *previous,
			 struct problems *problems);

/* compile.c. Pure. Returns to the caller; NULL without memory. */
struct snapshot *compile(const struct model *model);

#endif
